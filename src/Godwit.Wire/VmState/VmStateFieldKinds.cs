using System.Text.Json;

namespace Godwit.Wire.VmState;

/// <summary>Puts an element's value into its bytes.</summary>
public delegate void VmStatePut<in T>(T state, int index, Span<byte> bytes);

/// <summary>Takes an element's value out of its bytes; <see cref="InvalidDataException"/> says why it can't be.</summary>
public delegate void VmStateGet<in T>(T state, int index, ReadOnlySpan<byte> bytes);

/// <summary>Elements whose number and size are known before they are read.</summary>
internal sealed class VmStateValueField<T>(string name, string type, Func<T, int> count, Func<T, int> size, VmStatePut<T> put, VmStateGet<T> get)
    : VmStateField<T>(name, type)
{
    internal override int Count(T state) => count(state);

    internal override void SaveElement(T state, int index, VmStateOutput output, Utf8JsonWriter? description)
    {
        var length = size(state);
        put(state, index, output.Take(length));
        output.Advance(length);
    }

    internal override bool Load(T state, ref VmStateInput input)
    {
        int elements = count(state), length = size(state);
        if (elements < 0 || length < 0)
            throw input.Error(input.Position, Name, $"{elements} elements of {length} bytes");
        for (var i = 0; i < elements; i++)
        {
            var at = input.Position;
            if (!input.TryBytes(length, out var bytes))
                return false;
            try
            {
                get(state, i, bytes);
            }
            catch (InvalidDataException e)
            {
                throw input.Error(at, elements > 1 ? $"{Name}[{i}]" : Name, e.Message);
            }
        }

        return true;
    }

    internal override void DumpInner(Utf8JsonWriter dump)
    {
    }

    internal VmStateValueField<T> OfHostSize(int bytes)
    {
        HostSize = bytes;
        return this;
    }
}

/// <summary>Elements that have a description of their own. Each is loaded as the newest version of it.</summary>
internal sealed class VmStateStructField<T, TInner>(string name, VmStateDescription<TInner> inner, Func<T, int> count, Func<T, int, TInner> element)
    : VmStateField<T>(name, "struct")
{
    internal override bool CanCompress => base.CanCompress && inner.Subsections.Count == 0 && inner.Fields.All(part => part.CanCompress);

    internal override int Count(T state) => count(state);

    internal override void SaveElement(T state, int index, VmStateOutput output, Utf8JsonWriter? description)
    {
        description?.WriteStartObject("struct");
        inner.Save(element(state, index), output, description);
        description?.WriteEndObject();
    }

    internal override bool Load(T state, ref VmStateInput input)
    {
        var elements = count(state);
        if (elements < 0)
            throw input.Error(input.Position, Name, $"{elements} elements");
        for (var i = 0; i < elements; i++)
        {
            var prefix = input.Enter(elements > 1 ? $"{Name}[{i}]" : Name);
            if (!inner.Load(element(state, i), inner.Version, ref input))
                return false;
            input.Leave(prefix);
        }

        return true;
    }

    internal override void DumpInner(Utf8JsonWriter dump)
    {
        dump.WriteStartObject("Description");
        VmStateDump.Write(inner, dump);
        dump.WriteEndObject();
    }
}

using System.Text.Json;

namespace Godwit.Wire.VmState;

/// <summary>A field of a declaration (QEMU: <c>VMStateField</c>). Made by <see cref="Field{T}"/>.</summary>
public abstract class VmStateField<T>
{
    private Func<T, uint, bool>? _exists;

    private protected VmStateField(string name, string type)
    {
        Name = name;
        Type = type;
    }

    public string Name { get; }

    /// <summary>QEMU's name of the encoding (<c>VMStateInfo.name</c>), or <c>struct</c>.</summary>
    public string Type { get; }

    /// <summary>The version that brought it.</summary>
    public uint SinceVersion { get; private set; }

    /// <summary>A condition, not the version, says whether it's there.</summary>
    public bool IsConditional => _exists is not null;

    /// <summary>How many elements it always has (QEMU: <c>VMS_ARRAY</c>), for the static dump; null: one, or as many as the device has.</summary>
    public int? FixedCount { get; private set; }

    /// <summary>Bytes of an element in QEMU's memory, for the static dump.</summary>
    public int HostSize { get; private protected set; }

    internal Action<T>? Checking { get; private set; }

    /// <summary>A description shows equal elements once, with their number. Where parts can be missing it shows each.</summary>
    internal virtual bool CanCompress => !IsConditional;

    /// <summary>Saved and loaded from this version on.</summary>
    public VmStateField<T> Since(uint version)
    {
        SinceVersion = version;
        return this;
    }

    /// <summary>Saved and loaded under a condition on the state and the version; it alone decides.</summary>
    public VmStateField<T> When(Func<T, uint, bool> exists)
    {
        _exists = exists;
        return this;
    }

    /// <summary>Looks at the value after it was loaded; <see cref="InvalidDataException"/> says why it can't be.</summary>
    public VmStateField<T> Check(Action<T> check)
    {
        Checking += check;
        return this;
    }

    /// <summary>Looks at the value after it was loaded.</summary>
    /// <param name="reason">Why it can't be, where <paramref name="isSound"/> is false.</param>
    public VmStateField<T> Check(Func<T, bool> isSound, string reason) => Check(state =>
    {
        if (!isSound(state))
            throw new InvalidDataException(reason);
    });

    /// <summary>For the static dump: the number of elements is QEMU's own, not the device's.</summary>
    public VmStateField<T> Fixed(int count)
    {
        FixedCount = count;
        return this;
    }

    /// <summary>For the static dump: bytes of an element in QEMU's memory where that isn't the size on the wire.</summary>
    public VmStateField<T> InHost(int size)
    {
        HostSize = size;
        return this;
    }

    internal bool ExistsIn(T state, uint version) => _exists is { } exists ? exists(state, version) : SinceVersion <= version;

    internal abstract int Count(T state);

    internal abstract void SaveElement(T state, int index, VmStateOutput output, Utf8JsonWriter? description);

    /// <returns>False where the input ends.</returns>
    internal abstract bool Load(T state, ref VmStateInput input);

    internal abstract void DumpInner(Utf8JsonWriter dump);

    internal void Save(T state, VmStateOutput output, Utf8JsonWriter? description, string name)
    {
        var count = Count(state);
        for (var i = 0; i < count; i++)
        {
            var start = output.Position;
            description?.WriteStartObject();
            description?.WriteString("name", name);
            if (count > 1)
                description?.WriteNumber(CanCompress ? "array_len" : "index", CanCompress ? count : i);
            description?.WriteString("type", Type);
            SaveElement(state, i, output, description);
            description?.WriteNumber("size", output.Position - start);
            description?.WriteEndObject();
            if (CanCompress)
                description = null;
        }
    }
}

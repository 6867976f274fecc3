using System.Buffers.Binary;

namespace Godwit.Wire.VmState;

/// <summary>Fields for a declaration, by QEMU's names of their encodings (migration/vmstate-types.c). Integers are big-endian.
/// A declaration names it once: <c>using Field = Godwit.Wire.VmState.Field&lt;MyState&gt;;</c>.</summary>
/// <remarks>An accessor that puts a value may refuse it with <see cref="InvalidDataException"/>.</remarks>
public static partial class Field<T>
{
    public static VmStateField<T> UInt8(string name, Func<T, byte> get, Action<T, byte> set) =>
        Single(name, "uint8", 1, (s, _, b) => b[0] = get(s), (s, _, b) => set(s, b[0]));

    public static VmStateField<T> UInt16(string name, Func<T, ushort> get, Action<T, ushort> set) =>
        Single(name, "uint16", 2, (s, _, b) => BinaryPrimitives.WriteUInt16BigEndian(b, get(s)), (s, _, b) => set(s, BinaryPrimitives.ReadUInt16BigEndian(b)));

    public static VmStateField<T> UInt32(string name, Func<T, uint> get, Action<T, uint> set) =>
        Single(name, "uint32", 4, (s, _, b) => BinaryPrimitives.WriteUInt32BigEndian(b, get(s)), (s, _, b) => set(s, BinaryPrimitives.ReadUInt32BigEndian(b)));

    public static VmStateField<T> UInt64(string name, Func<T, ulong> get, Action<T, ulong> set) =>
        Single(name, "uint64", 8, (s, _, b) => BinaryPrimitives.WriteUInt64BigEndian(b, get(s)), (s, _, b) => set(s, BinaryPrimitives.ReadUInt64BigEndian(b)));

    public static VmStateField<T> Int8(string name, Func<T, sbyte> get, Action<T, sbyte> set) =>
        Single(name, "int8", 1, (s, _, b) => b[0] = (byte)get(s), (s, _, b) => set(s, (sbyte)b[0]));

    public static VmStateField<T> Int32(string name, Func<T, int> get, Action<T, int> set) =>
        Single(name, "int32", 4, (s, _, b) => BinaryPrimitives.WriteInt32BigEndian(b, get(s)), (s, _, b) => set(s, BinaryPrimitives.ReadInt32BigEndian(b)));

    public static VmStateField<T> Int64(string name, Func<T, long> get, Action<T, long> set) =>
        Single(name, "int64", 8, (s, _, b) => BinaryPrimitives.WriteInt64BigEndian(b, get(s)), (s, _, b) => set(s, BinaryPrimitives.ReadInt64BigEndian(b)));

    public static VmStateField<T> Bool(string name, Func<T, bool> get, Action<T, bool> set) =>
        Single(name, "bool", 1, (s, _, b) => b[0] = get(s) ? (byte)1 : (byte)0, (s, _, b) => set(s, b[0] != 0));

    /// <summary>A value that must be the same on both sides.</summary>
    public static VmStateField<T> UInt32Equal(string name, Func<T, uint> get) =>
        Single(name, "uint32 equal", 4, (s, _, b) => BinaryPrimitives.WriteUInt32BigEndian(b, get(s)), (s, _, b) =>
        {
            var came = BinaryPrimitives.ReadUInt32BigEndian(b);
            if (came != get(s))
                throw new InvalidDataException($"{came} came, but it is {get(s)} here");
        });

    /// <inheritdoc cref="UInt32Equal"/>
    public static VmStateField<T> Int32Equal(string name, Func<T, int> get) =>
        Single(name, "int32 equal", 4, (s, _, b) => BinaryPrimitives.WriteInt32BigEndian(b, get(s)), (s, _, b) =>
        {
            var came = BinaryPrimitives.ReadInt32BigEndian(b);
            if (came != get(s))
                throw new InvalidDataException($"{came} came, but it is {get(s)} here");
        });

    /// <summary>A value that comes as what it is here or less, and not below 0.</summary>
    public static VmStateField<T> Int32LessEqual(string name, Func<T, int> get, Action<T, int> set) =>
        Single(name, "int32 le", 4, (s, _, b) => BinaryPrimitives.WriteInt32BigEndian(b, get(s)), (s, _, b) =>
        {
            var came = BinaryPrimitives.ReadInt32BigEndian(b);
            if (came < 0 || came > get(s))
                throw new InvalidDataException($"{came} came, but at most {get(s)} is known here");
            set(s, came);
        });

    /// <summary>When a timer expires, in nanoseconds; -1 when it isn't set.</summary>
    public static VmStateField<T> Timer(string name, Func<T, long> get, Action<T, long> set) =>
        Single(name, "timer", 8, (s, _, b) => BinaryPrimitives.WriteInt64BigEndian(b, get(s)), (s, _, b) => set(s, Expiry(b)));

    /// <summary>Bytes as many as the device has.</summary>
    public static VmStateField<T> Buffer(string name, Func<T, byte[]> bytes) =>
        Custom(name, "buffer", s => bytes(s).Length, (s, b) => bytes(s).CopyTo(b), (s, b) => b.CopyTo(bytes(s)));

    /// <summary>Bytes whose number is another field's value, which must have been checked: the front of an array.</summary>
    /// <remarks>In QEMU's dump its size is 0.</remarks>
    public static VmStateField<T> VarBuffer(string name, Func<T, byte[]> bytes, Func<T, int> length) =>
        Custom(name, "buffer", s => Fits(length(s), bytes(s).Length), (s, b) => bytes(s).AsSpan(0, b.Length).CopyTo(b), (s, b) => b.CopyTo(bytes(s)));

    /// <summary>Zeros; what comes is not looked at.</summary>
    public static VmStateField<T> Unused(int length, string name = "unused") =>
        Single(name, "unused_buffer", length, (_, _, b) => b.Clear(), (_, _, _) => { });

    /// <summary>Bits in words of 64, the lowest bit of a word being the first.</summary>
    public static VmStateField<T> Bitmap(string name, Func<T, ulong[]> words) => Custom(name, "bitmap", s => 8 * words(s).Length, (s, b) =>
    {
        foreach (var word in words(s))
        {
            BinaryPrimitives.WriteUInt64BigEndian(b, word);
            b = b[8..];
        }
    }, (s, b) =>
    {
        var target = words(s);
        for (var i = 0; i < target.Length; i++)
            target[i] = BinaryPrimitives.ReadUInt64BigEndian(b[(8 * i)..]);
    });

    /// <summary>An encoding of the device's own.</summary>
    /// <param name="type">QEMU's name of it.</param>
    /// <param name="length">Bytes on the wire.</param>
    public static VmStateField<T> Custom(string name, string type, Func<T, int> length, Action<T, Span<byte>> save, Action<T, ReadOnlySpan<byte>> load) =>
        new VmStateValueField<T>(name, type, _ => 1, length, (s, _, b) => save(s, b), (s, _, b) => load(s, b));

    /// <inheritdoc cref="Custom(string, string, Func{T, int}, Action{T, Span{byte}}, Action{T, ReadOnlySpan{byte}})"/>
    public static VmStateField<T> Custom(string name, string type, int length, Action<T, Span<byte>> save, Action<T, ReadOnlySpan<byte>> load) =>
        Single(name, type, length, (s, _, b) => save(s, b), (s, _, b) => load(s, b));

    /// <summary>Something that has a description of its own.</summary>
    public static VmStateField<T> Struct<TInner>(string name, VmStateDescription<TInner> description, Func<T, TInner> value) =>
        new VmStateStructField<T, TInner>(name, description, _ => 1, (s, _) => value(s));

    /// <summary>Some of them, as many as the device has.</summary>
    public static VmStateField<T> StructArray<TInner>(string name, VmStateDescription<TInner> description, Func<T, IReadOnlyList<TInner>> values) =>
        new VmStateStructField<T, TInner>(name, description, s => values(s).Count, (s, i) => values(s)[i]);

    private static VmStateValueField<T> Single(string name, string type, int size, VmStatePut<T> put, VmStateGet<T> get) =>
        new VmStateValueField<T>(name, type, _ => 1, _ => size, put, get).OfHostSize(size);

    private static long Expiry(ReadOnlySpan<byte> bytes)
    {
        var expiry = BinaryPrimitives.ReadInt64BigEndian(bytes);
        return expiry >= -1 ? expiry : throw new InvalidDataException($"a timer at {expiry} ns");
    }

    private static int Fits(int length, int room) => length <= room ? length : -1;
}

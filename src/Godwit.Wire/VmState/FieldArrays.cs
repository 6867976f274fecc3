using System.Buffers.Binary;

namespace Godwit.Wire.VmState;

/// <content>Arrays of integers: as many elements as the device's array has.</content>
public static partial class Field<T>
{
    public static VmStateField<T> UInt8Array(string name, Func<T, byte[]> values) =>
        Array(name, "uint8", 1, s => values(s).Length, (s, i, b) => b[0] = values(s)[i], (s, i, b) => values(s)[i] = b[0]);

    public static VmStateField<T> UInt16Array(string name, Func<T, ushort[]> values) => Array(name, "uint16", 2, s => values(s).Length,
        (s, i, b) => BinaryPrimitives.WriteUInt16BigEndian(b, values(s)[i]), (s, i, b) => values(s)[i] = BinaryPrimitives.ReadUInt16BigEndian(b));

    public static VmStateField<T> UInt32Array(string name, Func<T, uint[]> values) => Array(name, "uint32", 4, s => values(s).Length,
        (s, i, b) => BinaryPrimitives.WriteUInt32BigEndian(b, values(s)[i]), (s, i, b) => values(s)[i] = BinaryPrimitives.ReadUInt32BigEndian(b));

    public static VmStateField<T> UInt64Array(string name, Func<T, ulong[]> values) => Array(name, "uint64", 8, s => values(s).Length,
        (s, i, b) => BinaryPrimitives.WriteUInt64BigEndian(b, values(s)[i]), (s, i, b) => values(s)[i] = BinaryPrimitives.ReadUInt64BigEndian(b));

    public static VmStateField<T> Int32Array(string name, Func<T, int[]> values) => Array(name, "int32", 4, s => values(s).Length,
        (s, i, b) => BinaryPrimitives.WriteInt32BigEndian(b, values(s)[i]), (s, i, b) => values(s)[i] = BinaryPrimitives.ReadInt32BigEndian(b));

    /// <inheritdoc cref="Timer"/>
    public static VmStateField<T> TimerArray(string name, Func<T, long[]> values) => Array(name, "timer", 8, s => values(s).Length,
        (s, i, b) => BinaryPrimitives.WriteInt64BigEndian(b, values(s)[i]), (s, i, b) => values(s)[i] = Expiry(b));

    private static VmStateValueField<T> Array(string name, string type, int size, Func<T, int> count, VmStatePut<T> put, VmStateGet<T> get) =>
        new VmStateValueField<T>(name, type, count, _ => size, put, get).OfHostSize(size);
}

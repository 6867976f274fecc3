using System.Buffers.Binary;

namespace Godwit.Oracle.Tests.Images;

/// <summary>An ELF of one segment: the runtime, a field of code, the records.</summary>
internal sealed class GuestImage
{
    public const ulong RamBase = 0x80000000;
    private const int FieldOffset = 0x2000;
    private const int HeaderSize = 0x1000;
    private const ushort Breakpoint = 0x9002;
    private const uint Ecall = 0x73;

    private readonly byte[] _memory;
    private readonly int _recordsOffset;

    /// <param name="pitch">Bytes of code from a case to the next.</param>
    /// <param name="margin">Bytes before the first case's code and after the last's, for far jumps.</param>
    public GuestImage(string name, int count, int pitch, int margin, Func<CasePlace, OracleCase> generate)
    {
        Name = name;
        var fieldSize = (2 * margin) + (count * pitch);
        _recordsOffset = (FieldOffset + fieldSize + 0x1fff) / 0x1000 * 0x1000 + CaseRecord.FirstOffset;
        _memory = new byte[_recordsOffset + (count * CaseRecord.Size)];
        var runtime = Runtime.Build(RamBase + (ulong)_recordsOffset, count);
        if (runtime.Length > FieldOffset)
            throw new InvalidOperationException("the runtime runs into the code");
        runtime.CopyTo(_memory, 0);
        for (var at = FieldOffset; at < FieldOffset + fieldSize; at += 2)
            BinaryPrimitives.WriteUInt16LittleEndian(_memory.AsSpan(at), Breakpoint);
        var cases = new OracleCase[count];
        for (var i = 0; i < count; i++)
        {
            var code = FieldOffset + margin + (i * pitch);
            var place = new CasePlace(i, RamBase + (ulong)code, RamBase + (ulong)RecordOffset(i), RamBase + FieldOffset, RamBase + (ulong)(FieldOffset + fieldSize));
            cases[i] = generate(place);
            Write(cases[i], place, code, pitch);
        }

        Cases = cases;
    }

    public string Name { get; }

    public IReadOnlyList<OracleCase> Cases { get; }

    /// <summary>Offset in guest memory of a case's record.</summary>
    public int RecordOffset(int index) => _recordsOffset + (index * CaseRecord.Size);

    public void Save(string path)
    {
        using var file = File.Create(path);
        Span<byte> header = stackalloc byte[HeaderSize];
        header.Clear();
        new byte[] { 0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1 }.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header[16..], 2);
        BinaryPrimitives.WriteUInt16LittleEndian(header[18..], 243);
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], 1);
        BinaryPrimitives.WriteUInt64LittleEndian(header[24..], RamBase);
        BinaryPrimitives.WriteUInt64LittleEndian(header[32..], 64);
        // RVC, double-precision floating point.
        BinaryPrimitives.WriteUInt32LittleEndian(header[48..], 5);
        BinaryPrimitives.WriteUInt16LittleEndian(header[52..], 64);
        BinaryPrimitives.WriteUInt16LittleEndian(header[54..], 56);
        BinaryPrimitives.WriteUInt16LittleEndian(header[56..], 1);
        BinaryPrimitives.WriteUInt16LittleEndian(header[58..], 64);
        var segment = header[64..];
        BinaryPrimitives.WriteUInt32LittleEndian(segment, 1);
        BinaryPrimitives.WriteUInt32LittleEndian(segment[4..], 7);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[8..], HeaderSize);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[16..], RamBase);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[24..], RamBase);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[32..], (ulong)_memory.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[40..], (ulong)_memory.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[48..], 0x1000);
        file.Write(header);
        file.Write(_memory);
    }

    private void Write(OracleCase item, in CasePlace place, int code, int pitch)
    {
        var length = item.CodeLength;
        if (length + 4 > pitch)
            throw new InvalidOperationException($"case {place.Index} has {length} bytes of code");
        for (var i = 0; i < item.Code.Count; i++)
            BinaryPrimitives.WriteUInt16LittleEndian(_memory.AsSpan(code + (2 * i)), item.Code[i]);
        BinaryPrimitives.WriteUInt32LittleEndian(_memory.AsSpan(code + length), Ecall);
        var record = _memory.AsSpan(RecordOffset(place.Index), CaseRecord.Size);
        for (var i = 1; i < 32; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(record[(CaseRecord.X + (8 * i))..], item.X[i]);
        for (var i = 0; i < 32; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(record[(CaseRecord.F + (8 * i))..], item.F[i]);
        BinaryPrimitives.WriteUInt64LittleEndian(record[CaseRecord.Entry..], place.Code);
        BinaryPrimitives.WriteUInt64LittleEndian(record[CaseRecord.Fcsr..], item.Fcsr);
        BinaryPrimitives.WriteUInt64LittleEndian(record[CaseRecord.Status..], item.Status);
        BinaryPrimitives.WriteUInt64LittleEndian(record[CaseRecord.Start..], place.Code);
        BinaryPrimitives.WriteUInt64LittleEndian(record[CaseRecord.End..], place.Code + (ulong)length);
        item.Scratch.CopyTo(record[CaseRecord.Scratch..]);
    }
}

using System.Buffers.Binary;

namespace Godwit.Machine.Virt.Loading;

/// <summary>A RISC-V ELF file of 64 bits: its segments, and what QEMU makes of them (<c>include/hw/elf_ops.h.inc</c>).</summary>
/// <param name="Entry">Physical address of the entry.</param>
/// <param name="Low">The lowest address of a segment.</param>
/// <param name="High">The first address after all of them.</param>
/// <param name="Segments">What is loaded.</param>
internal sealed record ElfImage(ulong Entry, ulong Low, ulong High, IReadOnlyList<RomBlob> Segments)
{
    private const int HeaderLength = 64, ProgramHeaderLength = 56, MaxSegments = 256;
    private const byte Class64 = 2, LittleEndian = 1;
    private const ushort Riscv = 243;
    private const uint Load = 1;

    private readonly record struct Segment(ulong Offset, ulong Virtual, ulong Physical, ulong FileSize, ulong MemorySize)
    {
        public ulong End => Physical + MemorySize;
    }

    public static bool IsElf(ReadOnlySpan<byte> bytes) => bytes.StartsWith("\u007fELF"u8);

    /// <param name="what">What the file is to the machine, and its path, for messages.</param>
    /// <exception cref="LoadException">It is for another machine, malformed, or loads nothing.</exception>
    public static ElfImage Parse(string what, ReadOnlyMemory<byte> file)
    {
        var bytes = file.Span;
        if (bytes.Length < HeaderLength)
            throw new LoadException($"{what} is a truncated ELF file");
        var machine = BinaryPrimitives.ReadUInt16LittleEndian(bytes[18..]);
        if (bytes[5] != LittleEndian)
            throw new LoadException($"{what} is a big-endian ELF file: the machine is a 64-bit RISC-V, which is little-endian");
        if (machine != Riscv)
            throw new LoadException($"{what} is an ELF file for {MachineName(machine)}: the machine is a 64-bit RISC-V");
        if (bytes[4] != Class64)
            throw new LoadException($"{what} is a 32-bit ELF file: the machine is a 64-bit RISC-V");

        var segments = ReadSegments(what, bytes);
        var blobs = new List<RomBlob>();
        foreach (var segment in segments)
        {
            // Zeros that reach into another segment are that segment's to define.
            var clash = segments.Exists(s => s != segment && s.Physical < segment.End && segment.Physical + segment.FileSize < s.End);
            var length = clash ? segment.FileSize : segment.MemorySize;
            if (length > 0)
                blobs.Add(new RomBlob(what, segment.Physical, file.Slice((int)segment.Offset, (int)segment.FileSize), length));
        }

        if (blobs.Count == 0)
            throw new LoadException($"{what} is an ELF file with nothing to load");
        return new ElfImage(Physical(BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]), segments), blobs.Min(b => b.Address), blobs.Max(b => b.End), blobs);
    }

    private static List<Segment> ReadSegments(string what, ReadOnlySpan<byte> bytes)
    {
        var offset = BinaryPrimitives.ReadUInt64LittleEndian(bytes[32..]);
        var size = BinaryPrimitives.ReadUInt16LittleEndian(bytes[54..]);
        var count = BinaryPrimitives.ReadUInt16LittleEndian(bytes[56..]);
        if (count > 0 && (size != ProgramHeaderLength || offset > (ulong)bytes.Length || (ulong)count * ProgramHeaderLength > (ulong)bytes.Length - offset))
            throw new LoadException($"{what} is a malformed ELF file: its {count} program headers don't lie in the file");
        var segments = new List<Segment>();
        for (var i = 0; i < count; i++)
        {
            var header = bytes.Slice((int)offset + i * ProgramHeaderLength, ProgramHeaderLength);
            if (BinaryPrimitives.ReadUInt32LittleEndian(header) != Load)
                continue;
            var segment = new Segment(
                BinaryPrimitives.ReadUInt64LittleEndian(header[8..]), BinaryPrimitives.ReadUInt64LittleEndian(header[16..]),
                BinaryPrimitives.ReadUInt64LittleEndian(header[24..]), BinaryPrimitives.ReadUInt64LittleEndian(header[32..]),
                BinaryPrimitives.ReadUInt64LittleEndian(header[40..]));
            if (segment.FileSize > segment.MemorySize || segment.Physical > ulong.MaxValue - segment.MemorySize
                || segment.Offset > (ulong)bytes.Length || segment.FileSize > (ulong)bytes.Length - segment.Offset)
                throw new LoadException($"{what} is a malformed ELF file: segment {i} ({segment.FileSize} bytes at {segment.Offset}) doesn't lie in the file, or in its memory");
            if (segments.Count == MaxSegments)
                throw new LoadException($"{what} is an ELF file with more than {MaxSegments} segments");
            segments.Add(segment);
        }

        return segments;
    }

    private static ulong Physical(ulong entry, List<Segment> segments)
    {
        foreach (var s in segments)
        {
            if (s.Virtual != s.Physical && entry >= s.Virtual && entry - s.Virtual < s.FileSize)
                return entry - s.Virtual + s.Physical;
        }

        return entry;
    }

    private static string MachineName(ushort machine) => machine switch
    {
        3 => "x86 (32-bit)",
        8 => "MIPS",
        20 => "PowerPC",
        21 => "PowerPC64",
        22 => "s390",
        40 => "ARM (32-bit)",
        62 => "x86-64",
        183 => "AArch64",
        258 => "LoongArch",
        _ => $"machine type {machine}",
    };
}

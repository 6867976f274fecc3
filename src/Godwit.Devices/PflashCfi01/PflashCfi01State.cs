namespace Godwit.Devices.PflashCfi01;

/// <summary>What a migration carries of a flash besides its contents (QEMU: <c>pflash_cfi01</c>, version 1, and its subsection
/// <c>pflash_cfi01_blk_write</c>; <c>hw/block/pflash_cfi01.c</c>).</summary>
public sealed class PflashCfi01State
{
    /// <summary>No block is being written.</summary>
    public const uint NoBlock = uint.MaxValue;

    /// <summary>Which write of a command comes next.</summary>
    public byte Wcycle { get; set; }

    /// <summary>The command; 0 is read array.</summary>
    public byte Cmd { get; set; }

    public byte Status { get; set; }

    /// <summary>How many writes a buffered write still takes.</summary>
    public ulong Counter { get; set; }

    /// <summary>The buffer of a buffered write.</summary>
    public byte[] BlkBytes { get; } = new byte[PflashCfi01Device.WriteBlockSize];

    /// <summary>Where the buffer's block starts in the flash; <see cref="NoBlock"/> when none is being written.</summary>
    public uint BlkOffset { get; set; } = NoBlock;
}

using Godwit.Wire.MappedRam;

namespace Godwit.Wire.Ram;

/// <summary>
/// A RAM block as the RAM section's START lists it. Source: QEMU migration/ram.c, ram_save_setup.
/// <code>
/// | be64 sum of lengths, flag 0x004 |  then until the lengths reach the sum:
/// | len 8 | idstr | be64 length | be64 page size * | be64 guest address ** | MappedRamHeader and what belongs to it *** |
/// * where postcopy is advised and the block's pages aren't the larger of host page and target page    ** with x-ignore-shared    *** with mapped-ram
/// </code>
/// </summary>
/// <param name="Index">Its place in the list.</param>
/// <param name="Length">Bytes in use.</param>
public sealed record RamBlock(int Index, string Name, ulong Length)
{
    /// <summary>The longest entry: idstr, length, page size, address, mapped-ram header.</summary>
    public const int MaxEntryLength = 256 + 8 + 8 + 8 + MappedRamHeader.Length;

    /// <summary>Bytes a host page, where the stream says it.</summary>
    public ulong? PageSize { get; init; }

    /// <summary>Guest physical address, where the stream says it.</summary>
    public ulong? Address { get; init; }

    /// <summary>Where its pages are in the file, with mapped-ram.</summary>
    public MappedRamHeader? Mapped { get; init; }

    internal byte[] NameBytes { get; } = System.Text.Encoding.ASCII.GetBytes(Name);

    /// <param name="name">An idstr as it came.</param>
    public bool HasName(ReadOnlySpan<byte> name) => name.SequenceEqual(NameBytes);

    public ulong Pages(int pageBits) => (Length + (1UL << pageBits) - 1) >> pageBits;

    /// <summary>Writes the entry as a stream without postcopy advice has it.</summary>
    public void Write(ref WireWriter writer)
    {
        writer.Counted(Name);
        writer.UInt64(Length);
        if (Address is { } address)
            writer.UInt64(address);
        Mapped?.Write(ref writer);
    }
}

using Godwit.Memory;

namespace Godwit.Machine.Virt.Loading;

/// <summary>Bytes that stand in memory whenever the machine is reset (QEMU: <c>Rom</c>).</summary>
/// <param name="Name">For messages: what it is and the file it came from.</param>
/// <param name="Address">Physical.</param>
/// <param name="Length">In bytes; zeros follow the data up to there.</param>
public sealed record RomBlob(string Name, ulong Address, ReadOnlyMemory<byte> Data, ulong Length)
{
    public RomBlob(string name, ulong address, ReadOnlyMemory<byte> data)
        : this(name, address, data, (ulong)data.Length)
    {
    }

    /// <summary>The first address after it.</summary>
    public ulong End => Address + Length;

    /// <summary>Writes it, into RAM and into ROM.</summary>
    /// <exception cref="LoadException">There is no memory for all of it.</exception>
    public void Install(AddressSpace memory)
    {
        ReadOnlySpan<byte> zeros = new byte[GuestPage.Size];
        Write(memory, Address, Data.Span);
        for (var at = Address + (ulong)Data.Length; at < End;)
        {
            var length = (int)Math.Min(GuestPage.Size, End - at);
            Write(memory, at, zeros[..length]);
            at += (ulong)length;
        }
    }

    private void Write(AddressSpace memory, ulong address, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            if (memory.Find(address) is not { Ram: { } ram } region)
                throw new LoadException($"{Name}: there is no memory at {address:x}");
            var length = (int)Math.Min((ulong)bytes.Length, region.Length - (address - region.Start));
            bytes[..length].CopyTo(ram.Write(region.RamOffset + (address - region.Start), length));
            bytes = bytes[length..];
            address += (ulong)length;
        }
    }
}

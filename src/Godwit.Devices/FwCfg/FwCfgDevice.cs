using System.Buffers.Binary;
using System.Text;
using Godwit.Memory;

namespace Godwit.Devices.FwCfg;

/// <summary>What the machine tells its firmware: a data register, a selector and DMA, all big-endian (QEMU: <c>fw_cfg_mem</c>,
/// <c>hw/nvram/fw_cfg.c</c>; <c>docs/specs/fw_cfg.rst</c>).</summary>
public sealed class FwCfgDevice : IMmioDevice, IResettable
{
    /// <summary>The range's length in bytes.</summary>
    public const ulong RegionSize = 0x18;

    private const ulong Data = 0, Selector = 8, Dma = 16, DmaLow = 20;
    private const uint VersionWithDma = 3;
    private const ulong DmaSignature = 0x51454d5520434647;
    private const int Chunk = 4096;

    private readonly AddressSpace _memory;
    private readonly FwCfgEntries _entries = new();

    /// <param name="memory">Where DMA goes.</param>
    /// <param name="cpus">How many harts there are.</param>
    /// <param name="uuid">The machine's.</param>
    public FwCfgDevice(AddressSpace memory, int cpus, Guid uuid = default)
    {
        _memory = memory;
        Add(FwCfgKey.Signature, "QEMU"u8.ToArray());
        Add(FwCfgKey.Id, VersionWithDma);
        Add(FwCfgKey.Uuid, uuid.ToByteArray(bigEndian: true));
        // Little-endian 16-bit numbers: no graphics is QEMU's -nographic.
        Add(FwCfgKey.NoGraphic, [1, 0]);
        Add(FwCfgKey.BootMenu, [0, 0]);
        Add(FwCfgKey.NbCpus, [(byte)cpus, (byte)(cpus >> 8)]);
        // QEMU has these on every board that doesn't sort its files in an old way.
        AddFile("etc/boot-fail-wait", [0xff, 0xff, 0xff, 0xff]);
        AddFile("bootorder", []);
        AddFile("bios-geometry", []);
        Reset();
    }

    public string Name => "fw_cfg_mem";

    public AccessSizes Sizes => new(1, 8, 1, 8);

    public FwCfgState State { get; } = new();

    /// <exception cref="ArgumentException">The key is taken, or there can't be such a key.</exception>
    public void Add(FwCfgKey key, byte[] bytes) => _entries.Add((ushort)key, bytes);

    /// <summary>Adds a 32-bit number.</summary>
    /// <exception cref="ArgumentException">The key is taken, or there can't be such a key.</exception>
    public void Add(FwCfgKey key, uint value)
    {
        var bytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        Add(key, bytes);
    }

    /// <summary>Adds a text and the 0 that ends it.</summary>
    /// <exception cref="ArgumentException">The key is taken, or there can't be such a key.</exception>
    public void Add(FwCfgKey key, string text) => Add(key, Encoding.UTF8.GetBytes(text + "\0"));

    /// <summary>Adds a file to the directory.</summary>
    /// <exception cref="ArgumentException">The name is too long or taken, or there are too many files.</exception>
    public void AddFile(string name, byte[] bytes) => _entries.AddFile(name, bytes);

    public bool Accepts(ulong offset, int size, bool isWrite) => offset switch
    {
        Data => true,
        < Selector => false,
        Selector => isWrite && size == sizeof(ushort),
        >= Dma => offset - Dma + (ulong)size <= sizeof(ulong) && (!isWrite || (size >= sizeof(uint) && offset % sizeof(uint) == 0)),
        _ => false,
    };

    public ulong Read(ulong offset, int size)
    {
        if (offset >= Dma)
            return BinaryPrimitives.ReverseEndianness(DmaSignature) >> (int)((offset - Dma) * 8);
        if (offset >= Selector)
            return 0;
        // The entry's next bytes in their order, zeroes when it ends.
        var rest = Rest(size);
        ulong value = 0;
        for (var i = 0; i < rest.Length; i++)
            value |= (ulong)rest[i] << (8 * i);
        State.CurOffset += (uint)rest.Length;
        return value;
    }

    public void Write(ulong offset, int size, ulong value)
    {
        switch (offset)
        {
            case Selector:
                Select(BinaryPrimitives.ReverseEndianness((ushort)value));
                break;
            case Dma when size == sizeof(ulong):
                State.DmaAddr = BinaryPrimitives.ReverseEndianness(value);
                Transfer();
                break;
            case Dma:
                State.DmaAddr = (ulong)BinaryPrimitives.ReverseEndianness((uint)value) << 32;
                break;
            case DmaLow:
                State.DmaAddr |= BinaryPrimitives.ReverseEndianness((uint)value);
                Transfer();
                break;
        }
    }

    public void Reset() => Select((ushort)FwCfgKey.Signature);

    private void Select(ushort key)
    {
        State.CurOffset = 0;
        State.CurEntry = FwCfgEntries.IsKey(key) ? key : (ushort)FwCfgKey.Invalid;
    }

    private ReadOnlySpan<byte> Rest(long length)
    {
        var entry = _entries[State.CurEntry];
        var offset = (int)Math.Min(State.CurOffset, (uint)entry.Length);
        return entry.Slice(offset, (int)Math.Min(length, entry.Length - offset));
    }

    private void Transfer()
    {
        var descriptor = State.DmaAddr;
        State.DmaAddr = 0;
        Span<byte> bytes = stackalloc byte[DmaAccess.Size];
        var control = _memory.TryRead(descriptor, bytes) && Transfer(DmaAccess.Parse(bytes)) ? DmaControl.None : DmaControl.Error;
        BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)control);
        _memory.TryWrite(descriptor, bytes[..sizeof(uint)]);
    }

    private bool Transfer(DmaAccess access)
    {
        if (access.Control.HasFlag(DmaControl.Select))
            Select(access.Key);
        if (access.Control.HasFlag(DmaControl.Read))
            return ReadInto(access.Address, access.Length);
        if (access.Control.HasFlag(DmaControl.Write))
        {
            // No entry here takes writes; the offset moves on as if it had been tried.
            State.CurOffset += (uint)Rest(access.Length).Length;
            return access.Length == 0;
        }

        if (access.Control.HasFlag(DmaControl.Skip))
            State.CurOffset += (uint)Rest(access.Length).Length;
        return true;
    }

    private bool ReadInto(ulong address, uint length)
    {
        var rest = Rest(length);
        State.CurOffset += (uint)rest.Length;
        if (!_memory.TryWrite(address, rest))
            return false;
        Span<byte> zeroes = stackalloc byte[Chunk];
        zeroes.Clear();
        for (var done = (ulong)rest.Length; done < length;)
        {
            var chunk = (int)Math.Min(Chunk, length - done);
            if (!_memory.TryWrite(address + done, zeroes[..chunk]))
                return false;
            done += (ulong)chunk;
        }

        return true;
    }

    [Flags]
    private enum DmaControl : uint
    {
        None = 0,
        Error = 1,
        Read = 2,
        Skip = 4,
        Select = 8,
        Write = 16,
    }

    /// <summary>What the guest asks of DMA: control (the key in its upper half), length, address.</summary>
    private readonly record struct DmaAccess(DmaControl Control, ushort Key, uint Length, ulong Address)
    {
        public const int Size = 16;

        public static DmaAccess Parse(ReadOnlySpan<byte> bytes)
        {
            var control = BinaryPrimitives.ReadUInt32BigEndian(bytes);
            return new DmaAccess((DmaControl)(ushort)control, (ushort)(control >> 16), BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]),
                BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
        }
    }
}

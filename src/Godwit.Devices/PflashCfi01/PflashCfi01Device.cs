using System.Buffers.Binary;
using Godwit.Memory;

namespace Godwit.Devices.PflashCfi01;

/// <summary>NOR flash with Intel's commands: two 16-bit chips side by side, as the <c>virt</c> board has it
/// (QEMU: <c>cfi.pflash01</c>, <c>hw/block/pflash_cfi01.c</c>; figures of <c>hw/riscv/virt.c</c>).</summary>
public sealed class PflashCfi01Device : IMmioDevice, IResettable
{
    /// <summary>A bank's length in bytes.</summary>
    public const ulong RegionSize = 32 << 20;

    /// <summary>The write buffer of both chips, in bytes.</summary>
    public const int WriteBlockSize = Chips << WriteBufferBits;

    private const int Chips = 2, WriteBufferBits = 11;
    private const int SectorLength = 256 << 10;
    private const byte Manufacturer = 0x89, DeviceCode = 0x18;
    private const int BankWidth = 4;

    private const byte Ready = 0x80, ProgramError = 0x10;

    private static readonly byte[] Cfi = CfiTable.Create((int)RegionSize / SectorLength, SectorLength / Chips, WriteBufferBits);

    private readonly RamBlock _storage;

    /// <param name="storage">The contents: <c>virt.flash0</c> or <c>virt.flash1</c>, <see cref="RegionSize"/> long.</param>
    public PflashCfi01Device(RamBlock storage)
    {
        if (storage.Length != RegionSize)
            throw new ArgumentException($"RAM block {storage.IdStr} has {storage.Length} bytes, a flash bank {RegionSize}", nameof(storage));
        _storage = storage;
        Reset();
    }

    public string Name => "cfi.pflash01";

    public AccessSizes Sizes => new(1, 8, Unaligned: true);

    public PflashCfi01State State { get; } = new();

    private bool IsReadArray => State is { Wcycle: 0, Cmd: (byte)Command.ReadArrayAtReset };

    // While it is read as memory it takes what memory takes.
    public bool Accepts(ulong offset, int size, bool isWrite) => (offset & ((ulong)size - 1)) == 0 || (!isWrite && IsReadArray);

    public ulong Read(ulong offset, int size)
    {
        switch ((Command)State.Cmd)
        {
            case Command.ProgramWord:
            case Command.Erase:
            case Command.EraseAlternative:
            case Command.ProgramWordAlternative:
            case Command.ClearStatus:
            case Command.Lock:
            case Command.ReadStatus:
            case Command.WriteToBuffer:
                return size > sizeof(ushort) ? OfBothChips(State.Status) : State.Status;
            case Command.ReadIdentifier:
                return OfBothChips(((offset / BankWidth) & 0xff) switch { 0 => Manufacturer, 1 => DeviceCode, _ => 0 });
            case Command.Query:
                var entry = offset / BankWidth;
                return OfBothChips(entry < (ulong)Cfi.Length ? Cfi[entry] : (byte)0);
            default:
                State.Wcycle = 0;
                State.Cmd = (byte)Command.ReadArrayAtReset;
                return ReadLittleEndian(_storage.Read(offset, size));
        }
    }

    public void Write(ulong offset, int size, ulong value)
    {
        switch (State.Wcycle)
        {
            case 0:
                FirstWrite(offset, (byte)value);
                break;
            case 1:
                SecondWrite(offset, size, (uint)value);
                break;
            case 2 when State.Cmd == (byte)Command.WriteToBuffer:
                BufferWrite(offset, size, (uint)value);
                break;
            case 3 when State.Cmd == (byte)Command.WriteToBuffer:
                ConfirmBuffer((byte)value);
                break;
            default:
                State.BlkOffset = State.Wcycle == 3 ? PflashCfi01State.NoBlock : State.BlkOffset;
                ReadArray();
                break;
        }
    }

    /// <summary>The contents stay.</summary>
    public void Reset()
    {
        ReadArray();
        State.Status = Ready;
        State.BlkOffset = PflashCfi01State.NoBlock;
    }

    /// <summary>Goes on from <see cref="State"/>.</summary>
    /// <exception cref="InvalidDataException">The state can't be a flash's.</exception>
    public void AfterLoad()
    {
        if (State.BlkOffset != PflashCfi01State.NoBlock && (State.BlkOffset % WriteBlockSize != 0 || State.BlkOffset >= RegionSize))
            throw new InvalidDataException($"pflash_cfi01: no write block at {State.BlkOffset:x}");
    }

    private static uint OfBothChips(byte value) => value | ((uint)value << 16);

    private static uint ReadLittleEndian(ReadOnlySpan<byte> bytes) => bytes.Length switch
    {
        1 => bytes[0],
        2 => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
        _ => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
    };

    private static void WriteLittleEndian(Span<byte> bytes, uint value)
    {
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = (byte)(value >> (8 * i));
    }

    private void ReadArray()
    {
        State.Wcycle = 0;
        State.Cmd = (byte)Command.ReadArrayAtReset;
    }

    private void FirstWrite(ulong offset, byte command)
    {
        switch ((Command)command)
        {
            case Command.ProgramWord:
            case Command.ProgramWordAlternative:
            case Command.Lock:
            case Command.Query:
                break;
            case Command.Erase:
                // Before it is confirmed, as in QEMU.
                _storage.Write(offset & ~(SectorLength - 1UL), SectorLength).Fill(0xff);
                State.Status |= Ready;
                break;
            case Command.ReadStatus:
            case Command.ReadIdentifier:
                State.Cmd = command;
                return;
            case Command.WriteToBuffer:
                State.Status |= Ready;
                break;
            case Command.ClearStatus:
                State.Status = 0;
                ReadArray();
                return;
            default:
                ReadArray();
                return;
        }

        State.Wcycle = 1;
        State.Cmd = command;
    }

    private void SecondWrite(ulong offset, int size, uint value)
    {
        const byte confirm = 0xd0, setLock = 0x01;
        var command = (byte)value;
        switch ((Command)State.Cmd)
        {
            case Command.ProgramWord:
            case Command.ProgramWordAlternative:
                Program(offset, size, value);
                State.Status |= Ready;
                State.Wcycle = 0;
                break;
            case Command.Erase when command == confirm:
            case Command.EraseAlternative when command == confirm:
            case Command.Lock when command is confirm or setLock:
                State.Wcycle = 0;
                State.Status |= Ready;
                break;
            case Command.WriteToBuffer:
                State.Counter = (ushort)value;
                State.Wcycle = 2;
                break;
            case Command.Query when command != (byte)Command.ReadArray:
                break;
            default:
                ReadArray();
                break;
        }
    }

    private void BufferWrite(ulong offset, int size, uint value)
    {
        if (State.BlkOffset == PflashCfi01State.NoBlock && State.Counter != 0)
        {
            State.BlkOffset = (uint)offset & ~(WriteBlockSize - 1u);
            _storage.Read(State.BlkOffset, WriteBlockSize).CopyTo(State.BlkBytes);
        }

        if (State.BlkOffset != PflashCfi01State.NoBlock)
            Program(offset, size, value);
        else
            State.Status |= ProgramError;
        State.Status |= Ready;
        if (State.Counter == 0)
            State.Wcycle = 3;
        else
            State.Counter--;
    }

    private void ConfirmBuffer(byte command)
    {
        const byte confirm = 0xd0;
        if (command == confirm && (State.Status & ProgramError) == 0 && State.BlkOffset != PflashCfi01State.NoBlock)
        {
            State.BlkBytes.CopyTo(_storage.Write(State.BlkOffset, WriteBlockSize));
            State.BlkOffset = PflashCfi01State.NoBlock;
            State.Wcycle = 0;
            State.Status |= Ready;
            return;
        }

        State.BlkOffset = PflashCfi01State.NoBlock;
        ReadArray();
    }

    private void Program(ulong offset, int size, uint value)
    {
        if (State.BlkOffset == PflashCfi01State.NoBlock)
        {
            WriteLittleEndian(_storage.Write(offset, size), value);
            return;
        }

        var inBlock = offset - State.BlkOffset;
        if (offset < State.BlkOffset || inBlock + (ulong)size > WriteBlockSize)
            State.Status |= ProgramError;
        else
            WriteLittleEndian(State.BlkBytes.AsSpan((int)inBlock, size), value);
    }

    private enum Command : byte
    {
        ReadArrayAtReset = 0x00,
        ProgramWord = 0x10,
        Erase = 0x20,
        EraseAlternative = 0x28,
        ProgramWordAlternative = 0x40,
        ClearStatus = 0x50,
        Lock = 0x60,
        ReadStatus = 0x70,
        ReadIdentifier = 0x90,
        Query = 0x98,
        WriteToBuffer = 0xe8,
        ReadArray = 0xff,
    }
}

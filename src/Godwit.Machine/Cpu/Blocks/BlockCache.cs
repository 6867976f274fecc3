using System.Runtime.CompilerServices;
using Godwit.Machine.Cpu.Decode;
using Godwit.Machine.Cpu.Translation;
using Godwit.Memory;

namespace Godwit.Machine.Cpu.Blocks;

/// <summary>A hart's decoded blocks: first by virtual address, behind that by physical address. As the architecture allows, a store to code
/// is seen by this hart's fetches only after fence.i; then each block is compared with memory before it is used again.</summary>
internal sealed class BlockCache(HartState state, Mmu mmu, AddressSpace memory, Decoder decoder)
{
    private const int Entries = 1 << 12;
    private const int PhysicalEntries = 1 << 17;
    private const ulong Modes = 4;

    private readonly Entry[] _byAddress = new Entry[Entries];
    private readonly Block?[] _byPhysical = new Block?[PhysicalEntries];
    private readonly Instruction[] _building = new Instruction[Block.MaxInstructions + 1];
    private uint _generation;
    private MemoryRegion? _lastRegion;

    // A number for each period between two changes of translations, a multiple of Modes. None is 0, as in an empty entry.
    private ulong _translations = Modes;

    /// <summary>
    /// <code>
    /// Address  virtual
    /// Space    _translations, and the privilege mode
    /// Code     the block's, to be found without touching that
    /// </code>
    /// </summary>
    private struct Entry
    {
        public ulong Address;
        public ulong Space;
        public Instruction[] Code;
        public Block Block;
    }

    private ulong Space => _translations + (ulong)state.Priv;

    /// <summary>Forgets which block is at which virtual address: translations changed.</summary>
    public void ForgetAddresses() => _translations += Modes;

    /// <summary>fence.i: code may have changed.</summary>
    public void Synchronize()
    {
        _generation++;
        ForgetAddresses();
    }

    /// <summary>The code of the block at an address, if that was used since the last change of translations.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryFind(ulong pc, out Instruction[] code)
    {
        ref var entry = ref _byAddress[Index(pc)];
        code = entry.Code;
        return entry.Address == pc && entry.Space == Space;
    }

    /// <summary>The block at an address, decoded now if need be, for <see cref="TryFind"/>.</summary>
    /// <returns>Its code, or null: the fetch failed, and the MMU has the reason.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public Instruction[]? Load(ulong pc)
    {
        if (!mmu.TryFetch(pc, out var physical))
            return null;
        var block = _byPhysical[PhysicalIndex(physical)];
        if (block is null || block.Physical != physical || (block.Generation != _generation && !IsCurrent(block, physical)))
        {
            block = Decode(pc, physical);
            if (block is null)
                return null;
        }

        block.Generation = _generation;
        ref var entry = ref _byAddress[Index(pc)];
        entry.Address = pc;
        entry.Space = Space;
        entry.Code = block.Code;
        entry.Block = block;
        return block.Code;
    }

    /// <summary>The bits of an instruction of the block that is being executed.</summary>
    /// <param name="start">Where that starts.</param>
    public uint RawBits(ulong start, in Instruction i) => _byAddress[Index(start)].Block.RawBits(in i);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Index(ulong pc) => (int)(pc >> 1) & (Entries - 1);

    private static int PhysicalIndex(ulong physical) => (int)(physical >> 1) & (PhysicalEntries - 1);

    private bool IsCurrent(Block block, ulong physical)
    {
        Span<byte> now = stackalloc byte[Block.MaxBytes];
        now = now[..block.Raw.Length];
        return TryRead(physical, now) && now.SequenceEqual(block.Raw);
    }

    private Block? Decode(ulong pc, ulong physical)
    {
        Span<byte> bytes = stackalloc byte[Block.MaxBytes];
        var room = (int)(GuestPage.Size - (physical & GuestPage.OffsetMask));
        var page = bytes[..Math.Min(bytes.Length, room)];
        if (!TryRead(physical, page))
        {
            _ = mmu.Fail(ExceptionCause.InstructionAccessFault, pc);
            return null;
        }

        // Protection may end within the page: then each instruction is asked for on its own.
        if (!mmu.Pmp.IsUniform(physical & ~GuestPage.OffsetMask, GuestPage.Size))
            return DecodeAlone(pc, physical, page);
        int count = 0, length = 0;
        while (count < Block.MaxInstructions && length + 2 <= page.Length)
        {
            uint word = BitConverter.ToUInt16(page[length..]);
            if ((word & 3) == 3)
            {
                if (length + 4 > page.Length)
                    break;
                word = BitConverter.ToUInt32(page[length..]);
            }

            _building[count] = decoder.Decode(word, length);
            _building[count].Index = (byte)count;
            length += _building[count].Length;
            if (_building[count++].EndsBlock)
                break;
        }

        if (count == 0)
            return DecodeAlone(pc, physical, page);
        return _byPhysical[PhysicalIndex(physical)] = new Block(physical, Terminated(count, length), page[..length].ToArray());
    }

    /// <summary>One instruction, whose halves may be in two pages or under two protections: they may be elsewhere, or forbidden, when
    /// translations change, so only the virtual address knows it.</summary>
    private Block? DecodeAlone(ulong pc, ulong physical, ReadOnlySpan<byte> firstHalf)
    {
        Span<byte> bytes = stackalloc byte[4];
        firstHalf[..2].CopyTo(bytes);
        if ((bytes[0] & 3) != 3)
        {
            bytes = bytes[..2];
        }
        else if (!mmu.TryFetch(pc + 2, out var second))
        {
            return null;
        }
        else if (!TryRead(second, bytes[2..]))
        {
            _ = mmu.Fail(ExceptionCause.InstructionAccessFault, pc + 2);
            return null;
        }

        _building[0] = decoder.Decode(bytes.Length == 2 ? BitConverter.ToUInt16(bytes) : BitConverter.ToUInt32(bytes), 0);
        _building[0].Index = 0;
        return new Block(physical, Terminated(1, bytes.Length), bytes.ToArray());
    }

    /// <summary>The instructions that were built, the last of which ends the block.</summary>
    private Instruction[] Terminated(int count, int length)
    {
        if (!_building[count - 1].EndsBlock)
            _building[count++] = new Instruction { Opcode = Opcode.End, Index = (byte)(count - 1), Next = (byte)length, Imm = length };
        return _building.AsSpan(0, count).ToArray();
    }

    private bool TryRead(ulong physical, Span<byte> bytes)
    {
        if (_lastRegion is not { } region || !region.Contains(physical, (ulong)bytes.Length))
            _lastRegion = region = memory.Find(physical)!;
        if (region?.Ram is null)
            return TryReadDevice(physical, bytes);
        return memory.TryRead(physical, bytes);
    }

    /// <summary>Code in flash.</summary>
    private bool TryReadDevice(ulong physical, Span<byte> bytes)
    {
        for (var n = 0; n < bytes.Length; n += 2)
        {
            if (!memory.TryLoadDevice(physical + (ulong)n, 2, out var half))
                return false;
            BitConverter.TryWriteBytes(bytes[n..], (ushort)half);
        }

        return true;
    }
}

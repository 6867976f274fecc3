using Godwit.Memory;
using Godwit.Migration.Channels;
using Godwit.Wire;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;
using RamBlock = Godwit.Memory.RamBlock;

namespace Godwit.Migration.Destination;

/// <summary>Guest memory's section: its blocks are matched with the machine's, its pages written where they belong.
/// Source of the rules: QEMU migration/ram.c, parse_ramblock and ram_load_precopy.</summary>
internal sealed class RamLoader : IDisposable
{
    /// <summary>Blocks of this name are resizable in QEMU: firmware tables, whose size is the source's affair.</summary>
    private const string Resizable = "/rom@";

    private readonly IReadOnlyList<RamBlock> _machine;
    private readonly StreamInput _input;
    private readonly MemoryAhead _population;
    private readonly PageRun _run;
    private readonly List<(RamBlock Memory, PageSet Came, ulong Start)> _blocks = [];

    private IReadOnlyList<RamBlock>? _listed;

    public RamLoader(IReadOnlyList<RamBlock> blocks, StreamInput input, MemoryAhead population)
    {
        _machine = blocks;
        _input = input;
        _population = population;
        _run = new PageRun(input, population);
    }

    /// <summary>What the source has listed; null until the list has ended. For any thread.</summary>
    public IReadOnlyList<RamBlock>? Listed => Volatile.Read(ref _listed);

    /// <summary>The list of blocks is whole.</summary>
    public void EndList() => Volatile.Write(ref _listed, [.. _blocks.Select(b => b.Memory)]);

    /// <summary>Takes an entry of the block list.</summary>
    /// <returns>The machine's.</returns>
    public RamBlock AddBlock(in StreamElement element)
    {
        var listed = element.Block!;
        var block = _machine.FirstOrDefault(b => string.Equals(b.IdStr, listed.Name, StringComparison.Ordinal))
            ?? throw Error(element, "block idstr", $"this machine has no RAM block '{listed.Name}'");
        var fits = listed.Name.Contains(Resizable, StringComparison.Ordinal) ? listed.Length <= block.Length : listed.Length == block.Length;
        if (!fits)
            throw Error(element, "block length", $"Length mismatch: block '{listed.Name}' has 0x{listed.Length:x} bytes there and 0x{block.Length:x} here");
        if (block.IsSharedFile && listed.Address is { } address && address != block.Address)
            throw Error(element, "block address", $"Mismatched GPAs for block {listed.Name}: 0x{address:x} there and 0x{block.Address:x} here");
        _blocks.Add((block, new PageSet((long)(block.Length >> GuestPage.Bits)), _population.StartOf(block)));
        return block;
    }

    public void TakePage(in StreamElement element)
    {
        // The reader has compared the offset with the listed length, and that is no longer than the block.
        var (block, came, start) = _blocks[element.Block!.Index];
        var offset = element.PageOffset;
        came.Add((long)(offset >> GuestPage.Bits));
        if (element.Flags.HasFlag(RamFlags.Page))
        {
            _population.Reached(start + offset);
            _input.ReadPayload(block.Write(offset, 1 << element.PageBits));
            if (_input.CanScatter)
                _run.Read(block, start, came, offset + GuestPage.Size, element.Block.Length);
        }
        else if (element.Flags.HasFlag(RamFlags.Zero))
        {
            if (element.Payload[0] != 0)
                throw Error(element, "fill", $"a page of bytes {element.Payload[0]}; QEMU knows only 0");
            block.ClearPage(offset);
        }
        else if (!Xbzrle.TryDecode(element.Payload, block.Write(offset, 1 << element.PageBits)))
        {
            throw Error(element, "encoded", $"a malformed XBZRLE encoding of page 0x{offset:x} of block '{block.IdStr}'");
        }
    }

    public void Dispose() => _run.Dispose();

    private static MigrationStreamException Error(in StreamElement element, string field, string reason) => new(element.Offset, SectionHeader.RamName, field, reason);
}

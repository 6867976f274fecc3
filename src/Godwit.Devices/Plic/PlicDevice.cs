using System.Numerics;
using Godwit.Devices.Interrupts;
using Godwit.Memory;

namespace Godwit.Devices.Plic;

/// <summary>The platform's interrupt controller as the <c>virt</c> board has it (QEMU: <c>riscv.sifive.plic</c>, <c>hw/intc/sifive_plic.c</c>,
/// figures of <c>include/hw/riscv/virt.h</c>). Contexts are M and S of hart 0, M and S of hart 1, and so on.</summary>
public sealed class PlicDevice : IMmioDevice, IResettable
{
    /// <summary>The range's length in bytes: room for the contexts of 512 harts.</summary>
    public const ulong RegionSize = ContextBase + 2 * 512 * ContextStride;

    /// <summary>How many sources there are, with source 0, which doesn't exist.</summary>
    public const int Sources = 96;

    private const uint PriorityMask = 7;
    private const int Words = Sources / 32;
    private const ulong PriorityBase = 0, PriorityEnd = PriorityBase + 4 * Sources;
    private const ulong PendingBase = 0x1000, PendingEnd = PendingBase + 4 * Words;
    private const ulong EnableBase = 0x2000, EnableStride = 0x80;
    private const ulong ContextBase = 0x200000, ContextStride = 0x1000;
    private const ulong ThresholdRegister = 0, ClaimRegister = 4;

    private readonly InterruptLine[] _outputs;

    /// <param name="outputs">MEIP and SEIP of hart 0, of hart 1, and so on.</param>
    public PlicDevice(IReadOnlyList<InterruptLine> outputs)
    {
        _outputs = [.. outputs];
        State = new PlicState(Sources, _outputs.Length);
        Inputs = [.. Enumerable.Range(0, Sources).Select(source => new InterruptLine(level => SetSource(source, level)))];
    }

    public string Name => "riscv.sifive.plic";

    public AccessSizes Sizes => new(4, 4);

    public PlicState State { get; }

    /// <summary>A wire for each source.</summary>
    public IReadOnlyList<InterruptLine> Inputs { get; }

    private ulong EnableEnd => EnableBase + (ulong)_outputs.Length * EnableStride;

    private ulong ContextEnd => ContextBase + (ulong)_outputs.Length * ContextStride;

    public ulong Read(ulong offset, int size)
    {
        if (offset < PriorityEnd)
            return State.SourcePriority[(offset - PriorityBase) / 4];
        if (offset is >= PendingBase and < PendingEnd)
            return State.Pending[(offset - PendingBase) / 4];
        if (offset >= EnableBase && offset < EnableEnd)
            return TryGetEnableWord(offset, out var word) ? State.Enable[word] : 0;
        if (offset >= ContextBase && offset < ContextEnd)
        {
            var context = (int)((offset - ContextBase) / ContextStride);
            return (offset % ContextStride) switch
            {
                ThresholdRegister => State.TargetPriority[context],
                ClaimRegister => Claim(context),
                _ => 0,
            };
        }

        return 0;
    }

    public void Write(ulong offset, int size, ulong value)
    {
        if (offset < PriorityEnd)
        {
            // Source 0 has no priority.
            if (offset >= PriorityBase + 4)
            {
                State.SourcePriority[(offset - PriorityBase) / 4] = (uint)value & PriorityMask;
                Update();
            }
        }
        else if (offset >= EnableBase && offset < EnableEnd)
        {
            if (TryGetEnableWord(offset, out var word))
                State.Enable[word] = (uint)value;
        }
        else if (offset >= ContextBase && offset < ContextEnd)
        {
            var context = (int)((offset - ContextBase) / ContextStride);
            switch (offset % ContextStride)
            {
                case ThresholdRegister:
                    State.TargetPriority[context] = (uint)value & PriorityMask;
                    Update();
                    break;
                case ClaimRegister when value < Sources:
                    SetBit(State.Claimed, (int)value, false);
                    Update();
                    break;
            }
        }
    }

    public void Reset()
    {
        Array.Clear(State.SourcePriority);
        Array.Clear(State.TargetPriority);
        Array.Clear(State.Pending);
        Array.Clear(State.Claimed);
        Array.Clear(State.Enable);
        foreach (var output in _outputs)
            output.Lower();
    }

    private static bool TryGetEnableWord(ulong offset, out int word)
    {
        var context = (int)((offset - EnableBase) / EnableStride);
        var inContext = (int)(offset % EnableStride / 4);
        word = context * Words + inContext;
        return inContext < Words;
    }

    private static void SetBit(uint[] words, int source, bool set)
    {
        if (set)
            words[source / 32] |= 1u << (source % 32);
        else
            words[source / 32] &= ~(1u << (source % 32));
    }

    // A source that goes down stays pending, and one that is still up after its completion doesn't become pending again:
    // QEMU's devices tell their level anew with every change of theirs.
    private void SetSource(int source, bool level)
    {
        if (!level)
            return;
        SetBit(State.Pending, source, true);
        Update();
    }

    private uint Claim(int context)
    {
        var source = Best(context);
        if (source != 0)
        {
            SetBit(State.Pending, source, false);
            SetBit(State.Claimed, source, true);
        }

        Update();
        return (uint)source;
    }

    /// <summary>The source with the highest priority above the threshold, the lowest of equals; 0 for none.</summary>
    private int Best(int context)
    {
        var best = 0;
        var priority = State.TargetPriority[context];
        for (var word = 0; word < Words; word++)
        {
            var bits = State.Pending[word] & ~State.Claimed[word] & State.Enable[context * Words + word];
            for (; bits != 0; bits &= bits - 1)
            {
                var source = word * 32 + BitOperations.TrailingZeroCount(bits);
                if (State.SourcePriority[source] > priority)
                {
                    best = source;
                    priority = State.SourcePriority[source];
                }
            }
        }

        return best;
    }

    private void Update()
    {
        for (var context = 0; context < _outputs.Length; context++)
            _outputs[context].Set(Best(context) != 0);
    }
}

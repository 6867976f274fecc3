using System.Text;
using Godwit.Machine.Lifecycle;
using Godwit.Migration;
using Godwit.Wire.VmState;
using Field = Godwit.Wire.VmState.Field<Godwit.Machine.Virt.GlobalState>;

namespace Godwit.Machine.Virt;

/// <summary>Section <c>globalstate</c>: what the guest was doing (QEMU: <c>migration/global_state.c</c>, version 1), and <c>virt_acpi_build</c>.</summary>
/// <param name="current">The run state before the switchover.</param>
internal sealed class GlobalState(Func<RunState> current)
{
    private readonly byte[] _runState = new byte[32];
    private uint _size;
    private byte _hasSuspended = 1, _suspended;
    private bool _acpiPatched;

    /// <summary>What came; null before.</summary>
    public RunState? Received { get; private set; }

    private static VmStateDescription<GlobalState> Declaration { get; } = new("globalstate", 1, 1)
    {
        PreSave = s => s.Take(),
        PostLoad = (s, _) => s.Received = s.Parse(),
        Fields =
        [
            Field.UInt32("size", s => s._size, (s, v) => s._size = v),
            Field.Buffer("runstate", s => s._runState),
            Field.UInt8("has_vm_was_suspended", s => s._hasSuspended, (s, v) => s._hasSuspended = v),
            Field.UInt8("vm_was_suspended", s => s._suspended, (s, v) => s._suspended = v),
            Field.Custom("unused", "buffer", 66, (_, b) => b.Clear(), (_, _) => { }),
        ],
    };

    private static VmStateDescription<GlobalState> AcpiDeclaration { get; } = new("virt_acpi_build", 1, 1)
    {
        Fields = [Field.Bool("patched", s => s._acpiPatched, (s, v) => s._acpiPatched = v)],
    };

    public IDeviceSection Section() => new VmStateSection<GlobalState>("globalstate", 0, Declaration, this);

    /// <summary>Whether firmware has read the ACPI tables; kept.</summary>
    public IDeviceSection AcpiSection() => new VmStateSection<GlobalState>("virt_acpi_build", 0, AcpiDeclaration, this);

    /// <summary>Takes what came, once.</summary>
    public RunState? TakeReceived()
    {
        var received = Received;
        Received = null;
        return received;
    }

    private void Take()
    {
        var name = current().ToName();
        _runState.AsSpan().Clear();
        _size = (uint)Encoding.ASCII.GetBytes(name, _runState) + 1;
    }

    private RunState Parse()
    {
        var end = Array.IndexOf(_runState, (byte)0);
        if (end < 0)
            throw new InvalidDataException("the run state has no end");
        var name = Encoding.ASCII.GetString(_runState, 0, end);
        return RunStateName.TryParse(name, out var state) ? state : throw new InvalidDataException($"a machine that is '{name}' can't be taken over here");
    }
}

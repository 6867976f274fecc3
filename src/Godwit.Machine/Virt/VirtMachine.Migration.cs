using Godwit.Devices.SifiveTest;
using Godwit.Machine.Lifecycle;
using Godwit.Machine.Virt.Loading;
using Godwit.Memory;
using Godwit.Migration;

namespace Godwit.Machine.Virt;

/// <content>What the engine asks of the board.</content>
public sealed partial class VirtMachine : IMigratableMachine
{
    private readonly Lock _throttling = new();
    private Throttle? _throttle;

    public string MachineType => "virt";

    public Guid Uuid => _options.Uuid;

    public IReadOnlyList<RamBlock> RamBlocks => _board.Blocks;

    public IReadOnlyList<IDeviceSection> Devices { get; }

    public IReadOnlyList<ILiveSection> LiveSections => [];

    public bool IsGuestRunning => State == RunState.Running;

    public void SynchronizeWriters()
    {
        _threads.Synchronize();
        // Devices write with it held.
        lock (_board.Memory.DeviceLock)
        {
        }
    }

    public void Throttle(int percent)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(percent);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(percent, 99);
        lock (_throttling)
        {
            if (percent == 0)
            {
                _throttle?.Dispose();
                _throttle = null;
            }
            else if (_throttle is { } throttle)
            {
                throttle.Percent = percent;
            }
            else
            {
                _throttle = new Throttle(_threads.Hold, percent);
            }
        }
    }

    public void StopForSwitchover()
    {
        lock (_control)
        {
            if (_state is RunState.FinishMigrate or RunState.InMigrate)
                return;
            if (_state == RunState.Running)
            {
                _threads.Stop();
                _board.Clock.Stop();
                // What the guest asked for last must not be lost: the other side doesn't hear of it.
                if (_powerEvents.Reader.TryPeek(out _))
                    ServePowerStanding();
            }

            _before = _state;
            Enter(RunState.FinishMigrate);
        }
    }

    public void TakeBack()
    {
        lock (_control)
        {
            if (_state != RunState.FinishMigrate)
                return;
            if (_before == RunState.Running)
                Go();
            else
                Enter(_before);
        }
    }

    public void HandOver()
    {
        lock (_control)
        {
            if (_state == RunState.FinishMigrate)
                Enter(RunState.PostMigrate);
        }
    }

    public void StartIncoming()
    {
        lock (_control)
        {
            if (_state != RunState.InMigrate)
                return;
            var received = _globalState.TakeReceived() ?? RunState.Running;
            if (received != RunState.Running)
                Enter(received);
            else if (_autostart)
                Go();
            else
                Enter(RunState.Paused);
        }
    }

    public void HoldIncoming()
    {
        lock (_control)
        {
            if (_state != RunState.InMigrate)
                return;
            // What stood there already may stand here as it did.
            var received = _globalState.TakeReceived() ?? RunState.Running;
            Enter(received == RunState.Running ? RunState.Paused : received);
        }
    }

    public void LoseIncoming()
    {
        lock (_control)
        {
            _before = RunState.IoError;
            if (_state == RunState.FinishMigrate)
                return;
            if (_state == RunState.Running)
                Stand(RunState.IoError);
            else
                Enter(RunState.IoError);
        }
    }

    public void DiscardIncoming()
    {
        lock (_control)
        {
            if (_state != RunState.InMigrate)
                return;
            _globalState.TakeReceived();
            _board.Reset(BoardImage.ResetAddress);
        }
    }

    /// <summary>The guest's wish, of a machine that stands but is called running.</summary>
    private void ServePowerStanding()
    {
        if (!_powerEvents.Reader.TryRead(out var power))
            return;
        if (power.Kind == PowerEventKind.Reset && !_options.NoReboot)
        {
            ResetBoard();
            GuestReset?.Invoke();
        }
        else
        {
            PowerOff(power);
        }
    }
}

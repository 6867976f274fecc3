using System.Threading.Channels;
using Godwit.Devices.SifiveTest;
using Godwit.Machine.Cpu;
using Godwit.Machine.Lifecycle;
using Godwit.Machine.Virt.Loading;
using Godwit.Memory;

namespace Godwit.Machine.Virt;

/// <summary>QEMU's RISC-V board <c>virt</c>, from power-on to power-off. Its methods may be called from any thread but a hart's.</summary>
public sealed partial class VirtMachine : IDisposable
{
    private readonly VirtOptions _options;
    private readonly BoardImage _image;
    private readonly VirtBoard _board;
    private readonly HartThreads _threads;
    private readonly Lock _control = new();
    // One is enough: what comes before the first is served would ask for the same once more.
    private readonly Channel<PowerEvent> _powerEvents = Channel.CreateBounded<PowerEvent>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _disposed = new();
    private readonly TaskCompletionSource<int> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _powerControl;
    private RunState _state = RunState.Prelaunch;
    private readonly GlobalState _globalState;
    private RunState _before;
    private bool _autostart;

    /// <summary>Makes a machine that stands at its reset vector; <see cref="Continue"/> starts it.</summary>
    /// <exception cref="LoadException">What it is to start with is missing, doesn't fit, or isn't for this machine.</exception>
    public VirtMachine(VirtOptions options)
    {
        _options = options;
        _image = BoardLoader.Load(options.Load);
        var ram = options.Ram ?? RamBlock.Create(MemoryMap.RamName, options.Load.MemorySize);
        _board = new VirtBoard(options.Load.Cpu, options.Load.Harts, ram, options.Serial, e => _powerEvents.Writer.TryWrite(e), BoardImage.ResetAddress, options.Uuid);
        _globalState = new GlobalState(() => _before);
        Devices = _board.CreateSections(_globalState);
        try
        {
            // What an incoming machine has in memory comes with the stream, or stands there already.
            if (options.Incoming)
                _state = RunState.InMigrate;
            else
                _image.Install(_board.Memory);
            _autostart = !options.StartPaused;
            _threads = new HartThreads(_board.Harts, HartFailed);
        }
        catch
        {
            _board.Dispose();
            throw;
        }

        _powerControl = Task.Run(ControlPowerAsync);
    }

    /// <summary>Told of every change of the run state. Must not call back.</summary>
    public Action<RunState>? StateChanged { get; set; }

    /// <summary>Told when the guest has reset the machine. Must not call back.</summary>
    public Action? GuestReset { get; set; }

    /// <summary>Told that the guest ends the machine, or asks for a reset that <see cref="VirtOptions.NoReboot"/> forbids, before the run state follows.
    /// Must not call back.</summary>
    public Action<PowerEvent>? GuestShutdown { get; set; }

    public RunState State
    {
        get
        {
            lock (_control)
                return _state;
        }
    }

    /// <summary>The exit code, once the guest has powered off or asked for a reset that <see cref="VirtOptions.NoReboot"/> forbids.
    /// Faults if a hart failed.</summary>
    public Task<int> Ended => _ended.Task;

    /// <summary>What harts and devices see.</summary>
    public AddressSpace Memory => _board.Memory;

    public IReadOnlyList<Hart> Harts => _board.Harts;

    /// <summary>All blocks of RAM and ROM, by the names and in the order of the migration stream.</summary>
    public IReadOnlyList<RamBlock> Blocks => _board.Blocks;

    /// <summary>The tree that the guest was given at the last reset.</summary>
    public ReadOnlyMemory<byte> DeviceTree => _image.DeviceTree;

    /// <summary>Lets the guest run (QMP: <c>cont</c>). While its state comes it is only noted that it is to run then.</summary>
    public void Continue()
    {
        lock (_control)
        {
            if (_state is RunState.Prelaunch or RunState.Paused or RunState.PostMigrate)
                Go();
            else if (_state == RunState.InMigrate)
                _autostart = true;
        }
    }

    /// <summary>Stops the guest between two instructions, and its clock (QMP: <c>stop</c>). Nothing is lost.</summary>
    public void Pause()
    {
        lock (_control)
        {
            if (_state == RunState.Running)
                Stand(RunState.Paused);
            else if (_state == RunState.InMigrate)
                _autostart = false;
            else if (_state == RunState.FinishMigrate && _before == RunState.Running)
                _before = RunState.Paused;
        }
    }

    /// <summary>As if somebody pressed the reset button (QMP: <c>system_reset</c>).</summary>
    public void Reset()
    {
        lock (_control)
        {
            // A state that is coming replaces all; one that is going stays what it is.
            if (_state is RunState.InternalError or RunState.IoError or RunState.InMigrate or RunState.FinishMigrate)
                return;
            var wasRunning = _state == RunState.Running;
            if (wasRunning)
                Stand(_state);
            ResetBoard();
            if (wasRunning)
                Go();
            else
                Enter(RunState.Prelaunch);
        }
    }

    public void Dispose()
    {
        if (_disposed.IsCancellationRequested)
            return;
        _disposed.Cancel();
        Throttle(0);
        _powerControl.GetAwaiter().GetResult();
        _threads.Dispose();
        _board.Dispose();
        _disposed.Dispose();
    }

    private void Go()
    {
        _board.StartClock();
        Enter(RunState.Running);
        _threads.Start();
    }

    private void Stand(RunState state)
    {
        _threads.Stop();
        _board.Clock.Stop();
        Enter(state);
    }

    private void Enter(RunState state)
    {
        if (_state == state)
            return;
        _state = state;
        StateChanged?.Invoke(state);
    }

    // A device asks on a hart's thread, with the machine's lock held; what it asks for needs that thread to stand.
    private async Task ControlPowerAsync()
    {
        try
        {
            while (await _powerEvents.Reader.WaitToReadAsync(_disposed.Token))
            {
                // Whoever has the control may have served it meanwhile.
                lock (_control)
                    ServePower();
            }
        }
        catch (OperationCanceledException)
        {
            // The machine is being disposed of.
        }
        catch (Exception e)
        {
            _ended.TrySetException(e);
        }
    }

    private void ServePower()
    {
        if (!_powerEvents.Reader.TryRead(out var power))
            return;
        if (power.Kind == PowerEventKind.Reset && !_options.NoReboot)
        {
            Reset();
            GuestReset?.Invoke();
        }
        else
        {
            PowerOff(power);
        }
    }

    private void PowerOff(PowerEvent power)
    {
        GuestShutdown?.Invoke(power);
        if (_state is RunState.Running or RunState.Paused)
            Stand(RunState.Shutdown);
        if (!_options.NoShutdown)
            _ended.TrySetResult(power.ExitCode);
    }

    private void ResetBoard()
    {
        _image.Install(_board.Memory);
        _board.Reset(BoardImage.ResetAddress);
        // What the guest asked for before has no meaning any more.
        _powerEvents.Reader.TryRead(out _);
    }

    private void HartFailed(Hart hart, Exception error)
    {
        // Whoever fetches pages knows of it, and ends the machine's running.
        if (error is PageLostException)
            return;
        _ended.TrySetException(new HartFailedException(hart.Id, hart.State.Pc, error));
        // This thread is one that has to stand first.
        _ = Task.Run(() =>
        {
            lock (_control)
            {
                _before = RunState.InternalError;
                if (_state != RunState.FinishMigrate)
                    Stand(RunState.InternalError);
            }
        });
    }
}

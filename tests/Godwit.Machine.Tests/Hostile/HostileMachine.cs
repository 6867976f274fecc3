using System.Diagnostics;
using Godwit.Machine.Cpu;
using Godwit.Machine.Lifecycle;
using Godwit.Machine.Virt;
using Godwit.Machine.Virt.Loading;
using Godwit.Memory;
using Godwit.Testing;

namespace Godwit.Machine.Tests.Hostile;

/// <summary>A machine that is stopped again and again, given another program and another state of its hart, and let run for a moment.
/// GODWIT_FUZZ_ROUNDS sets how often.</summary>
internal sealed class HostileMachine : IDisposable
{
    public const int MemorySize = 16 << 20;
    public const ulong Ram = MemoryMap.RamBase;

    private const long Enough = 20_000;
    private static readonly TimeSpan Budget = TimeSpan.FromMilliseconds(3);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TemporaryFolder _folder = new();
    private readonly VirtMachine _machine;

    public HostileMachine()
    {
        File.WriteAllBytes(_folder.File("kernel"), Lifecycle.Code.ToBytes(Lifecycle.Code.Stay));
        _machine = new VirtMachine(new VirtOptions(new LoadRequest(CpuModel.Default, 1, MemorySize) { Firmware = "none", Kernel = _folder.File("kernel") })
        {
            NoShutdown = true,
        });
        // As if a hypervisor had nothing to protect: the lower modes may do all that machine mode may.
        Restart();
    }

    public static int Rounds(int otherwise) => int.TryParse(Environment.GetEnvironmentVariable("GODWIT_FUZZ_ROUNDS"), out var rounds) ? rounds : otherwise;

    public HartState State => _machine.Harts[0].State;

    public AddressSpace Memory => _machine.Memory;

    public RamBlock Block => _machine.Blocks.First(b => string.Equals(b.IdStr, MemoryMap.RamName, StringComparison.Ordinal));

    /// <summary>Instructions of all rounds.</summary>
    public ulong Retired { get; private set; }

    public void Store(ulong offset, ReadOnlySpan<uint> code) => Lifecycle.Code.ToBytes(code).CopyTo(Block.Write(offset, code.Length * sizeof(uint)));

    /// <summary>Lets the hart run from its state for a moment, or a few thousand instructions.</summary>
    public async Task RunAsync(string what)
    {
        _machine.Harts[0].StateChanged();
        var before = State.Retired;
        _machine.Continue();
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < Budget && State.Retired - before < Enough;)
            Thread.SpinWait(50);
        var pause = Task.Run(_machine.Pause);
        if (await Task.WhenAny(pause, Task.Delay(Patience)) != pause)
            Assert.Fail($"{what}: it can't be paused");
        await pause;
        Assert.False(_machine.Ended.IsFaulted, $"{what}: {_machine.Ended.Exception}");
        Assert.NotEqual(RunState.InternalError, _machine.State);
        Retired += State.Retired - before;
        // It found the switch.
        if (_machine.State == RunState.Shutdown)
            Restart();
    }

    /// <summary>As after power-on, with all memory open to all modes.</summary>
    public void Restart()
    {
        const byte NaturalPower = 0x18, All = 7;
        _machine.Reset();
        State.PmpCfg[0] = NaturalPower | All;
        State.PmpAddr[0] = (1UL << 54) - 1;
        State.Mie = State.Mideleg = State.Medeleg = 0;
        State.Menvcfg = 1UL << 61;
        State.Mcounteren = State.Scounteren = uint.MaxValue;
    }

    public void Dispose()
    {
        _machine.Dispose();
        _folder.Dispose();
    }
}

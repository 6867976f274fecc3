using System.Net.Sockets;
using Godwit.Devices.Character;
using Godwit.Machine.Lifecycle;
using Godwit.Testing;
using static Godwit.Machine.Tests.Lifecycle.Code;

namespace Godwit.Machine.Tests.Lifecycle;

/// <summary>From power-on to power-off, by whoever asks for it.</summary>
public sealed class PowerTests
{
    private const ulong CounterOffset = 0x10_0000;

    private static readonly RunState[] RanAndEnded = [RunState.Running, RunState.Shutdown];

    [Fact]
    public void A_new_machine_stands_at_its_reset_vector_until_it_is_told_to_run()
    {
        using var machine = TestMachine.Heartbeat("beat=5", harts: 2);

        machine.Machine.Pause();

        Assert.Equal(RunState.Prelaunch, machine.Machine.State);
        Assert.All(machine.Machine.Harts, h => Assert.Equal((0x1000UL, 0UL), (h.State.Pc, h.State.Retired)));
        Assert.Equal(0UL, machine.Time);
        Assert.Empty(machine.States);
    }

    [Fact]
    public void States_follow_what_is_asked_for()
    {
        using var machine = TestMachine.Heartbeat("beat=5");
        machine.Machine.Continue();
        machine.Machine.Continue();
        Assert.Equal(RunState.Running, machine.Machine.State);
        machine.Machine.Pause();
        machine.Machine.Pause();
        Assert.Equal(RunState.Paused, machine.Machine.State);
        machine.Machine.Reset();
        Assert.Equal(RunState.Prelaunch, machine.Machine.State);
        machine.Machine.Continue();
        machine.Machine.Reset();
        Assert.Equal(RunState.Running, machine.Machine.State);

        Assert.Equal([RunState.Running, RunState.Paused, RunState.Prelaunch, RunState.Running], machine.States);
        Assert.Equal(["running", "paused", "prelaunch", "running"], machine.States.Select(s => s.ToName()));
    }

    [Theory]
    [InlineData(0x5555, 0)]
    [InlineData(0x1_3333, 1)]
    [InlineData(0x2a_3333, 42)]
    [InlineData(0xff_3333, 255)]
    [InlineData(0xffff_3333, 65535)]
    public async Task The_guest_powers_off_with_its_exit_code(uint word, int exitCode)
    {
        using var machine = TestMachine.Raw(ToBytes(Finish(word)));
        machine.Machine.Continue();

        Assert.Equal(exitCode, await machine.EndedAsync());
        await machine.WaitForAsync(RunState.Shutdown);
        Assert.Equal(RanAndEnded, machine.States);
        machine.Machine.Continue();
        Assert.Equal(RunState.Shutdown, machine.Machine.State);
    }

    [Fact]
    public async Task A_guest_that_resets_the_machine_starts_again_with_its_memory()
    {
        using var machine = TestMachine.Raw(ToBytes(ResetsItself()));
        machine.Machine.Continue();

        Assert.Equal(0, await machine.EndedAsync());
        Assert.Equal(5UL, machine.ReadRam(CounterOffset));
        Assert.Equal(RunState.Shutdown, machine.States[^1]);
    }

    [Fact]
    public async Task Without_reboot_a_reset_ends_the_machine()
    {
        using var machine = TestMachine.Raw(ToBytes(ResetsItself()), o => o with { NoReboot = true });
        machine.Machine.Continue();

        Assert.Equal(0, await machine.EndedAsync());
        Assert.Equal(1UL, machine.ReadRam(CounterOffset));
        Assert.Equal(RanAndEnded, machine.States);
    }

    [Fact]
    public async Task Without_shutdown_the_machine_stays_and_can_be_started_again()
    {
        // Counts its starts and powers off.
        using var machine = TestMachine.Raw(ToBytes([.. Counts(), .. Finish(0x5555)]), o => o with { NoShutdown = true });
        machine.Machine.Continue();
        await machine.WaitForAsync(RunState.Shutdown);
        machine.Machine.Continue();
        Assert.Equal(RunState.Shutdown, machine.Machine.State);

        machine.Machine.Reset();
        Assert.Equal(RunState.Prelaunch, machine.Machine.State);
        machine.Machine.Continue();
        await machine.WaitForAsync(RunState.Shutdown);

        Assert.Equal(2UL, machine.ReadRam(CounterOffset));
        Assert.False(machine.Machine.Ended.IsCompleted);
        Assert.Equal([.. RanAndEnded, RunState.Prelaunch, .. RanAndEnded], machine.States);
    }

    [Fact]
    public async Task A_reset_while_it_runs_starts_it_again()
    {
        using var machine = TestMachine.Heartbeat("pages=128 rate=max pattern=random beat=5", harts: 2);
        machine.Machine.Continue();
        for (var n = 1; n <= 10; n++)
        {
            var before = machine.Serial.Output.Length;
            await machine.Serial.WaitForAsync(o => o.IndexOf("heartbeat beat=2 ", before, StringComparison.Ordinal) > 0, "beats");
            machine.Machine.Reset();
        }

        var starts = machine.Serial.Output.Split("heartbeat start ");
        Assert.True(starts.Length >= 11);
        Assert.DoesNotContain("ERROR", machine.Serial.Output, StringComparison.Ordinal);
        Assert.All(starts[1..^1], s => Assert.Contains("heartbeat beat=1 ", s, StringComparison.Ordinal));
        Assert.Equal([RunState.Running], machine.States);
    }

    [Fact]
    public async Task A_reset_while_it_is_paused_leaves_it_at_its_reset_vector()
    {
        using var machine = TestMachine.Heartbeat("beat=5");
        machine.Machine.Continue();
        await machine.Serial.WaitForAsync("beat=2 ");
        machine.Machine.Pause();

        machine.Machine.Reset();

        Assert.Equal(RunState.Prelaunch, machine.Machine.State);
        var hart = machine.Machine.Harts[0].State;
        Assert.Equal(0x1000UL, hart.Pc);
        var before = machine.Serial.Output.Length;
        await Task.Delay(30);
        Assert.Equal(0x1000UL, hart.Pc);
        machine.Machine.Continue();
        await machine.Serial.WaitForAsync(o => o.IndexOf("heartbeat beat=2 ", before, StringComparison.Ordinal) > 0, "beat after the reset");
    }

    public static TheoryData<string> Moments => ["before it ran", "running", "paused", "asleep", "after power-off", "resetting", "while it is paused elsewhere"];

    [Theory]
    [MemberData(nameof(Moments))]
    public async Task It_can_be_disposed_at_any_moment(string moment)
    {
        for (var n = 0; n < 8; n++)
        {
            uint[] code = moment switch
            {
                "asleep" => [Wfi, Jump(-4)],
                "after power-off" => Finish(0x5555),
                "resetting" => Finish(0x7777),
                _ => [Jump(0)],
            };
            var machine = TestMachine.Raw(ToBytes(code), harts: 2);
            if (moment != "before it ran")
                machine.Machine.Continue();
            await Task.Delay(n);
            if (moment == "paused")
                machine.Machine.Pause();
            var other = moment == "while it is paused elsewhere" ? Task.Run(machine.Machine.Pause) : Task.CompletedTask;

            await Task.Run(machine.Dispose).WaitAsync(TestMachine.Patience);
            await other.WaitAsync(TestMachine.Patience);
            machine.Machine.Dispose();
        }
    }

    /// <summary>A client that has connected and reads nothing stops the guest, not those who control it; nothing is lost on the way.</summary>
    [Fact]
    public async Task A_serial_port_that_takes_nothing_keeps_nobody_from_pausing_and_disposing()
    {
        const int Enough = 100_000;
        using var folder = new TemporaryFolder();
        // Bytes that count up, each when the transmitter has room.
        using var machine = TestMachine.Raw(
            ToBytes([Lui(A2, 0x10000), Lbu(T1, 5, A2), Andi(T1, T1, 0x20), Beqz(T1, -8), Sb(T0, 0, A2), Addi(T0, T0, 1), Jump(-20)]),
            serial: deviceLock => new UnixSocketBackend(deviceLock, folder.File("serial"), server: true, wait: false));
        machine.Machine.Harts[0].State.X[T0] = 0;
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await client.ConnectAsync(new UnixDomainSocketEndPoint(folder.File("serial")));
        await client.SendAsync(new byte[] { 1 });
        await Task.Delay(50);
        machine.Machine.Continue();
        await Task.Delay(1000);

        await Task.Run(machine.Machine.Pause).WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(RunState.Paused, machine.Machine.State);
        machine.Machine.Continue();
        var bytes = new byte[Enough];
        using var patience = new CancellationTokenSource(TestMachine.Patience);
        for (var read = 0; read < Enough;)
            read += await client.ReceiveAsync(bytes.AsMemory(read), patience.Token);
        await Task.Delay(300);
        await Task.Run(machine.Machine.Dispose).WaitAsync(TimeSpan.FromSeconds(10));

        Assert.DoesNotContain(Enumerable.Range(1, Enough - 1), n => bytes[n] != (byte)(bytes[0] + n));
    }

    // One more in memory that no reset touches.
    private static uint[] Counts() => [.. Li(A2, 0x8010_0000), Slli(A2, A2, 32), 0x02065613, Ld(T2, 0, A2), Addi(T2, T2, 1), Sd(T2, 0, A2)];

    private static uint[] ResetsItself() => [.. Counts(), Addi(A3, Zero, 5), Blt(T2, A3, 24), .. Finish(0x5555), .. Finish(0x7777)];
}

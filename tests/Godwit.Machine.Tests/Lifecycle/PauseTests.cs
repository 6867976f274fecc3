using System.Diagnostics;
using Godwit.Machine.Lifecycle;
using static Godwit.Machine.Tests.Lifecycle.Code;

namespace Godwit.Machine.Tests.Lifecycle;

/// <summary>A machine that is paused stands, all of it, and then goes on as if nothing had been.</summary>
public sealed class PauseTests
{
    private const double TicksPerSecond = 10_000_000;

    [Theory]
    [InlineData("pages=256 rate=max pattern=random beat=5", 1)]
    [InlineData("pages=256 rate=20k pattern=counter beat=5", 2)]
    public async Task A_guest_paused_hundreds_of_times_goes_on_without_an_error(string options, int seed)
    {
        using var machine = TestMachine.Heartbeat(options);
        var random = new Random(seed);
        double atLeast = 0, atMost = 0;
        for (var n = 0; n < 300; n++)
        {
            var outer = Stopwatch.StartNew();
            machine.Machine.Continue();
            var inner = Stopwatch.StartNew();
            Wait(random.Next(3) == 0 ? 0 : random.Next(6000));
            atLeast += inner.Elapsed.TotalSeconds;
            machine.Machine.Pause();
            atMost += outer.Elapsed.TotalSeconds;
            Wait(random.Next(2) == 0 ? 0 : random.Next(3000));
        }

        Assert.InRange(machine.Time / TicksPerSecond, atLeast - 0.0001, atMost + 0.0001);
        var before = machine.Serial.Lines.Length;
        machine.Machine.Continue();
        await machine.Serial.WaitForAsync(_ => machine.Serial.Lines.Length > before + 3, "further beats");
        machine.Machine.Pause();
        Assert.True(machine.CheckedBeats().Count > 10);
        Assert.Equal(Enumerable.Range(0, 602).Select(n => n % 2 == 0 ? RunState.Running : RunState.Paused), machine.States);
    }

    [Fact]
    public async Task While_it_is_paused_nothing_of_it_moves()
    {
        using var machine = TestMachine.Heartbeat("pages=512 rate=max pattern=random beat=10", harts: 2);
        var random = new Random(3);
        var moved = 0UL;
        for (var n = 0; n < 25; n++)
        {
            machine.Machine.Continue();
            Wait(random.Next(20_000));
            machine.Machine.Pause();

            var before = Snapshot(machine);
            await Task.Delay(20);
            var after = Snapshot(machine);

            Assert.Equal(before.Harts, after.Harts);
            Assert.Equal(before.Time, after.Time);
            Assert.Equal(before.Output, after.Output);
            Assert.True(before.Memory.AsSpan().SequenceEqual(after.Memory), "memory changed");
            moved = before.Time;
        }

        Assert.NotEqual(0UL, moved);
    }

    [Fact]
    public async Task Pauses_do_not_count_in_the_guest_s_time()
    {
        using var machine = TestMachine.Heartbeat("pages=16 rate=1000 beat=10");
        machine.Machine.Continue();
        await machine.Serial.WaitForAsync("beat=3 ");
        machine.Machine.Pause();
        var before = machine.Time;

        await Task.Delay(500);

        Assert.Equal(before, machine.Time);
        var watch = Stopwatch.StartNew();
        machine.Machine.Continue();
        await machine.Serial.WaitForAsync("beat=10 ");
        machine.Machine.Pause();
        Assert.InRange((machine.Time - before) / TicksPerSecond, 0, watch.Elapsed.TotalSeconds + 0.0001);
        machine.CheckedBeats();
    }

    [Fact]
    public async Task A_hart_that_sleeps_is_woken_by_its_timer_after_a_pause()
    {
        const int Mtimecmp = 0x4000, Mtime = 0xbff8, TimerEnable = 0x80, Mie = 0x304;
        // mtimecmp = mtime + 30 ms; sleep until then; ends with 7.
        using var machine = TestMachine.Raw(ToBytes(
        [
            Lui(A2, 0x2000), .. Li(A3, Mtime), Add(A3, A3, A2), .. Li(A4, Mtimecmp), Add(A4, A4, A2),
            Ld(T0, 0, A3), .. Li(T1, 300_000), Add(T0, T0, T1), Sd(T0, 0, A4), Sd(T0, 0x400, A5),
            .. Li(T2, TimerEnable), Csrw(Mie, T2), Wfi, .. Finish(0x7_3333),
        ]));
        foreach (var hart in machine.Machine.Harts)
            hart.State.X[A5] = 0x8000_0000;
        for (var n = 0; n < 3; n++)
        {
            machine.Machine.Continue();
            await Task.Delay(5);
            machine.Machine.Pause();
            await Task.Delay(40);
        }

        machine.Machine.Continue();
        Assert.Equal(7, await machine.EndedAsync());
        Assert.True(machine.ReadRam(0x400) > 300_000);
        Assert.True(machine.Time >= machine.ReadRam(0x400));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task What_is_typed_at_any_moment_is_echoed_once_and_in_order(int fifos)
    {
        // Prints '>', then reads the serial port and writes what it read.
        using var machine = TestMachine.Raw(ToBytes(
        [
            Lui(A2, 0x10000), Addi(T0, Zero, fifos), Sb(T0, 2, A2), Addi(T0, Zero, '>'), Sb(T0, 0, A2),
            Lbu(T0, 5, A2), Andi(T0, T0, 1), Beqz(T0, -8), Lbu(T1, 0, A2), Sb(T1, 0, A2), Jump(-20),
        ]));
        var typed = "";
        // Switching FIFOs on drops what was received, as on the real thing.
        if (fifos == 0)
            Type("before it runs;");
        machine.Machine.Continue();
        await machine.Serial.WaitForAsync(">");
        var random = new Random(4);
        for (var n = 0; n < 100; n++)
        {
            machine.Machine.Continue();
            Type($"running {n};");
            Wait(random.Next(300));
            machine.Machine.Pause();
            Type($"paused {n}, and more than a FIFO holds;");
        }

        machine.Machine.Continue();
        await machine.Serial.WaitForAsync(o => o.Length > typed.Length, "echo");
        Assert.Equal(">" + typed, machine.Serial.Output);

        void Type(string text)
        {
            typed += text;
            machine.Serial.Type(text);
        }
    }

    [Fact]
    public async Task Eight_harts_are_paused_and_continued_while_they_work_on_the_same_memory()
    {
        using var machine = TestMachine.Elf(Godwit.Testing.Repository.Path("guests", "privilege", "harts.elf"), harts: 8);
        var random = new Random(5);
        while (!machine.Machine.Ended.IsCompleted)
        {
            machine.Machine.Continue();
            await Task.Delay(random.Next(20));
            machine.Machine.Pause();
        }

        Assert.True(await machine.EndedAsync() == 0, machine.Serial.Output);
        Assert.EndsWith("harts done\n", machine.Serial.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("WRONG", machine.Serial.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_machines_in_one_process_do_not_know_of_each_other()
    {
        using var one = TestMachine.Heartbeat("pages=128 rate=5k pattern=random beat=10 exit=20");
        using var two = TestMachine.Heartbeat("pages=64 rate=max pattern=zero beat=5 exit=40");
        one.Machine.Continue();
        two.Machine.Continue();
        for (var n = 0; n < 50; n++)
        {
            one.Machine.Pause();
            two.Machine.Continue();
            await Task.Delay(1);
            two.Machine.Pause();
            one.Machine.Continue();
            await Task.Delay(1);
        }

        two.Machine.Continue();
        var codes = await Task.WhenAll(one.EndedAsync(), two.EndedAsync());
        Assert.All(codes, c => Assert.Equal(0, c));
        Assert.Contains("heartbeat exit beat=20 errors=0\n", one.Serial.Output, StringComparison.Ordinal);
        Assert.Contains("heartbeat exit beat=40 errors=0\n", two.Serial.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_callers_at_once_leave_a_machine_that_works()
    {
        using var machine = TestMachine.Heartbeat("pages=64 rate=1000 beat=5");
        await Task.WhenAll(Enumerable.Range(0, 4).Select(caller => Task.Run(() =>
        {
            var random = new Random(caller);
            for (var n = 0; n < 200; n++)
            {
                switch (random.Next(5))
                {
                    case 0 when n % 20 == 0:
                        machine.Machine.Reset();
                        break;
                    case 0 or 1:
                        machine.Machine.Pause();
                        break;
                    case 2:
                        Wait(random.Next(300));
                        break;
                    default:
                        machine.Machine.Continue();
                        break;
                }
            }
        })));

        machine.Machine.Continue();
        machine.Machine.Reset();
        var before = machine.Serial.Output.Length;
        await machine.Serial.WaitForAsync(o => o.IndexOf("heartbeat beat=3 ", before, StringComparison.Ordinal) >= 0, "beat after all");
        Assert.Equal(RunState.Running, machine.Machine.State);
        Assert.DoesNotContain("ERROR", machine.Serial.Output, StringComparison.Ordinal);
        Assert.All(machine.States.Zip(machine.States.Skip(1)), p => Assert.NotEqual(p.First, p.Second));
    }

    private static (string Harts, ulong Time, string Output, byte[] Memory) Snapshot(TestMachine machine)
    {
        var harts = machine.Machine.Harts.Select(h => $"{h.State.Pc:x} {h.State.Retired} {h.State.Mip:x} {string.Join(',', Enumerable.Range(0, 32).Select(r => h.State.X[r]))}");
        var memory = machine.Machine.Blocks.First(b => b.Length == 16 << 20);
        return (string.Join('\n', harts), machine.Time, machine.Serial.Output, memory.Read(0, (int)memory.Length).ToArray());
    }

    // Task.Delay is far too coarse for moments between instructions.
    private static void Wait(int microseconds)
    {
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed.TotalMicroseconds < microseconds)
            Thread.SpinWait(20);
    }
}

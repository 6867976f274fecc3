using System.Buffers;
using System.Text.Json;
using Godwit.Machine.Cpu;
using Godwit.Machine.Tests.Lifecycle;
using static Godwit.Machine.Tests.Lifecycle.Code;

namespace Godwit.Machine.Tests.Saved;

/// <summary>mcycle, minstret and the counters of events across a move.</summary>
public sealed class CounterTests
{
    private const int Cycle = 0, Instret = 2;

    /// <param name="inhibited">mcountinhibit.</param>
    [Theory]
    [InlineData(0u)]
    [InlineData(1u << Cycle)]
    [InlineData(1u << Instret)]
    [InlineData(uint.MaxValue)]
    public void Counters_go_on_exactly_where_they_were(uint inhibited)
    {
        using var source = TestMachine.Raw(ToBytes(Addi(T0, T0, 1), Jump(-4)));
        using var destination = TestMachine.Raw(ToBytes(Addi(T0, T0, 1), Jump(-4)));
        var state = source.Machine.Harts[0].State;
        (state.Counter[Cycle], state.Counter[Instret], state.Counter[5], state.Mcountinhibit) = (1000, 2000, 3000, inhibited);
        Run(source);
        Run(destination);
        foreach (var (from, to) in source.Machine.Devices.Zip(destination.Machine.Devices).Where(pair => pair.First.IdStr == "cpu"))
        {
            var body = new ArrayBufferWriter<byte>();
            using var description = new Utf8JsonWriter(Stream.Null);
            from.Save(body, description);
            Assert.Equal(body.WrittenCount, to.Load([.. body.WrittenSpan, 0x7e], to.Version, 0));
        }

        var arrived = destination.Machine.Harts[0].State;
        Assert.NotEqual(state.Retired, arrived.Retired);
        Assert.Equal(Values(state), Values(arrived));
        Assert.Equal(inhibited == 0, Values(arrived)[0] > 1000 && Values(arrived)[1] > 2000);
        Run(destination);
        Assert.Equal((inhibited & 1) == 0, Values(arrived)[0] > Values(state)[0]);
    }

    private static void Run(TestMachine machine)
    {
        var before = machine.Machine.Harts[0].State.Retired;
        machine.Machine.Continue();
        Assert.True(SpinWait.SpinUntil(() => machine.Machine.Harts[0].State.Retired > before + 100, TestMachine.Patience));
        machine.Machine.Pause();
    }

    private static ulong[] Values(HartState state) =>
    [
        state.Counter[Cycle] + ((state.Mcountinhibit & (1u << Cycle)) == 0 ? state.Retired : 0),
        state.Counter[Instret] + ((state.Mcountinhibit & (1u << Instret)) == 0 ? state.Retired : 0),
        state.Counter[5],
    ];
}

using Godwit.Linux;

namespace Godwit.Memory.Tests;

public sealed class AlarmTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(-1)]
    [InlineData(long.MaxValue)]
    [InlineData(3_600_000_000_000)]
    public async Task Set_wakes_the_one_who_waits(long nanoseconds)
    {
        using var alarm = new Alarm();
        var waiting = Task.Run(() => alarm.Wait(nanoseconds));
        await Task.Delay(20);
        Assert.False(waiting.IsCompleted);

        alarm.Set();

        await waiting.WaitAsync(Patience);
    }

    [Fact]
    public async Task Set_wakes_the_one_who_waits_next_and_nobody_after()
    {
        using var alarm = new Alarm();
        alarm.Set();
        alarm.Set();

        await Task.Run(() => alarm.Wait(-1)).WaitAsync(Patience);
        var second = Task.Run(() => alarm.Wait(-1));
        await Task.Delay(20);
        Assert.False(second.IsCompleted);

        alarm.Set();
        await second.WaitAsync(Patience);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1_500_000)]
    public async Task Waiting_ends_by_itself_as_well(long nanoseconds)
    {
        using var alarm = new Alarm();

        await Task.Run(() => alarm.Wait(nanoseconds)).WaitAsync(Patience);
    }
}

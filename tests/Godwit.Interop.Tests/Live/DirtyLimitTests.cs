using System.Text.Json;
using Godwit.Monitor;
using Godwit.Testing;

namespace Godwit.Interop.Tests.Live;

/// <summary>A guest that dirties more than goes over is held at <c>vcpu-dirty-limit</c>, by its own count, and so comes over. QEMU has this on KVM only.</summary>
public sealed class DirtyLimitTests
{
    /// <summary>1 MiB/s in pages.</summary>
    private const double LimitRate = 256;

    [Theory]
    [InlineData("qemu")]
    [InlineData("godwit")]
    public async Task A_guest_too_fast_is_held_and_comes_over(string to)
    {
        await using var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat("pages=12k rate=4k pattern=random"), "godwit");
        await guest.LiveOnAsync(4);
        var free = Rates(guest).Max();
        await guest.Machine.Qmp.SetCapabilitiesAsync(["dirty-limit"]);
        var seen = new List<double>();
        await guest.MoveAsync(new LiveMove(to, "tcp", "return-path")
        {
            Rounds = true,
            // A round takes seconds, so that whole ones of the guest's lie in one where it is held.
            Parameters = "max-bandwidth=10485760,downtime-limit=1,vcpu-dirty-limit=1",
            Enough = i => Note(i, seen) || (seen.Count > 0 && seen[^1] < seen.Max() / 2 && Rates(guest).Min() < free / 4),
        });
        await guest.LiveOnAsync();

        Assert.True(seen.Max() > 4 * LimitRate && seen[^1] < seen.Max() / 2, $"pages dirtied a second, as the source reckons: {string.Join(' ', seen.Distinct())}");
        Assert.True(Rates(guest).Min() < free / 4, $"pages written a second: {string.Join(' ', Rates(guest).Select(r => $"{r:0}"))}");
    }

    private static bool Note(JsonElement info, List<double> rates)
    {
        if (info.TryGetProperty("ram", out var ram) && ram.GetProperty("dirty-pages-rate").GetDouble() is > 0 and var rate)
            rates.Add(rate);
        return info.GetProperty("status").GetString() is not ("setup" or "active");
    }

    /// <summary>Pages that the guest wrote in each second, from beat to beat.</summary>
    private static List<double> Rates(LiveGuest guest)
    {
        var beats = guest.Lines.Select(Heartbeat.Parse).OfType<Heartbeat>().ToList();
        return [.. beats.Zip(beats.Skip(1)).Select(p => (p.Second.Writes - p.First.Writes) * 1e7 / (p.Second.Time - p.First.Time))];
    }
}

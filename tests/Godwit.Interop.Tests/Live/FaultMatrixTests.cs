using Godwit.Testing;
using Xunit.Abstractions;

namespace Godwit.Interop.Tests.Live;

/// <summary>Whatever breaks, wherever in the stream: the guest never runs on both sides and is never lost, and moves on afterwards. With GODWIT_FAULTS=all
/// at every boundary and in the midst of every section, with a move after each, and between two QEMUs, too, for comparison.</summary>
public sealed class FaultMatrixTests(ITestOutputHelper output)
{
    private static readonly bool s_all = Environment.GetEnvironmentVariable("GODWIT_FAULTS") == "all";

    public static TheoryData<string, string, Fault> Rows
    {
        get
        {
            var rows = new TheoryData<string, string, Fault>();
            foreach (var fault in Enum.GetValues<Fault>())
            {
                rows.Add("godwit", "godwit", fault);
                if (s_all || fault != Fault.Stall)
                    rows.Add("godwit", "qemu", fault);
                // A QEMU's monitor may not answer in the switchover: nothing could be cancelled.
                if (fault == Fault.Stall)
                    continue;
                rows.Add("qemu", "godwit", fault);
                if (s_all)
                    rows.Add("qemu", "qemu", fault);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task The_guest_is_on_one_side(string from, string to, Fault fault)
    {
        LiveGuest? guest = null;
        try
        {
            var places = s_all ? await FaultPlace.AllAsync(from) : await FaultPlace.SomeAsync(from);
            foreach (var place in places)
            {
                guest ??= await StartAsync(from);
                var source = guest.Machine;
                var survives = await MeetAsync(guest, from, to, place, fault);
                if (survives && (s_all || place == places[^1] || guest.Machine != source))
                {
                    await guest.MoveAsync(new LiveMove(from));
                    await guest.LiveOnAsync(2);
                }

                if (survives)
                    continue;
                await guest.DisposeAsync();
                guest = null;
            }
        }
        finally
        {
            if (guest is not null)
                await guest.DisposeAsync();
        }
    }

    /// <returns>False where there is no one guest any more.</returns>
    private async Task<bool> MeetAsync(LiveGuest guest, string from, string to, FaultPlace place, Fault fault)
    {
        var what = $"{from} to {to}, {fault} at {place}";
        try
        {
            await using var scene = await FaultScene.PrepareAsync(guest, to, place, fault);
            var outcome = await scene.RunAsync();
            output.WriteLine($"{what}: {outcome}");
            outcome.Require(from, to, place, fault);
            return !(outcome.RunsAtSource && outcome.RunsAtDestination) && await scene.FindGuestAsync(outcome);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{what}: {e.Message}; the source: {guest.Machine.Errors}", e);
        }
    }

    private static async Task<LiveGuest> StartAsync(string machine)
    {
        var guest = await LiveGuest.StartAsync(GuestKind.Heartbeat("pages=1k rate=8k pattern=random"), machine);
        await guest.LiveOnAsync(1);
        return guest;
    }
}

using Godwit.Memory;
using Godwit.Migration.Control;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Tests;

/// <summary>Sections that go while the guest runs, between two machines.</summary>
public sealed class LiveSectionTests
{
    [Theory]
    [InlineData("unix")]
    [InlineData("tcp")]
    public void They_arrive_in_rounds_as_memory_does(string scheme)
    {
        using var pair = new MachinePair(scheme);
        var (there, here) = Add(pair, new LiveBlocks("disk", 40, 10_000) { ChangesLeft = 5 }, new LiveBlocks("disk", 40, 10_000, empty: true));
        var (second, other) = Add(pair, new LiveBlocks("0000:01/gpu", 3, 3 << 20) { InstanceId = 4 }, new LiveBlocks("0000:01/gpu", 3, 3 << 20, empty: true) { InstanceId = 4 });
        pair.Set("return-path");
        pair.From.Parameters = new Parameters { MaxBandwidth = 20 << 20, DowntimeLimit = 50 };

        pair.Run();

        Assert.Equal(("", ""), (pair.Error, pair.IncomingError));
        Assert.Equal("setup active device completed", pair.SourceStates);
        Assert.Equal(there.Content, here.Content);
        Assert.Equal(second.Content, other.Content);
        AssertMemory(pair);
        Assert.StartsWith("setup estimate ", there.Calls, StringComparison.Ordinal);
        Assert.EndsWith("exact complete cleanup", there.Calls, StringComparison.Ordinal);
        Assert.StartsWith("load setup load Start load Part", here.Calls, StringComparison.Ordinal);
        Assert.EndsWith("switchover load End load cleanup", here.Calls, StringComparison.Ordinal);
    }

    [Fact]
    public void The_stream_has_START_PARTs_and_END_of_each_with_an_id_of_its_own()
    {
        using var pair = new MachinePair();
        Add(pair, new LiveBlocks("disk", 40, 10_000) { ChangesLeft = 5 }, new LiveBlocks("disk", 40, 10_000, empty: true));
        Add(pair, new LiveBlocks("disk", 2, 100) { InstanceId = 1 }, new LiveBlocks("disk", 2, 100, empty: true) { InstanceId = 1 });
        pair.Source.LiveSections = [.. pair.Source.LiveSections, new LiveBlocks("idle", 1, 1) { IsNeeded = false }];

        pair.Run();

        Assert.Equal("", pair.IncomingError);
        var sections = Sections(pair.Bytes, out var description);
        Assert.Equal(["ram", "disk", "disk/1", "early", "0000:00/late"], sections.Where(s => s.Type is SectionType.Start or SectionType.Full).Select(s => s.Label));
        Assert.Equal([1u, 3, 4, 0, 5], sections.Where(s => s.Type is SectionType.Start or SectionType.Full).Select(s => s.Id));
        foreach (var id in new uint[] { 1, 3, 4 })
        {
            var types = sections.Where(s => s.Id == id).Select(s => s.Type).ToList();
            Assert.Equal((SectionType.Start, SectionType.End), (types[0], types[^1]));
            Assert.All(types[1..^1], t => Assert.Equal(SectionType.Part, t));
        }

        Assert.True(sections.Count(s => s.Id == 3 && s.Type == SectionType.Part) > 1);
        // QEMU's description has the devices alone.
        Assert.DoesNotContain("disk", description, StringComparison.Ordinal);
        Assert.Contains("early", description, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_pending_counts_for_the_downtime()
    {
        using var pair = new MachinePair(busy: false);
        // More than goes in the downtime allowed, each time it is asked: the guest may not be stopped.
        var (there, here) = Add(pair, new LiveBlocks("disk", 64, 100_000) { ChangesLeft = 12 }, new LiveBlocks("disk", 64, 100_000, empty: true));
        pair.From.Parameters = new Parameters { DowntimeLimit = 1, AvailSwitchoverBandwidth = 100 << 20 };
        var changesAtStop = -1;
        pair.Source.OnStop = () => changesAtStop = there.ChangesLeft;

        pair.Run();

        Assert.Equal("", pair.IncomingError);
        Assert.Equal(0, changesAtStop);
        Assert.Equal(there.Content, here.Content);
        Assert.True(pair.From.Query().Ram!.DirtySyncCount > 12);
    }

    [Fact]
    public void The_guest_runs_until_the_other_end_approves()
    {
        // So few that some passes fit what lies between two ends of which one doesn't read.
        using var pair = new MachinePair(pages: 16);
        var (there, here) = Add(pair, new LiveBlocks("disk", 10, 1000) { NeedsSwitchoverAck = true }, new LiveBlocks("disk", 10, 1000, empty: true) { NeedsSwitchoverAck = true });
        pair.Set("return-path", "switchover-ack");
        using var passes = new SemaphoreSlim(0);
        var approved = false;
        pair.From.PassStarted = _ => passes.Release();
        here.On = c =>
        {
            if (c != "approve")
                return;
            // The source has sent all and goes round without an end to it.
            while (passes.Wait(0))
            {
            }

            for (var i = 0; i < 3; i++)
                Assert.True(passes.Wait(TimeSpan.FromSeconds(30)));
            Assert.True(pair.Source.Runs);
            approved = true;
        };
        var atStop = false;
        pair.Source.OnStop = () => atStop = approved;

        pair.Run();

        Assert.Equal(("", ""), (pair.Error, pair.IncomingError));
        Assert.True(atStop);
        Assert.Equal([ReturnPathType.Pong, ReturnPathType.SwitchoverAck, ReturnPathType.Shut], pair.Answers);
        Assert.Equal(there.Content, here.Content);
    }

    [Fact]
    public void A_guest_that_stands_waits_for_no_approval_and_none_is_asked_for_with_the_capability_off()
    {
        foreach (var capabilities in new string[][] { ["return-path", "switchover-ack"], ["return-path"] })
        {
            using var pair = new MachinePair(busy: capabilities.Length == 1);
            Add(pair, new LiveBlocks("disk", 10, 1000) { NeedsSwitchoverAck = true }, new LiveBlocks("disk", 10, 1000, empty: true));
            pair.Set(capabilities);
            pair.Run();
            Assert.True(pair.Error.Length + pair.IncomingError.Length == 0, $"{capabilities.Length}: {pair.Error}; {pair.IncomingError}");
        }
    }

    /// <summary>A source that waits for no approval has said all when the section gives it.</summary>
    [Fact]
    public void An_approval_needs_no_more_to_come()
    {
        using var pair = new MachinePair(pages: 64, busy: false);
        Add(pair, new LiveBlocks("disk", 10, 1000) { NeedsSwitchoverAck = true }, new LiveBlocks("disk", 10, 1000, empty: true));
        pair.Set("return-path", "switchover-ack");
        pair.Run();
        using var written = new ManualResetEventSlim();
        using var machine = new TestMachine(64, empty: true);
        machine.LiveSections = [new LiveBlocks("disk", 10, 1000, empty: true) { On = call => Wait(call, written) }];

        var run = IncomingRun.Play(machine, pair.Bytes, capabilities: ["return-path", "switchover-ack"], written: written.Set);

        Assert.Equal("", run.Error);
        Assert.Contains(run.Answers, a => a.Type == ReturnPathType.SwitchoverAck);

        static void Wait(string call, ManualResetEventSlim written)
        {
            if (call == "load setup")
                written.Wait();
        }
    }

    [Fact]
    public void An_approval_wanted_when_the_guest_stands_already_fails()
    {
        using var pair = new MachinePair();
        var (there, _) = Add(pair, new LiveBlocks("disk", 10, 1000) { NeedsSwitchoverAck = true }, new LiveBlocks("disk", 10, 1000, empty: true) { NeedsSwitchoverAck = true });
        pair.Set("return-path", "switchover-ack");
        pair.Source.OnStop = there.AskAgain;

        pair.Run();

        AssertRunsAtSource(pair);
        Assert.Contains("Switchover ACK was requested by 1 devices during switchover", pair.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("setup")]
    [InlineData("estimate")]
    [InlineData("exact")]
    [InlineData("iterate")]
    [InlineData("complete")]
    public void What_fails_at_the_source_leaves_the_guest_there(string phase)
    {
        using var pair = new MachinePair();
        var (there, here) = Add(pair, new LiveBlocks("disk", 10, 1000), new LiveBlocks("disk", 10, 1000, empty: true));
        there.On = c => ThrowAt(phase, c);
        pair.Set("return-path");

        pair.Run();

        AssertRunsAtSource(pair);
        Assert.Contains("broken in " + phase, pair.Error, StringComparison.Ordinal);
        Assert.EndsWith(phase + " cleanup", there.Calls, StringComparison.Ordinal);
        // What fails in its setup has sent nothing yet.
        Assert.EndsWith(phase == "setup" ? "" : "load cleanup", here.Calls, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("load setup")]
    [InlineData("load Start")]
    [InlineData("load Part")]
    [InlineData("switchover")]
    [InlineData("load End")]
    public void What_fails_at_the_destination_leaves_the_guest_at_the_source(string phase)
    {
        using var pair = new MachinePair();
        var (there, here) = Add(pair, new LiveBlocks("disk", 10, 1000), new LiveBlocks("disk", 10, 1000, empty: true));
        here.On = c => ThrowAt(phase, c);
        pair.Set("return-path");

        pair.Run();

        AssertRunsAtSource(pair);
        Assert.Contains("broken in " + phase, pair.IncomingError, StringComparison.Ordinal);
        Assert.EndsWith("cleanup", there.Calls, StringComparison.Ordinal);
        Assert.EndsWith(phase + " load cleanup", here.Calls, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("iterate")]
    [InlineData("complete")]
    public void Cancelled_it_is_cleaned_up(string phase)
    {
        using var pair = new MachinePair();
        var (there, _) = Add(pair, new LiveBlocks("disk", 10, 1000), new LiveBlocks("disk", 10, 1000, empty: true));
        there.On = c =>
        {
            if (c == phase)
                pair.From.Cancel();
        };

        pair.Run();

        Assert.EndsWith("cancelling cancelled", pair.SourceStates, StringComparison.Ordinal);
        Assert.True(pair.Source.Runs);
        Assert.EndsWith(phase + " cleanup", there.Calls, StringComparison.Ordinal);
        Assert.Contains("discard", pair.Destination.Calls);
    }

    [Fact]
    public void Two_of_one_name_are_refused_before_anything_is_sent()
    {
        using var pair = new MachinePair();
        Add(pair, new LiveBlocks("disk", 1, 1), new LiveBlocks("disk", 1, 1));
        pair.Source.LiveSections = [.. pair.Source.LiveSections, new LiveBlocks("disk", 1, 1)];

        pair.Run();

        AssertRunsAtSource(pair);
        Assert.Contains("two of the machine's live sections are called 'disk', instance 0", pair.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void One_called_like_memory_is_refused()
    {
        using var pair = new MachinePair();
        pair.Source.LiveSections = [new LiveBlocks("ram", 1, 1)];
        pair.Run();
        AssertRunsAtSource(pair);
        Assert.Contains("can't be called 'ram'", pair.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("disk", 3u, 3u, "version 2 is too old")]
    [InlineData("disk", 1u, 1u, "version 2 is too new")]
    [InlineData("floppy", 2u, 2u, "a live section that this machine doesn't have")]
    public void Another_machines_is_refused(string name, uint version, uint minimum, string error)
    {
        using var pair = new MachinePair();
        Add(pair, new LiveBlocks("disk", 10, 1000), new LiveBlocks(name, 10, 1000) { Version = version, MinimumVersion = minimum });
        pair.Set("return-path");
        pair.Run();
        AssertRunsAtSource(pair);
        Assert.Contains(error, pair.IncomingError, StringComparison.Ordinal);
    }

    internal static (LiveBlocks There, LiveBlocks Here) Add(MachinePair pair, LiveBlocks there, LiveBlocks here)
    {
        pair.Source.LiveSections = [.. pair.Source.LiveSections, there];
        pair.Destination.LiveSections = [.. pair.Destination.LiveSections, here];
        return (there, here);
    }

    internal static void AssertRunsAtSource(MachinePair pair)
    {
        AssertEndsAtSource(pair);
        Assert.True(pair.Source.Runs);
    }

    internal static void AssertEndsAtSource(MachinePair pair)
    {
        Assert.EndsWith("failing failed", pair.SourceStates, StringComparison.Ordinal);
        Assert.DoesNotContain("hand over", pair.Source.Calls);
        Assert.DoesNotContain("start", pair.Destination.Calls);
    }

    internal static void AssertMemory(MachinePair pair)
    {
        foreach (var (there, here) in pair.Source.RamBlocks.Zip(pair.Destination.RamBlocks))
        {
            for (var offset = 0UL; offset < there.Length; offset += GuestPage.Size)
                Assert.True(there.Read(offset, GuestPage.Size).SequenceEqual(here.Read(offset, GuestPage.Size)), $"page 0x{offset:x} of {there.IdStr}");
        }
    }

    internal static List<SectionHeader> Sections(byte[] stream, out string description)
    {
        var sections = new List<SectionHeader>();
        var reader = new MigrationStreamReader();
        var text = new List<byte>();
        var at = 0;
        while (reader.Read(stream.AsSpan(at), true, out var element, out _))
        {
            at += (int)element.Length;
            if (element.Kind == StreamElementKind.SectionStart)
                sections.Add(reader.Section!);
            else if (element.Kind == StreamElementKind.VmDescriptionData)
                text.AddRange(element.Payload);
        }

        description = System.Text.Encoding.UTF8.GetString([.. text]);
        return sections;
    }

    private static void ThrowAt(string phase, string call)
    {
        if (call == phase)
            throw new InvalidOperationException("broken in " + phase);
    }
}

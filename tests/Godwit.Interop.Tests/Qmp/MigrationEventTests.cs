using Godwit.Testing;

namespace Godwit.Interop.Tests.Qmp;

/// <summary>A busy guest moves: both ends' clients are told the same, in the same order, wherever the other end is.</summary>
public sealed class MigrationEventTests
{
    public static TheoryData<string, string> Moves => new()
    {
        { "unix", "+events" },
        { "unix", "+events +return-path" },
        { "unix", "+events +return-path +switchover-ack +pause-before-switchover" },
        { "file", "+events" },
        { "unix", "+events paused" },
    };

    [Theory]
    [MemberData(nameof(Moves))]
    public void Both_ends_tell_what_QEMU_tells(string transport, string options)
    {
        var expected = Move("qemu", "qemu", transport, options);
        var found = Move("godwit", "godwit", transport, options);
        Assert.Equal(expected.Source, found.Source);
        Assert.Equal(expected.Destination, found.Destination);
    }

    private static (string Source, string Destination) Move(string from, string to, string transport, string options)
    {
        var words = options.Split(' ');
        string[] machine = [.. Heartbeat.Machine("pages=200 rate=2k pattern=random"), "-monitor", "none"];
        using var source = QmpConversation.Start(MachineCommand.Live(from), machine);
        using var destination = QmpConversation.Start(MachineCommand.Live(to), [.. machine, "-incoming", "defer", .. words.Contains("paused") ? ["-S"] : Array.Empty<string>()]);
        List<string> told = Prepare(source, words), toldThere = Prepare(destination, words);
        var uri = transport == "file" ? $"file:{source.Folder}/stream" : $"unix:{destination.Folder}/stream";
        var incoming = $$"""{"execute":"migrate-incoming","arguments":{"uri":"{{uri}}"} }""";
        if (transport != "file")
            toldThere.AddRange(destination.Say(incoming));
        told.AddRange(source.Say("""{"execute":"migrate-set-parameters","arguments":{"downtime-limit":2000}}"""));
        told.AddRange(source.Say($$"""{"execute":"migrate","arguments":{"uri":"{{uri}}"} }"""));
        if (words.Contains("+pause-before-switchover"))
        {
            told.AddRange(source.WaitFor("query-migrate", "pre-switchover"));
            told.AddRange(source.Say("""{"execute":"migrate-continue","arguments":{"state":"pre-switchover"}}"""));
        }

        told.AddRange(source.WaitFor("query-migrate", "completed"));
        told.AddRange(source.WaitFor("query-status", "postmigrate"));
        if (transport == "file")
            toldThere.AddRange(destination.Say(incoming));
        toldThere.AddRange(destination.WaitFor("query-migrate", "completed"));
        toldThere.AddRange(destination.WaitFor("query-status", words.Contains("paused") ? "paused" : "running"));
        told.AddRange(source.Say("""{"execute":"quit"}"""));
        toldThere.AddRange(destination.Say("""{"execute":"quit"}"""));
        return (Events(told, source.Folder), Events(toldThere, destination.Folder));
    }

    private static List<string> Prepare(QmpConversation machine, string[] words)
    {
        var told = machine.Say("""{"execute":"qmp_capabilities"}""");
        var on = words.Where(w => w[0] == '+').Select(w => $$"""{"capability":"{{w[1..]}}","state":true}""");
        told.AddRange(machine.Say($$"""{"execute":"migrate-set-capabilities","arguments":{"capabilities":[{{string.Join(',', on)}}] } }"""));
        return told;
    }

    /// <summary>How many rounds there are, no two migrations have in common; that they are counted from 2 without a gap, they have.</summary>
    private static string Events(List<string> messages, string folder)
    {
        var events = new List<string>();
        var pass = 2;
        foreach (var message in messages.Select(m => Comparable.Of(m, folder)).Where(Comparable.IsEvent))
        {
            var isPass = message.Contains("MIGRATION_PASS", StringComparison.Ordinal);
            if (isPass)
                Assert.Equal($$$"""{"data":{"pass":{{{pass++}}}},"event":"MIGRATION_PASS"}""", message);
            if (!isPass || !events.Contains("passes"))
                events.Add(isPass ? "passes" : message);
        }

        return string.Join('\n', events);
    }
}

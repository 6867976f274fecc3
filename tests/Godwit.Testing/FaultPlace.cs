using Godwit.Monitor;

namespace Godwit.Testing;

/// <summary>How far a migration has come at a place of its stream.</summary>
public enum FaultStage
{
    Setup,

    /// <summary>Memory is on its way, and bandwidth to be so little that it stays so.</summary>
    Round,

    /// <summary>The source's guest stands, and all but the end may have left the source.</summary>
    Switchover,

    /// <summary>The end has left the source.</summary>
    End,

    /// <summary>The destination gets all of it, but can't answer any more.</summary>
    NoWayBack,

    /// <summary>The destination gets all of it and says so, and the source doesn't hear it.</summary>
    ShutIsLost,
}

/// <summary>A place in a migration stream, found while it goes by: so many bytes behind a pattern, or behind the stream's beginning.</summary>
/// <param name="Pattern">Bytes that stand in the stream once, before the place; none: the stream's beginning.</param>
public sealed record FaultPlace(string Name, FaultStage Stage, byte[] Pattern, long After)
{
    private const int Footer = 5;

    public override string ToString() => Name;

    /// <summary>One of each kind.</summary>
    public static async Task<List<FaultPlace>> SomeAsync(string source)
    {
        var all = await AllAsync(source);
        string[] names = ["setup", "a round", "switchover", "in fw_cfg", "before the last byte", "no way back", "SHUT is lost"];
        return [.. names.Select(n => all.Single(p => p.Name == n))];
    }

    /// <summary>Every boundary and the midst of every section, as a machine of a kind writes them.</summary>
    public static async Task<List<FaultPlace>> AllAsync(string source)
    {
        var stream = await FreshStreamAsync(source);
        var ramHeader = stream.AsSpan().IndexOf("\u0003ram\0\0\0\0\0\0\0\u0004"u8);
        var ram = stream[(ramHeader - 5)..(ramHeader + 12)];
        var switchover = stream.AsSpan().LastIndexOf("\u0008\0\u000b\0\0\u0003"u8);
        var command = stream[(switchover - Footer)..(switchover + Footer)];
        var places = new List<FaultPlace>
        {
            new("header", FaultStage.Setup, [], 4),
            new("configuration", FaultStage.Setup, [], 12),
            new("before memory", FaultStage.Setup, [], ramHeader - 5),
            new("setup", FaultStage.Setup, ram, 12),
            new("the first round", FaultStage.Round, [], 2 << 20),
            new("a round", FaultStage.Round, [], 7 << 20),
            new("before switchover", FaultStage.Switchover, stream[(switchover - Footer)..(switchover + 2)], 0),
            new("switchover", FaultStage.Switchover, command, 0),
            new("memory's end", FaultStage.Switchover, command, 5),
        };
        var devices = SavedDevices.Of(stream).ToList();
        foreach (var device in devices)
        {
            var header = device.Section[..^(device.Body.Length + Footer)];
            var name = device.Structure.InstanceId == 0 ? device.Structure.Name : device.Label;
            places.Add(new($"before {name}", FaultStage.Switchover, header, 0));
            places.Add(new($"in {name}", FaultStage.Switchover, header, device.Body.Length / 2));
            places.Add(new($"in the footer of {name}", FaultStage.Switchover, header, device.Body.Length + 2));
        }

        var last = devices[^1];
        var lastHeader = last.Section[..^(last.Body.Length + Footer)];
        var eof = last.Body.Length + Footer;
        var end = eof + 1 + 5 + SavedDevices.Description(stream).Length;
        places.Add(new("before EOF", FaultStage.Switchover, lastHeader, eof));
        places.Add(new("behind EOF", FaultStage.End, lastHeader, eof + 1));
        places.Add(new("in the description", FaultStage.End, lastHeader, (eof + end) / 2));
        places.Add(new("before the last byte", FaultStage.End, lastHeader, end - 1));
        places.Add(new("no way back", FaultStage.NoWayBack, lastHeader, end - 1));
        places.Add(new("SHUT is lost", FaultStage.ShutIsLost, [], 0));
        return places;
    }

    private static async Task<byte[]> FreshStreamAsync(string source)
    {
        var command = MachineCommand.Live(source);
        await using var machine = await QemuProcess.StartAsync(command.Program, [.. command.Arguments, .. GuestKind.Heartbeat().Options, "-S"]);
        await machine.Qmp.MigrateAsync($"file:{machine.Folder}/stream");
        var status = (await machine.Qmp.WaitForMigrationAsync()).GetProperty("status").GetString();
        return status == "completed" ? await File.ReadAllBytesAsync($"{machine.Folder}/stream") : throw new InvalidOperationException($"{source}: {status}");
    }
}

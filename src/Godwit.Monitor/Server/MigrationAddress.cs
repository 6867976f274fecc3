using System.Globalization;
using Godwit.Migration.Channels;

namespace Godwit.Monitor.Server;

/// <summary>Where a migration goes to or comes from: a URI, or a list of channels. Source: QEMU qapi/migration.json, MigrationChannel.</summary>
internal static class MigrationAddress
{
    /// <exception cref="QmpError">Neither is given, or it is no address that is supported.</exception>
    public static MigrationUri Take(QmpArguments arguments)
    {
        var uri = arguments.OptionalString("uri");
        var channels = arguments.Has("channels") ? [.. arguments.Objects("channels").Select(FromChannel)] : new List<MigrationUri>();
        if (channels.Count > 1)
            throw new QmpError("Channel list has more than one main entry");
        if (uri is not null && channels.Count > 0)
            throw new QmpError("'uri' and 'channels' arguments are mutually exclusive; exactly one of the two should be present in 'migrate' qmp command ");
        if (channels.Count > 0)
            return channels[0];
        return uri is null ? throw new QmpError("need either 'uri' or 'channels' argument") : Parse(uri);
    }

    public static MigrationUri Parse(string uri)
    {
        var scheme = uri.Split(':', 2)[0];
        if (!uri.Contains(':', StringComparison.Ordinal) || scheme is not ("tcp" or "unix" or "fd" or "exec" or "file" or "rdma" or "vsock"))
            throw new QmpError($"unknown migration protocol: {uri}");
        try
        {
            return MigrationUri.Parse(uri);
        }
        catch (FormatException e)
        {
            throw new QmpError(scheme == "tcp" ? $"error parsing address '{uri["tcp:".Length..]}'" : e.Message);
        }
    }

    private static MigrationUri FromChannel(QmpArguments channel)
    {
        if (channel.Enumeration("channel-type", "main", "cpr") == "cpr")
            throw new QmpError("Channel type 'cpr' is not supported");
        var address = channel.Object("addr");
        channel.Finish();
        var uri = address.Enumeration("transport", "socket", "exec", "rdma", "file") switch
        {
            "socket" => FromSocket(address),
            "exec" => FromCommand(address.Strings("args")),
            "file" => new MigrationUri(MigrationScheme.File, Path: address.String("filename"), FileOffset: Offset(address.Unsigned("offset", 64))),
            var other => throw new QmpError($"Transport '{other}' is not supported"),
        };
        address.Finish();
        return uri;
    }

    private static MigrationUri FromSocket(QmpArguments address)
    {
        switch (address.Enumeration("type", "inet", "unix", "vsock", "fd"))
        {
            case "inet":
                var host = address.String("host");
                var port = address.String("port");
                return int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= ushort.MaxValue
                    ? new MigrationUri(MigrationScheme.Tcp, Host: host, Port: number)
                    : throw new QmpError($"port '{port}' is no number from 0 to {ushort.MaxValue}");
            case "unix":
                return new MigrationUri(MigrationScheme.Unix, Path: address.String("path"));
            case "fd":
                var text = address.String("str");
                return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var descriptor)
                    ? new MigrationUri(MigrationScheme.Fd, Descriptor: descriptor)
                    : throw new QmpError($"File descriptor named '{text}' has not been found");
            default:
                throw new QmpError("Socket type 'vsock' is not supported");
        }
    }

    // The words are a program's, not a shell's: quoted, a shell hands them on as they are.
    private static MigrationUri FromCommand(List<string> words) => words.Count == 0
        ? throw new QmpError("Channel of transport 'exec' has no words")
        : new MigrationUri(MigrationScheme.Exec, Command: "exec " + string.Join(' ', words.Select(w => $"'{w.Replace("'", @"'\''", StringComparison.Ordinal)}'")));

    private static long Offset(ulong offset) => offset <= long.MaxValue ? (long)offset : throw new QmpError("file URI has bad offset");
}

using System.Globalization;
using Godwit.Migration.Channels;
using Microsoft.Win32.SafeHandles;

namespace Godwit.Monitor.Server;

/// <summary>Where a migration goes to or comes from: a URI, or a list of channels. Source: QEMU qapi/migration.json, MigrationChannel.</summary>
internal static class MigrationAddress
{
    /// <summary>Checks types at once; what is said by them when it is asked for.</summary>
    /// <exception cref="QmpError">Neither is given, or it is no address that is supported.</exception>
    public static Func<MigrationUri> Read(QmpArguments arguments)
    {
        var uri = arguments.OptionalString("uri");
        var channels = arguments.Has("channels") ? [.. arguments.Objects("channels").Select(FromChannel)] : new List<Func<MigrationUri>>();
        return () =>
        {
            if (uri is null == (channels.Count == 0))
                throw new QmpError("need either 'uri' or 'channels' argument");
            if (channels.Count > 1)
                throw new QmpError("Channel list has more than one main entry");
            return uri is null ? channels[0]() : Parse(uri);
        };
    }

    public static MigrationUri Parse(string uri)
    {
        var colon = uri.IndexOf(':', StringComparison.Ordinal);
        var rest = uri[(colon + 1)..];
        switch (colon < 0 ? "" : uri[..colon])
        {
            case "tcp":
                return Parse(uri, $"error parsing address '{rest}'");
            case "unix":
                return Parse(uri, "invalid Unix socket address");
            case "fd":
                return rest.Length == 0 ? throw new QmpError("invalid file descriptor address") : FromDescriptor(rest);
            case "file" when rest.Length == 0:
                return new MigrationUri(MigrationScheme.File);
            case "file":
                return Parse(uri, $"file URI has bad offset {rest[(rest.LastIndexOf('=') + 1)..]}: Invalid argument");
            case "exec" or "rdma" or "vsock":
                return Parse(uri, null);
            default:
                throw new QmpError($"unknown migration protocol: {uri}");
        }
    }

    private static MigrationUri Parse(string uri, string? otherwise)
    {
        try
        {
            return MigrationUri.Parse(uri);
        }
        catch (FormatException e)
        {
            throw new QmpError(otherwise ?? e.Message);
        }
    }

    private static Func<MigrationUri> FromChannel(QmpArguments channel)
    {
        var type = channel.Enumeration("channel-type", "main", "cpr");
        var address = channel.Object("addr");
        channel.Finish();
        var uri = FromAddress(address);
        address.Finish();
        return type == "main" ? uri : throw new QmpError("Channel type 'cpr' is not supported");
    }

    private static Func<MigrationUri> FromAddress(QmpArguments address)
    {
        switch (address.Enumeration("transport", "socket", "exec", "rdma", "file"))
        {
            case "socket":
                return FromSocket(address);
            case "exec":
                var words = address.Strings("args");
                return () => FromCommand(words);
            case "file":
                var (path, offset) = (address.String("filename"), address.Unsigned("offset", 64));
                return () => new MigrationUri(MigrationScheme.File, Path: path, FileOffset: Offset(offset));
            default:
                throw new QmpError("Transport 'rdma' is not supported");
        }
    }

    private static Func<MigrationUri> FromSocket(QmpArguments address)
    {
        switch (address.Enumeration("type", "inet", "unix", "vsock", "fd"))
        {
            case "inet":
                var host = address.String("host");
                var port = address.String("port");
                return () => int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= ushort.MaxValue
                    ? new MigrationUri(MigrationScheme.Tcp, Host: host, Port: number)
                    : throw new QmpError($"port '{port}' is no number from 0 to {ushort.MaxValue}");
            case "unix":
                var path = address.String("path");
                return () => new MigrationUri(MigrationScheme.Unix, Path: path);
            case "fd":
                var text = address.String("str");
                return () => FromDescriptor(text);
            default:
                throw new QmpError("Socket type 'vsock' is not supported");
        }
    }

    /// <summary>A number that this process was started with, or a name that getfd gave.</summary>
    private static MigrationUri FromDescriptor(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        ? new MigrationUri(MigrationScheme.Fd, Descriptor: number)
        : new MigrationUri(MigrationScheme.Fd, Descriptor: NamedDescriptors.Take(text), Path: text);

    /// <summary>What wasn't used keeps its name.</summary>
    public static void GiveBack(MigrationUri uri)
    {
        if (uri is { Scheme: MigrationScheme.Fd, Path.Length: > 0 })
            NamedDescriptors.Add(uri.Path, new SafeFileHandle(uri.Descriptor, ownsHandle: true));
    }

    // The words are a program's, not a shell's: quoted, a shell hands them on as they are.
    private static MigrationUri FromCommand(List<string> words) => words.Count == 0
        ? throw new QmpError("Channel of transport 'exec' has no words")
        : new MigrationUri(MigrationScheme.Exec, Command: "exec " + string.Join(' ', words.Select(w => $"'{w.Replace("'", @"'\''", StringComparison.Ordinal)}'")));

    private static long Offset(ulong offset) => offset <= long.MaxValue ? (long)offset : throw new QmpError("file URI has bad offset");
}

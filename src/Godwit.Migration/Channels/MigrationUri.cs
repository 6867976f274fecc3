using System.Globalization;

namespace Godwit.Migration.Channels;

public enum MigrationScheme
{
    Tcp,
    Unix,
    Fd,
    Exec,
    File,
}

/// <summary>A migration address in QEMU's spelling. Source: QEMU migration/migration.c, migrate_uri_parse.</summary>
/// <param name="Host">Host of <c>tcp:</c>; empty for every address of this host.</param>
/// <param name="Port">Port of <c>tcp:</c>; 0 lets a listener choose.</param>
/// <param name="Path">Path of <c>unix:</c> and <c>file:</c>; the name of an <c>fd:</c> that has one.</param>
/// <param name="Descriptor">Number of <c>fd:</c>.</param>
/// <param name="Command">Shell command of <c>exec:</c>.</param>
/// <param name="FileOffset">Bytes from the start of the file, of <c>file:PATH,offset=N</c>.</param>
public sealed record MigrationUri(MigrationScheme Scheme, string Host = "", int Port = 0, string Path = "", int Descriptor = 0, string Command = "", long FileOffset = 0)
{
    private const string OffsetOption = ",offset=";

    /// <exception cref="FormatException">The text is no such address; the message says what is wrong and what would be right.</exception>
    public static MigrationUri Parse(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var rest = colon < 0 ? "" : text[(colon + 1)..];
        var scheme = colon < 0 ? text : text[..colon];
        if (colon >= 0 && rest.Length == 0 && scheme is "tcp" or "unix" or "fd" or "exec" or "file")
            throw new FormatException($"'{text}' names nothing after '{scheme}:'");
        return scheme switch
        {
            "tcp" => ParseTcp(text, rest),
            "unix" => new MigrationUri(MigrationScheme.Unix, Path: rest),
            "fd" when int.TryParse(rest, NumberStyles.None, CultureInfo.InvariantCulture, out var fd) => new MigrationUri(MigrationScheme.Fd, Descriptor: fd),
            "fd" => throw new FormatException($"'{text}': fd: takes the number of an open file descriptor"),
            "exec" => new MigrationUri(MigrationScheme.Exec, Command: rest),
            "file" => ParseFile(text, rest),
            "rdma" or "vsock" => throw new FormatException($"'{text}': {scheme}: is not supported; use tcp:, unix:, fd:, exec: or file:"),
            _ => throw new FormatException($"'{text}' is no migration address; it is tcp:HOST:PORT, unix:PATH, fd:N, exec:COMMAND or file:PATH[,offset=N]"),
        };
    }

    public override string ToString() => Scheme switch
    {
        MigrationScheme.Tcp => Host.Contains(':', StringComparison.Ordinal) ? $"tcp:[{Host}]:{Port}" : $"tcp:{Host}:{Port}",
        MigrationScheme.Unix => $"unix:{Path}",
        MigrationScheme.Fd => $"fd:{Descriptor}",
        MigrationScheme.Exec => $"exec:{Command}",
        _ => FileOffset == 0 ? $"file:{Path}" : $"file:{Path}{OffsetOption}{FileOffset}",
    };

    private static MigrationUri ParseTcp(string text, string rest)
    {
        var colon = rest.LastIndexOf(':');
        if (colon < 0 || !int.TryParse(rest[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port > ushort.MaxValue)
            throw new FormatException($"'{text}': tcp: takes HOST:PORT, with a port from 0 to {ushort.MaxValue}");
        var host = rest[..colon];
        if (host.StartsWith('[') && host.EndsWith(']'))
            host = host[1..^1];
        return new MigrationUri(MigrationScheme.Tcp, Host: host, Port: port);
    }

    private static MigrationUri ParseFile(string text, string rest)
    {
        var at = rest.LastIndexOf(OffsetOption, StringComparison.Ordinal);
        if (at < 0)
            return new MigrationUri(MigrationScheme.File, Path: rest);
        if (!ByteSize.TryParse(rest[(at + OffsetOption.Length)..], 1, out var offset) || offset > long.MaxValue)
            throw new FormatException($"'{text}': offset takes a number of bytes");
        return new MigrationUri(MigrationScheme.File, Path: rest[..at], FileOffset: (long)offset);
    }
}

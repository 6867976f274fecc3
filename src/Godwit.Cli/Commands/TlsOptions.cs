using System.CommandLine;
using Godwit.Cli.Output;
using Godwit.Migration;
using Godwit.Migration.Channels;
using Godwit.Migration.Tls;

namespace Godwit.Cli.Commands;

/// <summary>The options of <c>receive</c> and <c>send</c> that have a migration come or go over TLS; QEMU's ends of it are <c>tls-creds-x509</c> objects.</summary>
internal sealed class TlsOptions
{
    private readonly TlsEndpoint _endpoint;
    private readonly Option<string?> _folder = new("--tls-creds") { Description = "Speak TLS, with the certificates in this folder: ca-cert.pem, and QEMU's other names" };
    private readonly Option<bool> _verify = new("--tls-verify-peer") { Description = "Whether the other side's certificate must be good", DefaultValueFactory = static _ => true };
    private readonly Option<string?> _name;

    private TlsOptions(TlsEndpoint endpoint, Option<string?> name)
    {
        _endpoint = endpoint;
        _name = name;
    }

    /// <summary>Of <c>receive</c>.</summary>
    public static TlsOptions Server() => new(TlsEndpoint.Server, new("--tls-authz") { Description = "The distinguished name that the source's certificate must have, as QEMU spells it" });

    /// <summary>Of <c>send</c>.</summary>
    public static TlsOptions Client() => new(TlsEndpoint.Client, new("--tls-hostname") { Description = "Whom the destination's certificate must name, if not the host of the address" });

    public void AddTo(Command command)
    {
        command.Add(_folder);
        command.Add(_name);
        command.Add(_verify);
    }

    /// <returns>What makes a source's connection the channel to read from, and null of one that isn't taken; null: TLS isn't spoken.</returns>
    /// <exception cref="IOException">The files aren't what they must be, or the other side isn't whom it must be.</exception>
    public Func<Channel, Channel?>? Incoming(ParseResult parsed, CancellationToken cancellation)
    {
        if (Load(parsed) is not { } credentials)
            return null;
        var allowed = parsed.GetValue(_name);
        return channel =>
        {
            try
            {
                return TlsChannel.Server(channel, credentials, allowed is null ? null : name => string.Equals(name, allowed, StringComparison.Ordinal), cancellation);
            }
            catch (TlsRefusedException e)
            {
                Terminal.Error(e.Message);
                return null;
            }
        };
    }

    /// <exception cref="IOException">The files aren't what they must be, or the other side isn't whom it must be.</exception>
    public Channel Outgoing(ParseResult parsed, Func<bool, Channel> connect, MigrationUri uri, CancellationToken cancellation)
    {
        var credentials = Load(parsed);
        var channel = connect(credentials is not null);
        return credentials is null ? channel : TlsChannel.Client(channel, credentials, parsed.GetValue(_name) ?? (uri.Scheme == MigrationScheme.Tcp ? uri.Host : null), cancellation);
    }

    private TlsCredentials? Load(ParseResult parsed)
    {
        try
        {
            return parsed.GetValue(_folder) is { } folder
                ? TlsCredentialFiles.Load(new TlsCredentialOptions { Folder = folder, Endpoint = _endpoint, VerifyPeer = parsed.GetValue(_verify) })
                : null;
        }
        catch (MigrationRefusedException e)
        {
            throw new IOException(e.Message, e);
        }
    }
}

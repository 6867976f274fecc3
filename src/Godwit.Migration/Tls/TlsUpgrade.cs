using Godwit.Migration.Channels;
using Godwit.Migration.Control;

namespace Godwit.Migration.Tls;

/// <summary>Makes a migration's channels TLS ones, if the parameters say so (QEMU: migration/tls.c).</summary>
internal static class TlsUpgrade
{
    public static bool IsWanted(Parameters parameters) => parameters.TlsCreds.Length > 0;

    /// <summary>The source's end of a channel, which goes with the result, and where it fails.</summary>
    /// <exception cref="MigrationRefusedException">There are no such credentials.</exception>
    /// <exception cref="IOException">The handshake failed, or the destination isn't whom it must be.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Channel Outgoing(Channel channel, MigrationUri uri, Parameters parameters, SecurityObjects objects, CancellationToken cancellation)
    {
        if (!IsWanted(parameters))
            return channel;
        try
        {
            var credentials = objects.Credentials(parameters.TlsCreds, TlsEndpoint.Client);
            var hostname = parameters.TlsHostname.Length > 0 ? parameters.TlsHostname : uri.Scheme == MigrationScheme.Tcp ? uri.Host : null;
            return TlsChannel.Client(channel, credentials, hostname, cancellation);
        }
        catch
        {
            channel.Dispose();
            throw;
        }
    }

    /// <summary>The destination's end of a channel, which goes with the result, and where it fails.</summary>
    /// <exception cref="MigrationRefusedException">There are no such credentials.</exception>
    /// <exception cref="TlsRefusedException">The handshake failed, or the source isn't whom it must be.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Channel Incoming(Channel channel, Parameters parameters, SecurityObjects objects, CancellationToken cancellation)
    {
        if (!IsWanted(parameters))
            return channel;
        try
        {
            var credentials = objects.Credentials(parameters.TlsCreds, TlsEndpoint.Server);
            var authz = parameters.TlsAuthz;
            return TlsChannel.Server(channel, credentials, authz.Length == 0 ? null : name => objects.Authorization(authz).Allows(name), cancellation);
        }
        catch
        {
            channel.Dispose();
            throw;
        }
    }
}

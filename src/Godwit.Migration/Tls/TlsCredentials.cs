using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Godwit.Migration.Tls;

/// <summary>Which side of TLS credentials are for (QEMU: <c>QCryptoTLSCredsEndpoint</c>).</summary>
public enum TlsEndpoint
{
    /// <summary>A migration's source.</summary>
    Client,

    /// <summary>A migration's destination.</summary>
    Server,
}

/// <summary>An object <c>tls-creds-x509</c> (QEMU: crypto/tlscredsx509.c), its files read.</summary>
public sealed class TlsCredentials
{
    public required TlsEndpoint Endpoint { get; init; }

    /// <summary>Whether the other side's certificate is looked at.</summary>
    public bool VerifyPeer { get; init; } = true;

    /// <summary>Of <c>ca-cert.pem</c>: whose signature makes a certificate good.</summary>
    public required X509Certificate2Collection Authorities { get; init; }

    /// <summary>Of <c>ca-crl.pem</c>.</summary>
    public IReadOnlyList<RevocationList> Revoked { get; init; } = [];

    /// <summary>This side's certificate and key; a client may have none.</summary>
    public SslStreamCertificateContext? Own { get; init; }

    public SslProtocols Protocols { get; init; } = SslProtocols.None;
}

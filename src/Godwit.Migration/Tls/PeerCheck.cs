using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Godwit.Migration.Tls;

/// <summary>Whether the other side of a handshake is whom it must be. Source of the order and the words: QEMU crypto/tlssession.c, qcrypto_tls_session_check_certificate.</summary>
/// <param name="hostname">A client's: whom the certificate must name.</param>
/// <param name="authorize">A server's: whether that distinguished name may come; null: anybody.</param>
internal sealed class PeerCheck(TlsCredentials credentials, string? hostname, Func<string, bool>? authorize)
{
    private const X509ChainStatusFlags Ignored = X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.NotValidForUsage
        | X509ChainStatusFlags.RevocationStatusUnknown | X509ChainStatusFlags.OfflineRevocation;

    /// <summary>Signatures by MD5 and SHA-1.</summary>
    private static readonly string[] Insecure = ["1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", "1.2.840.10045.4.1"];

    /// <summary>Why it was refused; null: it wasn't, or not by this.</summary>
    public string? Refusal { get; private set; }

    /// <summary>Trust in these alone, by what is at hand: nothing is downloaded.</summary>
    public static X509ChainPolicy Policy(X509Certificate2Collection authorities, X509Certificate2Collection sent)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            VerificationFlags = X509VerificationFlags.AllowUnknownCertificateAuthority,
        };
        policy.CustomTrustStore.AddRange(authorities);
        policy.ExtraStore.AddRange(sent);
        policy.ExtraStore.AddRange(authorities);
        return policy;
    }

    /// <summary>As SslStream calls it.</summary>
    public bool Accepts(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (!credentials.VerifyPeer)
            return true;
        try
        {
            Refusal = certificate is not X509Certificate2 c ? "Verify failed: No certificate was found." : Refuse(c, chain?.ChainPolicy.ExtraStore ?? []);
        }
        catch (MigrationRefusedException e)
        {
            Refusal = e.Message;
        }

        return Refusal is null;
    }

    /// <returns>Why a certificate isn't trusted; null: it is.</returns>
    /// <param name="sent">What came with it.</param>
    public static string? Distrust(X509Certificate2 certificate, X509Certificate2Collection authorities, X509Certificate2Collection sent, IReadOnlyList<RevocationList> revoked)
    {
        using var chain = new X509Chain { ChainPolicy = Policy(authorities, sent) };
        chain.Build(certificate);
        string? reason = null;
        foreach (var element in chain.ChainElements)
        {
            // GnuTLS trusts whatever stands in the file, be it no root.
            var trusted = authorities.Any(a => a.RawDataMemory.Span.SequenceEqual(element.Certificate.RawDataMemory.Span));
            if (element.ChainElementStatus.Any(s => (s.Status & ~Ignored) != X509ChainStatusFlags.NoError))
                reason ??= "The certificate is not trusted";
            if (!trusted && revoked.Any(r => r.Lists(element.Certificate)))
                reason = "The certificate has been revoked";
            else if (!trusted && Insecure.Contains(element.Certificate.SignatureAlgorithm.Value, StringComparer.Ordinal))
                reason = "The certificate uses an insecure algorithm";
            if (trusted)
                return reason;
        }

        return "The certificate hasn't got a known issuer";
    }

    private string? Refuse(X509Certificate2 certificate, X509Certificate2Collection sent)
    {
        if (Distrust(certificate, credentials.Authorities, sent, credentials.Revoked) is { } reason)
            return reason;
        if (authorize is not null && DistinguishedName.Of(certificate) is var name && !authorize(name))
            return $"TLS x509 authz check for {name} is denied";
        if (hostname is null)
            return credentials.Endpoint == TlsEndpoint.Client ? "No hostname for certificate validation" : null;
        return Matches(certificate, hostname) ? null : $"Certificate does not match the hostname {hostname}";
    }

    private static bool Matches(X509Certificate2 certificate, string hostname)
    {
        try
        {
            return certificate.MatchesHostname(hostname);
        }
        catch (ArgumentException)
        {
            // No name that a certificate could have.
            return false;
        }
    }
}

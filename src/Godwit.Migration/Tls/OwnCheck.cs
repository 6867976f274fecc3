using System.Security.Cryptography.X509Certificates;

namespace Godwit.Migration.Tls;

/// <summary>The look at one's own certificates before they are used (<c>sanity-check=on</c>). Source of the checks and their words: QEMU crypto/tlscredsx509.c,
/// qcrypto_tls_creds_x509_sanity_check.</summary>
internal static class OwnCheck
{
    private const string ServerPurpose = "1.3.6.1.5.5.7.3.1";
    private const string ClientPurpose = "1.3.6.1.5.5.7.3.2";
    private const string AnyPurpose = "2.5.29.37.0";

    /// <exception cref="MigrationRefusedException">One isn't good.</exception>
    public static void Check(bool server, X509Certificate2Collection authorities, string authoritiesPath, X509Certificate2? certificate, string? path)
    {
        var role = server ? "server" : "client";
        if (certificate is not null)
        {
            CheckTimes(certificate, role, path!);
            if (BasicConstraints(certificate) is { CertificateAuthority: true })
                throw new MigrationRefusedException($"The certificate {path} basic constraints show a CA, but we need one for a {role}");
            CheckUsage(certificate, path!, X509KeyUsageFlags.DigitalSignature, $"Certificate {path} usage does not permit digital signature");
            CheckPurpose(certificate, server, path!);
        }

        foreach (var authority in authorities)
        {
            CheckTimes(authority, "CA", authoritiesPath);
            if (BasicConstraints(authority) is not { } constraints)
                throw new MigrationRefusedException($"The certificate {authoritiesPath} is missing basic constraints for a CA");
            if (!constraints.CertificateAuthority)
                throw new MigrationRefusedException($"The certificate {authoritiesPath} basic constraints do not show a CA");
            CheckUsage(authority, authoritiesPath, X509KeyUsageFlags.KeyCertSign, $"Certificate {authoritiesPath} usage does not permit certificate signing");
        }

        if (certificate is not null && PeerCheck.Distrust(certificate, authorities, [], []) is { } reason)
            throw new MigrationRefusedException($"Our own certificate {path} failed validation against {authoritiesPath}: {reason}");
    }

    private static void CheckTimes(X509Certificate2 certificate, string role, string path)
    {
        if (certificate.NotAfter < DateTime.Now)
            throw new MigrationRefusedException($"The {role} certificate {path} has expired");
        if (certificate.NotBefore > DateTime.Now)
            throw new MigrationRefusedException($"The {role} certificate {path} is not yet active");
    }

    private static X509BasicConstraintsExtension? BasicConstraints(X509Certificate2 certificate) => certificate.Extensions.OfType<X509BasicConstraintsExtension>().FirstOrDefault();

    private static void CheckUsage(X509Certificate2 certificate, string path, X509KeyUsageFlags needed, string words)
    {
        if (certificate.Extensions.OfType<X509KeyUsageExtension>().FirstOrDefault() is { Critical: true } usage && (usage.KeyUsages & needed) == X509KeyUsageFlags.None)
            throw new MigrationRefusedException(words);
    }

    private static void CheckPurpose(X509Certificate2 certificate, bool server, string path)
    {
        if (certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().FirstOrDefault() is not { Critical: true } purposes)
            return;
        foreach (var purpose in purposes.EnhancedKeyUsages)
        {
            if (purpose.Value == AnyPurpose || purpose.Value == (server ? ServerPurpose : ClientPurpose))
                return;
        }

        throw new MigrationRefusedException($"Certificate {path} purpose does not allow use with a TLS {(server ? "server" : "client")}");
    }
}

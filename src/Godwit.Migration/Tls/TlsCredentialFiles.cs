using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Godwit.Migration.Tls;

/// <summary>Reads credentials from their folder, under QEMU's file names. Source of names, order and words: QEMU crypto/tlscredsx509.c, qcrypto_tls_creds_x509_load.</summary>
public static class TlsCredentialFiles
{
    public const string Authorities = "ca-cert.pem";
    public const string Revoked = "ca-crl.pem";
    public const string ServerCertificate = "server-cert.pem";
    public const string ServerKey = "server-key.pem";
    public const string ClientCertificate = "client-cert.pem";
    public const string ClientKey = "client-key.pem";

    /// <exception cref="MigrationRefusedException">A file is missing or isn't what it must be.</exception>
    public static TlsCredentials Load(TlsCredentialOptions options)
    {
        TlsLibrary.Require();
        var server = options.Endpoint == TlsEndpoint.Server;
        var protocols = TlsPriority.Parse(options.Priority);
        var authorities = Find(options, Authorities, required: true)!;
        // Only a server's list is read by QEMU; a client has the same reason to.
        var revoked = Find(options, Revoked, required: false);
        var certificate = Find(options, server ? ServerCertificate : ClientCertificate, server);
        var key = Find(options, server ? ServerKey : ClientKey, server);
        var trusted = ReadAuthorities(authorities);
        var chain = certificate is null ? null : ReadCertificates(certificate, server);
        if (options.SanityCheck)
            OwnCheck.Check(server, trusted, authorities, chain?[0], certificate);
        return new TlsCredentials
        {
            Endpoint = options.Endpoint,
            VerifyPeer = options.VerifyPeer,
            Authorities = trusted,
            Revoked = revoked is null ? [] : ReadRevoked(revoked),
            Own = chain is null || key is null ? null : WithKey(chain, certificate!, key, options.Password),
            Protocols = protocols,
        };
    }

    private static string? Find(TlsCredentialOptions options, string name, bool required)
    {
        if (options.Folder is null)
            return required ? throw new MigrationRefusedException("Missing 'dir' property value") : null;
        var path = Path.Combine(options.Folder, name);
        if (File.Exists(path))
            return path;
        return required ? throw new MigrationRefusedException($"Unable to access credentials {path}: No such file or directory") : null;
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (UnauthorizedAccessException)
        {
            throw new MigrationRefusedException($"Cannot load CA cert list {path}: Failed to open file “{path}”: Permission denied");
        }
        catch (IOException e)
        {
            throw new MigrationRefusedException($"Cannot load CA cert list {path}: {e.Message}");
        }
    }

    private static X509Certificate2Collection ReadAuthorities(string path)
    {
        var text = Read(path);
        var all = new X509Certificate2Collection();
        try
        {
            all.ImportFromPem(text);
        }
        catch (CryptographicException)
        {
            all.Clear();
        }

        return all.Count > 0 ? all : throw new MigrationRefusedException($"Unable to import CA certificate list {path}");
    }

    private static X509Certificate2Collection ReadCertificates(string path, bool server)
    {
        var text = Read(path);
        var all = new X509Certificate2Collection();
        var reason = "it has no certificate in PEM";
        try
        {
            all.ImportFromPem(text);
        }
        catch (CryptographicException e)
        {
            reason = e.Message;
            all.Clear();
        }

        return all.Count > 0 ? all : throw new MigrationRefusedException($"Unable to import {(server ? "server" : "client")} certificate {path}: {reason}");
    }

    private static IReadOnlyList<RevocationList> ReadRevoked(string path)
    {
        try
        {
            return RevocationList.ReadPem(Read(path));
        }
        catch (Exception e) when (e is CryptographicException or System.Formats.Asn1.AsnContentException)
        {
            throw new MigrationRefusedException($"Cannot load CRL '{path}': {e.Message}");
        }
    }

    private static SslStreamCertificateContext WithKey(X509Certificate2Collection chain, string certificatePath, string keyPath, string? password)
    {
        var key = Read(keyPath);
        var certificate = chain[0].ExportCertificatePem();
        try
        {
            var own = key.Contains("BEGIN ENCRYPTED PRIVATE KEY", StringComparison.Ordinal)
                ? X509Certificate2.CreateFromEncryptedPem(certificate, key, password ?? throw new CryptographicException("the key is encrypted: name the secret with its password by passwordid"))
                : key.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal)
                    ? throw new CryptographicException("the key is encrypted in a form that isn't supported: convert it to PKCS #8 (openssl pkcs8 -topk8)")
                    : X509Certificate2.CreateFromPem(certificate, key);
            return SslStreamCertificateContext.Create(own, [.. chain.Skip(1)], offline: true);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new MigrationRefusedException($"Cannot load certificate '{certificatePath}' & key '{keyPath}': {e.Message}");
        }
    }
}

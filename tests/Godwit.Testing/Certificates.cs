using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Godwit.Testing;

/// <summary>An authority of a test's own, and folders of credentials under QEMU's file names, as its documentation has them made (docs/system/tls.rst).</summary>
public sealed class Certificates : IDisposable
{
    public const string ClientName = "CN=source.example.com,O=Godwit,C=DE";

    /// <summary><see cref="ClientName"/> as QEMU spells it: in the certificate's order.</summary>
    public const string ClientIdentity = "C=DE,O=Godwit,CN=source.example.com";

    public const string Password = "swordfish";

    private const string ServerPurpose = "1.3.6.1.5.5.7.3.1";
    private const string ClientPurpose = "1.3.6.1.5.5.7.3.2";

    private readonly X509Certificate2 _authority;
    private readonly TemporaryFolder _folder = new();
    private int _serial;
    private int _folders;

    public Certificates(bool rsa = true)
    {
        IsRsa = rsa;
        using var key = NewKey();
        var request = Request($"CN=Godwit test CA {Guid.NewGuid()}", key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(10));
    }

    public bool IsRsa { get; }

    /// <summary>A folder with the authority, a server's certificate for <paramref name="hosts"/> and, if it is given a name, a client's.</summary>
    public CredentialFolder Folder(string? client = ClientName, params string[] hosts) => Folder(new CredentialShape { Client = client, Hosts = hosts.Length > 0 ? hosts : ["localhost", "127.0.0.1"] });

    public CredentialFolder Folder(CredentialShape shape)
    {
        var path = Directory.CreateDirectory(_folder.File($"{++_folders}")).FullName;
        File.WriteAllText(Path.Combine(path, "ca-cert.pem"), _authority.ExportCertificatePem());
        using var server = Issue(new X500DistinguishedName("CN=" + shape.Hosts[0]), shape.Hosts, ServerPurpose, shape);
        Write(path, "server", server, shape);
        if (shape.Client is null)
            return new CredentialFolder(path, [], []);
        using var client = Issue(shape.ClientSubject ?? new X500DistinguishedName(shape.Client), [], ClientPurpose, shape);
        Write(path, "client", client, shape);
        return new CredentialFolder(path, server.SerialNumberBytes.ToArray(), client.SerialNumberBytes.ToArray());
    }

    /// <summary>A folder with this authority, and a client's certificate that another one has signed.</summary>
    public CredentialFolder Folder(Certificates clientOf)
    {
        var (mine, theirs) = (Folder(), clientOf.Folder());
        foreach (var file in new[] { "client-cert.pem", "client-key.pem" })
            File.Copy(Path.Combine(theirs.Path, file), Path.Combine(mine.Path, file), overwrite: true);
        return mine with { ClientSerial = theirs.ClientSerial };
    }

    /// <summary>Writes a list of revoked certificates into a folder.</summary>
    public void Revoke(CredentialFolder folder, params byte[][] serials)
    {
        var builder = new CertificateRevocationListBuilder();
        foreach (var serial in serials)
            builder.AddEntry(serial);
        var list = builder.Build(_authority, 1, DateTimeOffset.UtcNow.AddDays(5), HashAlgorithmName.SHA256, IsRsa ? RSASignaturePadding.Pkcs1 : null);
        File.WriteAllText(Path.Combine(folder.Path, "ca-crl.pem"), new string(PemEncoding.Write("X509 CRL", list)));
    }

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }

    private X509Certificate2 Issue(X500DistinguishedName subject, string[] hosts, string purpose, CredentialShape shape)
    {
        using var key = NewKey();
        var request = IsRsa
            ? new CertificateRequest(subject, (RSA)key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(subject, (ECDsa)key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | (IsRsa ? X509KeyUsageFlags.KeyEncipherment : X509KeyUsageFlags.None), critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(shape.Purpose ?? purpose)], critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        if (hosts.Length > 0)
        {
            var names = new SubjectAlternativeNameBuilder();
            foreach (var host in hosts)
            {
                if (IPAddress.TryParse(host, out var address))
                    names.AddIpAddress(address);
                else
                    names.AddDnsName(host);
            }

            request.CertificateExtensions.Add(names.Build());
        }

        byte[] serial = [1, 2, 3, (byte)++_serial];
        using var issued = request.Create(_authority, shape.From ?? DateTimeOffset.UtcNow.AddHours(-1), shape.Until ?? DateTimeOffset.UtcNow.AddDays(5), serial);
        return IsRsa ? issued.CopyWithPrivateKey((RSA)key) : issued.CopyWithPrivateKey((ECDsa)key);
    }

    private void Write(string folder, string role, X509Certificate2 certificate, CredentialShape shape)
    {
        using AsymmetricAlgorithm key = IsRsa ? certificate.GetRSAPrivateKey()! : certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(Path.Combine(folder, $"{role}-cert.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(
            Path.Combine(folder, $"{role}-key.pem"),
            shape.EncryptsKeys ? key.ExportEncryptedPkcs8PrivateKeyPem(Password, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 2048)) : key.ExportPkcs8PrivateKeyPem());
    }

    private AsymmetricAlgorithm NewKey() => IsRsa ? RSA.Create(2048) : ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private CertificateRequest Request(string subject, AsymmetricAlgorithm key) => IsRsa
        ? new CertificateRequest(subject, (RSA)key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
        : new CertificateRequest(subject, (ECDsa)key, HashAlgorithmName.SHA256);
}

/// <summary>What certificates are to be like.</summary>
public sealed record CredentialShape
{
    public string? Client { get; init; } = Certificates.ClientName;

    /// <summary>In place of <see cref="Client"/>.</summary>
    public X500DistinguishedName? ClientSubject { get; init; }

    public string[] Hosts { get; init; } = ["localhost", "127.0.0.1"];

    public DateTimeOffset? From { get; init; }

    public DateTimeOffset? Until { get; init; }

    /// <summary>Of both, in place of each one's own.</summary>
    public string? Purpose { get; init; }

    public bool EncryptsKeys { get; init; }
}

/// <param name="ServerSerial">Of the server's certificate, to be revoked by.</param>
public sealed record CredentialFolder(string Path, byte[] ServerSerial, byte[] ClientSerial)
{
    /// <summary>An <c>-object</c> option's value.</summary>
    public string Object(string endpoint, string more = "") => $"tls-creds-x509,id=tls0,dir={Path},endpoint={endpoint}{more}";
}

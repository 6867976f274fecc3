using Godwit.Migration.Tls;
using Godwit.Testing;

namespace Godwit.Migration.Tests.Tls;

/// <summary>Folders of credentials, good and bad; the words are QEMU's.</summary>
public sealed class CredentialTests
{
    private const string ServerPurpose = "1.3.6.1.5.5.7.3.1";
    private const string ClientPurpose = "1.3.6.1.5.5.7.3.2";

    [Theory]
    [InlineData(true, TlsEndpoint.Server)]
    [InlineData(false, TlsEndpoint.Server)]
    [InlineData(true, TlsEndpoint.Client)]
    [InlineData(false, TlsEndpoint.Client)]
    public void A_whole_folder_is_read(bool rsa, TlsEndpoint endpoint)
    {
        using var certificates = new Certificates(rsa);
        var credentials = TlsCredentialFiles.Load(new TlsCredentialOptions { Folder = certificates.Folder().Path, Endpoint = endpoint });

        Assert.NotNull(credentials.Own);
        Assert.Single(credentials.Authorities);
        Assert.Equal(endpoint, credentials.Endpoint);
    }

    [Fact]
    public void A_client_needs_no_certificate()
    {
        using var certificates = new Certificates();

        Assert.Null(TlsCredentialFiles.Load(new TlsCredentialOptions { Folder = certificates.Folder(client: null).Path }).Own);
    }

    [Theory]
    [InlineData("ca-cert.pem", "Unable to access credentials {0}/ca-cert.pem: No such file or directory")]
    [InlineData("server-cert.pem", "Unable to access credentials {0}/server-cert.pem: No such file or directory")]
    [InlineData("server-key.pem", "Unable to access credentials {0}/server-key.pem: No such file or directory")]
    public void A_missing_file_is_named(string file, string words)
    {
        using var certificates = new Certificates(rsa: false);
        var folder = certificates.Folder();
        File.Delete(Path.Combine(folder.Path, file));

        Assert.Equal(string.Format(System.Globalization.CultureInfo.InvariantCulture, words, folder.Path), Refusal(folder));
    }

    [Fact]
    public void Without_a_folder_there_is_nothing() => Assert.Equal("Missing 'dir' property value", Assert.Throws<MigrationRefusedException>(() => TlsCredentialFiles.Load(new TlsCredentialOptions())).Message);

    [Theory]
    [InlineData("ca-cert.pem", "Unable to import CA certificate list")]
    [InlineData("server-cert.pem", "Unable to import server certificate")]
    [InlineData("server-key.pem", "Cannot load certificate")]
    [InlineData("ca-crl.pem", "Cannot load CRL")]
    public void What_is_none_of_it_is_named(string file, string words)
    {
        using var certificates = new Certificates(rsa: false);
        var folder = certificates.Folder();
        File.WriteAllText(Path.Combine(folder.Path, file), "-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n");

        var refusal = Refusal(folder);
        Assert.StartsWith(words, refusal, StringComparison.Ordinal);
        Assert.Contains(file, refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void An_expired_one_and_one_of_tomorrow_are_refused()
    {
        using var certificates = new Certificates(rsa: false);
        var old = certificates.Folder(new CredentialShape { Until = DateTimeOffset.UtcNow.AddMinutes(-5) });
        var early = certificates.Folder(new CredentialShape { From = DateTimeOffset.UtcNow.AddHours(5) });

        Assert.Equal($"The server certificate {old.Path}/server-cert.pem has expired", Refusal(old));
        Assert.Equal($"The client certificate {old.Path}/client-cert.pem has expired", Refusal(old, TlsEndpoint.Client));
        Assert.Equal($"The server certificate {early.Path}/server-cert.pem is not yet active", Refusal(early));
        Assert.NotNull(TlsCredentialFiles.Load(new TlsCredentialOptions { Folder = old.Path, Endpoint = TlsEndpoint.Server, SanityCheck = false }).Own);
    }

    [Fact]
    public void One_for_the_other_purpose_is_refused()
    {
        using var certificates = new Certificates(rsa: false);
        var clients = certificates.Folder(new CredentialShape { Purpose = ClientPurpose });
        var servers = certificates.Folder(new CredentialShape { Purpose = ServerPurpose });

        Assert.Equal($"Certificate {clients.Path}/server-cert.pem purpose does not allow use with a TLS server", Refusal(clients));
        Assert.Equal($"Certificate {servers.Path}/client-cert.pem purpose does not allow use with a TLS client", Refusal(servers, TlsEndpoint.Client));
    }

    [Fact]
    public void An_authority_that_is_none_is_refused()
    {
        using var certificates = new Certificates(rsa: false);
        var folder = certificates.Folder();
        File.Copy(Path.Combine(folder.Path, "client-cert.pem"), Path.Combine(folder.Path, "ca-cert.pem"), overwrite: true);

        Assert.Equal($"The certificate {folder.Path}/ca-cert.pem basic constraints do not show a CA", Refusal(folder));
    }

    [Fact]
    public void One_of_another_authority_is_refused()
    {
        using var certificates = new Certificates(rsa: false);
        using var others = new Certificates(rsa: false);
        var folder = certificates.Folder();
        File.Copy(Path.Combine(others.Folder().Path, "ca-cert.pem"), Path.Combine(folder.Path, "ca-cert.pem"), overwrite: true);

        Assert.Matches("^Our own certificate .*/server-cert.pem failed validation against .*/ca-cert.pem: The certificate (hasn't got a known issuer|is not trusted)$", Refusal(folder));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_encrypted_key_takes_its_password(bool rsa)
    {
        using var certificates = new Certificates(rsa);
        var folder = certificates.Folder(new CredentialShape { EncryptsKeys = true });
        var options = new TlsCredentialOptions { Folder = folder.Path, Endpoint = TlsEndpoint.Server };

        Assert.NotNull(TlsCredentialFiles.Load(options with { Password = Certificates.Password }).Own);
        Assert.Contains("Cannot load certificate", Assert.Throws<MigrationRefusedException>(() => TlsCredentialFiles.Load(options with { Password = "wrong" })).Message, StringComparison.Ordinal);
        Assert.Contains("passwordid", Assert.Throws<MigrationRefusedException>(() => TlsCredentialFiles.Load(options)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("NORMAL", true)]
    [InlineData("NORMAL:-VERS-TLS1.2", true)]
    [InlineData("NORMAL:-VERS-ALL:+VERS-TLS1.2", true)]
    [InlineData("NORMAL:-VERS-ALL", false)]
    [InlineData("NORMAL:+ANON-DH", false)]
    public void Of_priorities_versions_are_heard(string priority, bool good)
    {
        var e = Record.Exception(() => TlsPriority.Parse(priority));

        Assert.Equal(good, e is null);
        Assert.True(good || e is MigrationRefusedException);
    }

    private static string Refusal(CredentialFolder folder, TlsEndpoint endpoint = TlsEndpoint.Server) =>
        Assert.Throws<MigrationRefusedException>(() => TlsCredentialFiles.Load(new TlsCredentialOptions { Folder = folder.Path, Endpoint = endpoint })).Message;
}

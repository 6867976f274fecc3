using System.Text;
using System.Text.Json.Nodes;
using Godwit.Migration.Tls;
using Godwit.Testing;

namespace Godwit.Migration.Tests.Tls;

/// <summary>Objects by id, and who may come; the words are QEMU's.</summary>
public sealed class SecurityObjectTests
{
    private readonly SecurityObjects _objects = new();

    [Theory]
    [InlineData("nonsense", "x", "{}", "Parameter 'qom-type' does not accept value 'nonsense'")]
    [InlineData("secret", "1x", """{"data": "a"}""", "Parameter 'id' expects an identifier")]
    [InlineData("secret", "x", "{}", "Either 'file' or 'data' must be provided")]
    [InlineData("secret", "x", """{"data": "a", "file": "b"}""", "'file' and 'data' are mutually exclusive")]
    [InlineData("secret", "x", """{"data": 1}""", "Invalid parameter type for 'data', expected: string")]
    [InlineData("secret", "x", """{"data": "a!", "format": "base64"}""", "Base64 data contains invalid characters")]
    [InlineData("secret", "x", """{"data": "a", "format": "hex"}""", "Parameter 'format' does not accept value 'hex'")]
    [InlineData("secret", "x", """{"data": "a", "more": 1}""", "Parameter 'more' is unexpected")]
    [InlineData("secret", "x", """{"data": "a", "keyid": "none"}""", "No secret with id 'none'")]
    [InlineData("authz-simple", "x", "{}", "Parameter 'identity' is missing")]
    [InlineData("authz-list", "x", """{"rules": [{"match": "a"}]}""", "Parameter 'rules[0].policy' is missing")]
    [InlineData("authz-list-file", "x", """{"filename": "/nowhere"}""", "Unable to read '/nowhere'")]
    [InlineData("tls-creds-x509", "x", """{"endpoint": "both"}""", "Parameter 'endpoint' does not accept value 'both'")]
    [InlineData("tls-creds-x509", "x", """{"verify-peer": "on"}""", "Invalid parameter type for 'verify-peer', expected: boolean")]
    [InlineData("tls-creds-x509", "x", "{}", "Missing 'dir' property value")]
    [InlineData("tls-creds-psk", "x", "{}", "pre-shared keys")]
    [InlineData("tls-creds-anon", "x", "{}", "anonymous")]
    [InlineData("authz-pam", "x", "{}", "PAM")]
    public void What_cant_be_made_is_told(string type, string id, string properties, string words) =>
        Assert.Contains(words, Assert.Throws<MigrationRefusedException>(() => _objects.Add(type, id, JsonNode.Parse(properties)!.AsObject(), words: false)).Message, StringComparison.Ordinal);

    [Fact]
    public void An_id_is_taken_until_it_is_given_back()
    {
        Add("secret", "x", """{"data": "a"}""");
        Assert.Equal("attempt to add duplicate property 'x' to object (type 'container')", Refusal(() => Add("secret", "x", """{"data": "a"}""")));
        _objects.Remove("x");
        Assert.Equal("object 'x' not found", Refusal(() => _objects.Remove("x")));
        Add("secret", "x", """{"data": "a"}""");
        Assert.Equal("No TLS credentials with id 'y'", Refusal(() => _objects.Credentials("y", TlsEndpoint.Client)));
        Assert.Equal("Object with id 'x' is not TLS credentials", Refusal(() => _objects.Credentials("x", TlsEndpoint.Client)));
        Assert.Equal("Object 'x' is not a QAuthZ subclass", Refusal(() => _objects.Authorization("x")));
    }

    [Fact]
    public void Credentials_are_for_one_side_and_take_a_secret()
    {
        using var certificates = new Certificates(rsa: false);
        var folder = certificates.Folder(new CredentialShape { EncryptsKeys = true });
        Add("secret", "master", $$"""{"data": "{{Convert.ToBase64String(new byte[32])}}", "format": "base64"}""");
        using var aes = System.Security.Cryptography.Aes.Create();
        aes.Key = new byte[32];
        var encrypted = Convert.ToBase64String(aes.EncryptCbc(Encoding.UTF8.GetBytes(Certificates.Password), new byte[16]));
        Add("secret", "password", $$"""{"data": "{{encrypted}}", "format": "base64", "keyid": "master", "iv": "{{Convert.ToBase64String(new byte[16])}}"}""");
        _objects.Add("tls-creds-x509", "t", new JsonObject { ["dir"] = folder.Path, ["endpoint"] = "server", ["passwordid"] = "password", ["verify-peer"] = "off" }, words: true);

        Assert.False(_objects.Credentials("t", TlsEndpoint.Server).VerifyPeer);
        Assert.Equal("Expected TLS credentials for a client endpoint", Refusal(() => _objects.Credentials("t", TlsEndpoint.Client)));
    }

    [Fact]
    public void The_first_rule_that_fits_decides()
    {
        Add("authz-list", "x", """{"policy": "deny", "rules": [{"match": "CN=bad*", "policy": "deny", "format": "glob"}, {"match": "CN=*,O=us", "policy": "allow", "format": "glob"}, {"match": "CN=*", "policy": "allow"}]}""");
        var list = _objects.Authorization("x");

        Assert.True(list.Allows("CN=good,O=us"));
        Assert.False(list.Allows("CN=bad,O=us"));
        Assert.False(list.Allows("CN=good,O=them"));
        Assert.True(list.Allows("CN=*"));
        Assert.False(list.Allows("cn=good,O=us"));
    }

    [Fact]
    public void Nobody_may_come_where_nothing_is_said_and_one_where_one_is()
    {
        Add("authz-list", "none", "{}");
        Add("authz-simple", "one", """{"identity": "CN=a"}""");

        Assert.False(_objects.Authorization("none").Allows("CN=a"));
        Assert.True(_objects.Authorization("one").Allows("CN=a"));
        Assert.False(_objects.Authorization("one").Allows("CN=a "));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_file_counts_as_it_is_now_or_as_it_was(bool refresh)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("list"), """{"rules": [{"match": "CN=a", "policy": "allow"}]}""");
        Add("authz-list-file", "x", $$"""{"filename": "{{folder.File("list")}}", "refresh": {{(refresh ? "true" : "false")}}}""");
        Assert.True(_objects.Authorization("x").Allows("CN=a"));
        File.WriteAllText(folder.File("list"), "nonsense");

        Assert.Equal(!refresh, _objects.Authorization("x").Allows("CN=a"));
    }

    private static string Refusal(Action action) => Assert.Throws<MigrationRefusedException>(action).Message;

    private void Add(string type, string id, string properties) => _objects.Add(type, id, JsonNode.Parse(properties)!.AsObject(), words: false);
}

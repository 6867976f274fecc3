using System.Text.Json.Nodes;

namespace Godwit.Migration.Tls;

/// <summary>The objects that TLS uses, by id (QEMU: <c>-object</c>, <c>object-add</c>; qom/object_interfaces.c). For any thread.</summary>
public sealed class SecurityObjects
{
    private static readonly Dictionary<string, string> Refused = new(StringComparer.Ordinal)
    {
        ["tls-creds-psk"] = "object type 'tls-creds-psk' is not supported: .NET's TLS knows no pre-shared keys; tls-creds-x509 is",
        ["tls-creds-anon"] = "object type 'tls-creds-anon' is not supported: .NET's TLS knows no anonymous sessions; tls-creds-x509 is",
        ["authz-pam"] = "object type 'authz-pam' is not supported: PAM isn't asked; authz-simple, authz-list and authz-list-file are",
    };

    private readonly Lock _lock = new();
    private readonly Dictionary<string, object> _all = new(StringComparer.Ordinal);

    /// <summary>Whether it is the type of such an object, be it one that is refused.</summary>
    public static bool Knows(string type) =>
        Refused.ContainsKey(type) || type is "tls-creds-x509" or "secret" or "authz-simple" or "authz-list" or "authz-list-file" or "authz-listfile";

    /// <param name="words">Whether the properties come from a command line: all values are texts.</param>
    /// <exception cref="MigrationRefusedException">It can't be made.</exception>
    public void Add(string type, string id, JsonObject properties, bool words)
    {
        if (Refused.TryGetValue(type, out var refusal))
            throw new MigrationRefusedException(refusal);
        if (!Knows(type))
            throw new MigrationRefusedException($"Parameter 'qom-type' does not accept value '{type}'");
        if (id.Length == 0 || !char.IsAsciiLetter(id[0]) || id.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.' or '_')))
            throw new MigrationRefusedException("Parameter 'id' expects an identifier");
        lock (_lock)
        {
            var made = Make(type, id, new ObjectProperties(properties, words));
            if (!_all.TryAdd(id, made))
                throw new MigrationRefusedException($"attempt to add duplicate property '{id}' to object (type 'container')");
        }
    }

    /// <exception cref="MigrationRefusedException">There is none.</exception>
    public void Remove(string id)
    {
        lock (_lock)
        {
            if (!_all.Remove(id))
                throw new MigrationRefusedException($"object '{id}' not found");
        }
    }

    /// <summary>Source: QEMU migration/tls.c, migration_tls_get_creds.</summary>
    /// <exception cref="MigrationRefusedException">There are none, or they are for the other side.</exception>
    public TlsCredentials Credentials(string id, TlsEndpoint endpoint)
    {
        if (Find(id) is not { } found)
            throw new MigrationRefusedException($"No TLS credentials with id '{id}'");
        if (found is not TlsCredentials credentials)
            throw new MigrationRefusedException($"Object with id '{id}' is not TLS credentials");
        if (credentials.Endpoint != endpoint)
            throw new MigrationRefusedException($"Expected TLS credentials for a {(endpoint == TlsEndpoint.Server ? "server" : "client")} endpoint");
        return credentials;
    }

    /// <summary>Source: QEMU authz/base.c, qauthz_is_allowed_by_id.</summary>
    /// <exception cref="MigrationRefusedException">There is nobody to ask.</exception>
    public IAuthorization Authorization(string id) => Find(id) switch
    {
        null => throw new MigrationRefusedException($"Cannot find QAuthZ object ID {id}"),
        IAuthorization authorization => authorization,
        _ => throw new MigrationRefusedException($"Object '{id}' is not a QAuthZ subclass"),
    };

    private object? Find(string id)
    {
        lock (_lock)
            return _all.GetValueOrDefault(id);
    }

    private Secret FindSecret(string id) => Find(id) switch
    {
        null => throw new MigrationRefusedException($"No secret with id '{id}'"),
        Secret secret => secret,
        _ => throw new MigrationRefusedException($"Object with id '{id}' is not a secret"),
    };

    private object Make(string type, string id, ObjectProperties properties)
    {
        switch (type)
        {
            case "secret":
                return Secret.Create(id, properties, FindSecret);
            case "authz-list":
                return ListAuthorization.Create(properties);
            case "authz-simple":
                var identity = properties.RequiredText("identity");
                properties.Finish();
                return new SimpleAuthorization(identity);
            // QEMU's option knows the second spelling, and its objects the first.
            case "authz-list-file" or "authz-listfile":
                var path = properties.RequiredText("filename");
                var refresh = properties.Flag("refresh", otherwise: true);
                properties.Finish();
                return new FileListAuthorization(path, refresh);
            default:
                return MakeCredentials(properties);
        }
    }

    private TlsCredentials MakeCredentials(ObjectProperties properties)
    {
        var options = new TlsCredentialOptions
        {
            Folder = properties.Text("dir"),
            Endpoint = properties.Choice("endpoint", ["client", "server"]) == 1 ? TlsEndpoint.Server : TlsEndpoint.Client,
            VerifyPeer = properties.Flag("verify-peer", otherwise: true),
            SanityCheck = properties.Flag("sanity-check", otherwise: true),
            Priority = properties.Text("priority"),
        };
        var secret = properties.Text("passwordid");
        properties.Finish();
        return TlsCredentialFiles.Load(options with { Password = secret is null ? null : FindSecret(secret).Text() });
    }
}

namespace Godwit.Migration.Tls;

/// <summary>The properties of an object <c>tls-creds-x509</c> (QEMU: qapi/crypto.json, <c>TlsCredsX509Properties</c>).</summary>
public sealed record TlsCredentialOptions
{
    /// <summary>Where the files are; null is an error.</summary>
    public string? Folder { get; init; }

    public TlsEndpoint Endpoint { get; init; }

    public bool VerifyPeer { get; init; } = true;

    /// <summary>Whether this side's own certificates are looked at before they are used.</summary>
    public bool SanityCheck { get; init; } = true;

    /// <summary>As <see cref="TlsPriority.Parse"/> takes it.</summary>
    public string? Priority { get; init; }

    /// <summary>Of an encrypted key.</summary>
    public string? Password { get; init; }
}

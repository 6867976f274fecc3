using System.Security.Authentication;

namespace Godwit.Migration.Tls;

/// <summary>GnuTLS's priority strings, as far as they say which versions of TLS are spoken; ciphers are OpenSSL's to choose.</summary>
public static class TlsPriority
{
    /// <returns>What SslStream is to be told.</returns>
    /// <exception cref="MigrationRefusedException">It says something else.</exception>
    public static SslProtocols Parse(string? priority)
    {
        const SslProtocols Normal = SslProtocols.Tls12 | SslProtocols.Tls13;
        var spoken = Normal;
        foreach (var word in (priority ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            spoken = word switch
            {
                "NORMAL" or "@SYSTEM" => Normal,
                "-VERS-ALL" or "-VERS-TLS-ALL" => SslProtocols.None,
                "+VERS-TLS1.2" => spoken | SslProtocols.Tls12,
                "+VERS-TLS1.3" => spoken | SslProtocols.Tls13,
                "-VERS-TLS1.2" => (spoken | SslProtocols.Tls12) ^ SslProtocols.Tls12,
                "-VERS-TLS1.3" => (spoken | SslProtocols.Tls13) ^ SslProtocols.Tls13,
                _ => throw new MigrationRefusedException($"Unable to set TLS session priority {priority}: '{word}' is not supported; NORMAL, and versions such as -VERS-TLS1.2, are"),
            };
        }

        return spoken != SslProtocols.None ? spoken : throw new MigrationRefusedException($"Unable to set TLS session priority {priority}: no version of TLS is left");
    }
}

using System.Runtime.InteropServices;

namespace Godwit.Migration.Tls;

/// <summary>The library that .NET's certificates, ciphers and TLS are.</summary>
internal static class TlsLibrary
{
    /// <summary>To be asked before any of these is used: where the library is missing, .NET ends the process, and the guest with it.</summary>
    /// <exception cref="MigrationRefusedException">It is missing.</exception>
    public static void Require()
    {
        if (!NativeLibrary.TryLoad("libssl.so.3", out _) && !NativeLibrary.TryLoad("libssl.so.1.1", out _))
            throw new MigrationRefusedException("TLS needs OpenSSL (libssl.so.3), and this host has none: install libssl3");
    }
}

namespace Godwit.Migration.Tls;

/// <summary>A connection isn't taken: TLS could not be agreed on, or the other side isn't whom it must be. The message is QEMU's where QEMU has one.</summary>
public sealed class TlsRefusedException(string message, Exception? cause = null) : IOException(message, cause);

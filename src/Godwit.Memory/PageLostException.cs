namespace Godwit.Memory;

/// <summary>Guest memory that was to be fetched can't be: the guest must not go on, as nobody knows what stands there.</summary>
public sealed class PageLostException(string message, Exception? inner = null) : IOException(message, inner);

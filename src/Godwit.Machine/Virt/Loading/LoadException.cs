namespace Godwit.Machine.Virt.Loading;

/// <summary>A file that can't be loaded: which one, why, and what to do about it, in one line.</summary>
public sealed class LoadException(string message, Exception? inner = null) : IOException(message, inner);

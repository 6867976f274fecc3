namespace Godwit.Archive;

/// <summary>How guest memory stands in a file.</summary>
public enum StreamFormat
{
    /// <summary>As it goes over a connection: items of the RAM section, each page once.</summary>
    Stream,

    /// <summary>Each page at a place of its own (capability <c>mapped-ram</c>).</summary>
    MappedRam,
}

namespace Godwit.Migration.Control;

/// <summary>Who looks for pages that are all zero (QEMU: <c>ZeroPageDetection</c>).</summary>
public enum ZeroPageDetection
{
    /// <summary>Nobody: they go like any other.</summary>
    None,

    /// <summary>The migration thread.</summary>
    Legacy,

    /// <summary>The multifd channels; without them, the migration thread.</summary>
    Multifd,
}

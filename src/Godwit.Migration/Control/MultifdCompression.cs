namespace Godwit.Migration.Control;

/// <summary>What multifd channels do with pages (QEMU: <c>MultiFDCompression</c>).</summary>
public enum MultifdCompression
{
    None,
    Zlib,
    Zstd,
}

using Godwit.Wire.Ram;

namespace Godwit.Archive.Send;

/// <summary>Where a file is played to.</summary>
internal interface IPageSink
{
    /// <summary>Bytes of the main channel that are no pages.</summary>
    /// <exception cref="IOException">They can't be written.</exception>
    void Write(ReadOnlySpan<byte> bytes);

    /// <summary>Pages of a block that follow each other.</summary>
    /// <param name="offset">Bytes from the start of the block to the first.</param>
    /// <exception cref="IOException">They can't be written.</exception>
    void WritePages(RamBlock block, ulong offset, int pageBits, ReadOnlySpan<byte> pages);

    /// <summary>Pages of a block that follow each other and are zero.</summary>
    /// <param name="offset">Bytes from the start of the block to the first.</param>
    /// <exception cref="IOException">They can't be written.</exception>
    void WriteZeros(RamBlock block, ulong offset, int pageBits, long count);

    /// <summary>The pages of a section were all written; its EOS is next.</summary>
    /// <exception cref="IOException">They can't be written.</exception>
    void EndPages();
}

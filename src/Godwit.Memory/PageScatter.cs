using System.Runtime.InteropServices;
using Godwit.Linux;

namespace Godwit.Memory;

/// <summary>Places for a run of pages, each with so many bytes before it that belong to no page: what a stream of pages with headers is read
/// into at once, the pages where they belong.</summary>
public sealed unsafe class PageScatter : IDisposable
{
    private readonly int _headerLength;
    private byte* _headers;

    /// <param name="headerLength">Bytes before each page.</param>
    public PageScatter(int headerLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(headerLength);
        _headerLength = headerLength;
        _headers = (byte*)NativeMemory.Alloc((nuint)MaxPages, (nuint)headerLength);
    }

    /// <summary>Pages that fit.</summary>
    public static int MaxPages => ScatterBuffer.MaxParts / 2;

    /// <summary>What is to be filled.</summary>
    public ScatterBuffer Places { get; } = new();

    /// <summary>Makes places for a run; its pages count as written from now on.</summary>
    /// <param name="offset">Of the first page in the block.</param>
    /// <param name="pages">At most <see cref="MaxPages"/>.</param>
    public void Aim(RamBlock block, ulong offset, int pages)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(pages, MaxPages);
        ObjectDisposedException.ThrowIf(_headers == null, this);
        // Writing checks that the run is inside the block.
        block.Write(offset, pages * GuestPage.Size);
        Places.Clear();
        for (var page = 0; page < pages; page++)
        {
            // Sound: inside the headers, which live as long as this, and inside the block.
            Places.Add(_headers + (page * _headerLength), _headerLength);
            Places.Add(block.Host + offset + ((ulong)page << GuestPage.Bits), GuestPage.Size);
        }
    }

    /// <summary>What came before a page of the run.</summary>
    public ReadOnlySpan<byte> Header(int page)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)page, (uint)MaxPages, nameof(page));
        ObjectDisposedException.ThrowIf(_headers == null, this);
        // Sound: inside the headers.
        return new ReadOnlySpan<byte>(_headers + (page * _headerLength), _headerLength);
    }

    public void Dispose()
    {
        Places.Dispose();
        NativeMemory.Free(_headers);
        _headers = null;
    }
}

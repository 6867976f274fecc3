using FsCheck;
using FsCheck.Fluent;
using Godwit.Testing;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Wire.Tests;

public sealed class XbzrleTests
{
    private const int PageSize = 4096;

    [Fact]
    public void What_was_encoded_decodes_to_the_page()
    {
        var pages = ArbMap.Default.GeneratorFor<int>().Two().Select(pair => Pages(pair.Item1, pair.Item2)).ToArbitrary();
        Prop.ForAll(pages, pages => Decodes(pages.Old, pages.New)).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void An_unchanged_page_takes_nothing()
    {
        var page = Random(1);

        Assert.Equal(0, Xbzrle.Encode(page, page, new byte[PageSize]));
    }

    [Fact]
    public void A_wholly_changed_page_does_not_fit()
    {
        var page = new byte[PageSize];
        Array.Fill(page, (byte)1);

        Assert.Equal(Xbzrle.Overflow, Xbzrle.Encode(new byte[PageSize], page, new byte[PageSize]));
    }

    /// <summary>Encodings as QEMU's format has them: runs, then changed bytes; no trailing run.</summary>
    [Theory]
    [InlineData(new[] { 0 }, new byte[] { 0, 1, 0xff })]
    [InlineData(new[] { 5, 6 }, new byte[] { 5, 2, 0xff, 0xff })]
    [InlineData(new[] { 200 }, new byte[] { 0xc8, 0x01, 1, 0xff })]
    [InlineData(new[] { 0, 4095 }, new byte[] { 0, 1, 0xff, 0xfe, 0x1f, 1, 0xff })]
    public void Runs_are_encoded_as_QEMU_does(int[] changed, byte[] expected)
    {
        var page = new byte[PageSize];
        foreach (var at in changed)
            page[at] = 0xff;
        var encoded = new byte[PageSize];

        var length = Xbzrle.Encode(new byte[PageSize], page, encoded);

        Assert.Equal(expected, encoded.AsSpan(0, length));
    }

    [Theory]
    [InlineData(new byte[] { 0 })]
    [InlineData(new byte[] { 0, 0 })]
    [InlineData(new byte[] { 0, 2, 1 })]
    [InlineData(new byte[] { 0, 1, 1, 0, 1, 1 })]
    [InlineData(new byte[] { 0xff, 0x1f, 2, 1, 1 })]
    [InlineData(new byte[] { 0x80, 0x80, 0x01, 1, 1 })]
    [InlineData(new byte[] { 0x80 })]
    [InlineData(new byte[] { 0, 0xff, 0x7f })]
    public void A_malformed_encoding_is_refused(byte[] encoded)
    {
        Assert.False(Xbzrle.TryDecode(encoded, new byte[PageSize]));
    }

    [Fact]
    public void Any_bytes_decode_or_are_refused_within_the_page()
    {
        Prop.ForAll<byte[]>(bytes =>
        {
            Xbzrle.TryDecode(bytes, new byte[64]);
        }).QuickCheckThrowOnFailure();
    }

    /// <summary>QEMU's own encodings, applied to what it sent before: the same change encodes to the same bytes here.</summary>
    [Fact]
    public void QEMUs_encodings_are_ours()
    {
        var stream = Golden.Stream("virt-10.0-xbzrle");
        var pages = new Dictionary<(string, ulong), byte[]>();
        var reader = new MigrationStreamReader();
        int at = 0, compared = 0;
        var encoded = new byte[PageSize];
        while (at < stream.Length && reader.Read(stream.AsSpan(at), true, out var element, out _))
        {
            at += (int)element.Length;
            if (element.Kind != StreamElementKind.RamPage)
                continue;
            var key = (element.Block!.Name, element.PageOffset);
            switch (element.Flags & ~RamFlags.Continue)
            {
                case RamFlags.Page:
                    pages[key] = element.Payload.ToArray();
                    break;
                case RamFlags.Zero:
                    pages[key] = new byte[PageSize];
                    break;
                case RamFlags.Xbzrle:
                    var old = pages[key];
                    var page = (byte[])old.Clone();
                    Assert.True(Xbzrle.TryDecode(element.Payload, page));
                    Assert.Equal(element.Payload.Length, Xbzrle.Encode(old, page, encoded));
                    Assert.Equal(element.Payload, encoded.AsSpan(0, element.Payload.Length));
                    pages[key] = page;
                    compared++;
                    break;
            }
        }

        Assert.True(compared > 100, $"only {compared} encodings in the capture");
    }

    private static bool Decodes(byte[] old, byte[] page)
    {
        var encoded = new byte[PageSize];
        var length = Xbzrle.Encode(old, page, encoded);
        if (length == Xbzrle.Overflow)
            return true;
        var decoded = (byte[])old.Clone();
        return Xbzrle.TryDecode(encoded.AsSpan(0, length), decoded) && decoded.AsSpan().SequenceEqual(page);
    }

    private static (byte[] Old, byte[] New) Pages(int seed, int changes)
    {
        var random = new Random(seed);
        var old = Random(seed);
        var page = (byte[])old.Clone();
        for (var i = Math.Abs(changes % 200); i > 0; i--)
        {
            var at = random.Next(PageSize);
            for (var n = Math.Min(random.Next(1, 300), PageSize - at); n > 0; n--)
                page[at++] = (byte)random.Next(256);
        }

        return (old, page);
    }

    private static byte[] Random(int seed)
    {
        var page = new byte[PageSize];
        new Random(seed).NextBytes(page);
        return page;
    }
}

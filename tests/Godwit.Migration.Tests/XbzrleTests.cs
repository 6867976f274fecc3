using System.Runtime.InteropServices;
using Godwit.Memory;
using Godwit.Migration.Control;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Tests;

/// <summary>Pages that are sent again go as changes. The guest here changes the same pages in each of so many rounds.</summary>
public sealed class XbzrleTests
{
    private const int Changed = 10;
    private const int Rounds = 6;

    [Fact]
    public void What_changed_little_goes_as_changes_and_loads_right()
    {
        using var pair = Pair((page, round) => page[(round * 97) % 4000] = (byte)round);
        pair.Run();
        AssertMoved(pair);
        // Round 2 finds nothing in the cache and fills it; the one after the last change finds nothing changed.
        var cache = pair.From.Query().XbzrleCache!;
        Assert.Equal((Changed, Changed * (Rounds - 1), 0), ((int)cache.CacheMiss, (int)cache.Pages, (int)cache.Overflow));
        Assert.Equal(Changed * (Rounds - 2), OnTheWire(pair.Bytes, out var bytes));
        Assert.Equal(bytes, cache.Bytes);
    }

    [Fact]
    public void What_changed_too_much_goes_whole_and_counts_as_overflow()
    {
        using var pair = Pair((page, round) =>
        {
            for (var i = 0; i < page.Length; i += 2)
                page[i] = (byte)round;
        });
        pair.Run();
        AssertMoved(pair);
        var cache = pair.From.Query().XbzrleCache!;
        Assert.Equal((Changed * (Rounds - 2), Changed * (Rounds - 1)), ((int)cache.Overflow, (int)cache.Pages));
        Assert.Equal(cache.Overflow * GuestPage.Size, cache.Bytes);
        Assert.Equal(0, OnTheWire(pair.Bytes, out _));
    }

    [Fact]
    public void A_cache_too_small_keeps_what_it_has_and_misses_the_rest()
    {
        const int Slots = 2;
        using var pair = Pair((page, round) => page[(round * 97) % 4000] = (byte)round);
        pair.From.Parameters = pair.From.Parameters with { XbzrleCacheSize = Slots * (ulong)GuestPage.Size };
        pair.Run();
        AssertMoved(pair);
        var cache = pair.From.Query().XbzrleCache!;
        Assert.Equal(Slots * GuestPage.Size, cache.CacheSize);
        // As many rounds as after the first, each with the same pages.
        Assert.Equal(Changed + ((Changed - Slots) * (Rounds - 1)), cache.CacheMiss);
        Assert.Equal(Slots * (Rounds - 1), cache.Pages);
    }

    private static MachinePair Pair(Action<Span<byte>, int> change)
    {
        var pair = new MachinePair(busy: false);
        pair.Set("xbzrle", "return-path");
        // Not a single dirty page may be left for the switchover: each change makes a round.
        pair.From.Parameters = new Parameters { DowntimeLimit = 1, AvailSwitchoverBandwidth = 1000 };
        pair.From.PassStarted = round =>
        {
            // Of those pages that aren't zero.
            for (var i = 0; round is > 1 and <= Rounds && i < Changed; i++)
                change(pair.Source.RamBlocks[0].Write((ulong)(i * 3) * GuestPage.Size, GuestPage.Size), round);
            if (round == 1)
                MemoryMarshal.GetReference(pair.Source.RamBlocks[0].Write(0, Changed * 3 * GuestPage.Size)) = 1;
        };
        return pair;
    }

    private static void AssertMoved(MachinePair pair)
    {
        Assert.Equal(("", ""), (pair.Error, pair.IncomingError));
        LiveSectionTests.AssertMemory(pair);
    }

    private static int OnTheWire(byte[] stream, out long bytes)
    {
        var reader = new MigrationStreamReader();
        var pages = 0;
        bytes = 0;
        for (var at = 0; reader.Read(stream.AsSpan(at), true, out var element, out _); at += (int)element.Length)
        {
            if (element.Kind != StreamElementKind.RamPage || !element.Flags.HasFlag(RamFlags.Xbzrle))
                continue;
            pages++;
            // QEMU doesn't count the word that every page has.
            bytes += element.Length - 8;
        }

        return pages;
    }
}

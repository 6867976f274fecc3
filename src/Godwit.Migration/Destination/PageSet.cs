namespace Godwit.Migration.Destination;

/// <summary>Pages of a block that have come. For one thread.</summary>
internal sealed class PageSet(long pages)
{
    private readonly ulong[] _words = new ulong[(pages + 63) / 64];

    public void Add(long page) => _words[page >> 6] |= 1UL << (int)(page & 63);

    /// <returns>How many pages from <paramref name="first"/> on haven't come, up to one that has, or to <paramref name="most"/>.</returns>
    public int Missing(long first, long most)
    {
        var count = 0;
        while (count < most && (_words[(first + count) >> 6] >> (int)((first + count) & 63) & 1) == 0)
            count++;
        return count;
    }
}

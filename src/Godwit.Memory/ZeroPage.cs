using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Godwit.Memory;

/// <summary>Whether a page is all zero, by vectors.</summary>
public static class ZeroPage
{
    /// <param name="page">A whole page.</param>
    public static bool Is(ReadOnlySpan<byte> page)
    {
        var vectors = MemoryMarshal.Cast<byte, Vector256<byte>>(page);
        if (vectors.IsEmpty || vectors[0] != Vector256<byte>.Zero)
            return !page.ContainsAnyExcept((byte)0);
        var at = 0;
        for (; at <= vectors.Length - 8; at += 8)
        {
            var eight = vectors.Slice(at, 8);
            var any = (eight[0] | eight[1] | eight[2] | eight[3]) | (eight[4] | eight[5] | eight[6] | eight[7]);
            if (any != Vector256<byte>.Zero)
                return false;
        }

        return !page[(at * Vector256<byte>.Count)..].ContainsAnyExcept((byte)0);
    }
}

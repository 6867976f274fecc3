using System.Buffers.Binary;

namespace Godwit.Wire.Stream;

/// <summary>
/// Finds the end of a section whose length nobody knows: its footer, followed by something that can follow a section. The bytes of
/// a device may look like that too, a guest can even arrange it; so what is found this way is likely, not proven.
/// </summary>
internal static class SectionBoundary
{
    public enum Verdict
    {
        No,
        Yes,
        NeedMore,
    }

    /// <summary>Bytes that stand before the next possible footer of section <paramref name="id"/>.</summary>
    public static int FindFooter(ReadOnlySpan<byte> buffer, uint id)
    {
        Span<byte> footer = stackalloc byte[SectionHeader.FooterLength];
        footer[0] = (byte)SectionType.Footer;
        BinaryPrimitives.WriteUInt32BigEndian(footer[1..], id);
        var at = buffer.IndexOf(footer);
        if (at >= 0)
            return at;
        for (var kept = Math.Min(footer.Length - 1, buffer.Length); kept > 0; kept--)
        {
            if (footer.StartsWith(buffer[^kept..]))
                return buffer.Length - kept;
        }

        return buffer.Length;
    }

    /// <summary>Whether an element of the stream can begin like <paramref name="next"/>.</summary>
    public static Verdict CanFollow(ReadOnlySpan<byte> next, IReadOnlyDictionary<int, SectionHeader> sections, bool final, out int needed)
    {
        var reader = new WireReader(next);
        var verdict = CanFollow(ref reader, sections, final);
        needed = reader.Needed;
        return verdict == Verdict.NeedMore && final ? Verdict.No : verdict;
    }

    private static Verdict CanFollow(ref WireReader reader, IReadOnlyDictionary<int, SectionHeader> sections, bool final)
    {
        if (!reader.TryByte(out var type))
            return Verdict.NeedMore;
        switch ((SectionType)type)
        {
            case SectionType.Start or SectionType.Full:
                if (!reader.TryUInt32(out var id))
                    return Verdict.NeedMore;
                if (sections.ContainsKey((int)id))
                    return Verdict.No;
                if (!reader.TryCounted(out ReadOnlySpan<byte> name))
                    return Verdict.NeedMore;
                if (name.Length == 0 || name.ContainsAnyExceptInRange((byte)0x20, (byte)0x7e))
                    return Verdict.No;
                if (!reader.TryUInt32(out _) || !reader.TryUInt32(out var version))
                    return Verdict.NeedMore;
                return version <= ushort.MaxValue ? Verdict.Yes : Verdict.No;
            case SectionType.Part or SectionType.End:
                if (!reader.TryUInt32(out var live))
                    return Verdict.NeedMore;
                return sections.TryGetValue((int)live, out var known) && known.Type == SectionType.Start ? Verdict.Yes : Verdict.No;
            case SectionType.Command:
                if (!reader.TryUInt16(out var command) || !reader.TryUInt16(out var length))
                    return Verdict.NeedMore;
                var expected = ((CommandType)command).PayloadLength();
                return ((CommandType)command).IsKnown() && (expected == CommandTypes.Variable || expected == length) ? Verdict.Yes : Verdict.No;
            case SectionType.Eof:
                return CanFollowEof(ref reader, final);
            default:
                return Verdict.No;
        }
    }

    /// <summary>After the end comes nothing, or a description: a length and a brace.</summary>
    private static Verdict CanFollowEof(ref WireReader reader, bool final)
    {
        if (!reader.TryByte(out var type))
            return final ? Verdict.Yes : Verdict.NeedMore;
        if (type != (byte)SectionType.VmDescription)
            return Verdict.No;
        if (!reader.TryUInt32(out _) || !reader.TryByte(out var brace))
            return Verdict.NeedMore;
        return brace == (byte)'{' ? Verdict.Yes : Verdict.No;
    }
}

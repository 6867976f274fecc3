using Godwit.Migration.Channels;

namespace Godwit.Cli.Run;

/// <summary>Sizes on the command line.</summary>
internal static class SizeOption
{
    /// <param name="option">For messages.</param>
    /// <param name="unit">Bytes that a number without suffix counts.</param>
    /// <exception cref="UsageException">It isn't one.</exception>
    public static ulong Parse(string option, string text, ulong unit) =>
        ByteSize.TryParse(text, unit, out var bytes) ? bytes : throw new UsageException($"{option}: '{text}' is no size such as 512M or 4G");
}

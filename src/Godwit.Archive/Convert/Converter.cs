using System.Diagnostics;
using Godwit.Archive.Receive;
using Godwit.Archive.Send;
using Godwit.Migration.Channels;
using Godwit.Wire;

namespace Godwit.Archive.Convert;

/// <param name="From">What the file was.</param>
/// <param name="FileLength">Bytes of the new file, holes counted.</param>
public sealed record ConvertSummary(StreamFormat From, StreamFormat To, string MachineName, long FileLength, TimeSpan Elapsed);

/// <summary>Makes a file of one format out of one of the other; of a stream also a stream, that has each page once.</summary>
public static class Converter
{
    /// <param name="offset">Where in the file the stream begins.</param>
    /// <param name="progress">Its bytes are those of the file that were read.</param>
    /// <exception cref="MigrationStreamException">The file is malformed, or can't be what it shall.</exception>
    /// <exception cref="IOException">A file can't be read or written.</exception>
    /// <exception cref="NotSupportedException">There is nothing to convert.</exception>
    public static ConvertSummary Convert(string input, long offset, string output, StreamFormat to, int? pageSize, ReceiveProgress progress, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        if (PartialFile.IsWorkOf(input, output))
            throw new IOException($"'{input}' is where '{output}' would be written first: rename it");
        using var file = StreamFile.Open(input, offset);
        var player = new StreamPlayer(file, pageSize) { Played = bytes => progress.Set(bytes, 0, 0) };
        var machine = player.Configuration?.MachineName ?? "";
        if (!player.IsMapped)
        {
            using var listener = ChannelListener.Listen(new MigrationUri(MigrationScheme.File, Path: input, FileOffset: offset));
            var summary = Receiver.Receive(listener, output, new ReceiveOptions { Format = to, PageSize = pageSize }, progress, cancellation);
            return new ConvertSummary(StreamFormat.Stream, to, machine, summary.FileLength, watch.Elapsed);
        }

        if (to == StreamFormat.MappedRam)
            throw new NotSupportedException($"'{input}' is a mapped-ram file already");
        Check(file);
        using var result = new PartialFile(output);
        var sink = new ItemSink(bytes =>
        {
            cancellation.ThrowIfCancellationRequested();
            result.Append(bytes);
        });
        player.PlayHead(sink);
        player.PlayPages(sink);
        result.Commit(sync: false);
        return new ConvertSummary(StreamFormat.MappedRam, to, machine, result.Length, watch.Elapsed);
    }

    /// <summary>Looks at all but the pages, which takes next to no time, before anything is written.</summary>
    private static void Check(StreamFile file)
    {
        var report = Analyze.StreamAnalyzer.Analyze(file);
        if (report.Break is { } at)
            throw new MigrationStreamException(at.Offset, at.Section, at.Field, at.Reason);
        if (!report.ReachedEof)
            throw new MigrationStreamException(file.Length, "stream", "EOF", "the stream ends too early");
    }
}

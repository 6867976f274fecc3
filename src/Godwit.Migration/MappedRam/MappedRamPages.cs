using Godwit.Memory;
using Godwit.Migration.Channels;
using Godwit.Migration.Multifd;
using Godwit.Migration.Source;

namespace Godwit.Migration.MappedRam;

/// <summary>
/// The pages of a mapped-ram file that is being written: by the migration thread itself, or, with multifd, by channels each of which has the file open for itself.
/// <para>
/// A page goes to the same place in every round, so that what is written later must come later: the migration thread has the channels meet after each round
/// (<see cref="MultifdSource.Synchronize"/>), but only among themselves. Nothing of it is in the file.
/// </para>
/// </summary>
internal sealed class MappedRamPages : IDisposable
{
    private readonly Channel _channel;
    private readonly MappedRamWriter _writer;
    private readonly PageBatch _batch = new();

    /// <param name="channel">The stream's, a file.</param>
    /// <exception cref="IOException">It is a pipe.</exception>
    public MappedRamPages(Channel channel)
    {
        PageFile.RequirePlaces(channel.File, channel.Name);
        _channel = channel;
        _writer = new MappedRamWriter(channel.File, owns: false, Layout, channel.Name);
    }

    public MappedRamLayout Layout { get; } = new();

    /// <summary>Bytes that the migration thread itself has written beside the stream.</summary>
    public long Bytes => _writer.Bytes + _bitmaps;

    private long _bitmaps;

    /// <summary>Channels for multifd.</summary>
    /// <exception cref="IOException">The file can't be opened.</exception>
    public IBatchWriter[] OpenChannels(MigrationUri uri, int count, bool direct)
    {
        var writers = new List<IBatchWriter>();
        try
        {
            for (var id = 0; id < count; id++)
                writers.Add(new MappedRamWriter(PageFile.Open(_channel.File, uri, write: true, direct), owns: true, Layout, $"multifd channel {id}: {uri}"));
        }
        catch
        {
            writers.ForEach(w => w.Dispose());
            throw;
        }

        return [.. writers];
    }

    /// <summary>Writes a block's entry, and goes on where its pages end.</summary>
    public void PutEntry(StreamOutput output, Wire.Ram.RamBlock entry, RamBlock block)
    {
        output.Flush();
        var writer = output.Writer(Wire.Ram.RamBlock.MaxEntryLength);
        entry.Write(ref writer);
        var header = Layout.Add(block, (ulong)(_channel.Position + writer.Position));
        header.Write(ref writer);
        output.Put(writer);
        output.Flush();
        _channel.Position = (long)(header.PagesOffset + block.Length);
    }

    /// <summary>Has the migration thread write a page, soon.</summary>
    public void Add(RamBlock block, ulong offset)
    {
        if (!_batch.Takes(block))
            Flush();
        _batch.Add(block, offset, isZero: false);
    }

    /// <exception cref="IOException">The file can't be written.</exception>
    public void Flush()
    {
        if (_batch.IsEmpty)
            return;
        _writer.Write(_batch);
        _batch.Clear();
    }

    /// <summary>Writes which pages the file has.</summary>
    public void End()
    {
        Flush();
        _bitmaps = Layout.WriteBitmaps(_channel.File);
    }

    public void Dispose() => _writer.Dispose();
}

using System.Diagnostics;
using System.Numerics;
using Godwit.Migration.Channels;
using Godwit.Migration.Destination;
using Godwit.Wire;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Archive.Receive;

/// <summary>
/// Ends a migration in a file. What comes before guest memory is copied, memory is compacted, other live sections that come between
/// its rounds are put between its pages and its END, and the devices are copied as they are. The source is told that all is well only
/// when the file has its name; until then every failure leaves the guest to it.
/// </summary>
public sealed class Receiver : IDisposable
{
    private const int SilenceMilliseconds = 1000;

    /// <summary>How long a proven end must stay the end: a guest may have planted one, and the rest be on its way.</summary>
    private const int SettleMilliseconds = 20;
    private const int PatienceSeconds = 10;

    /// <summary>What a capability adds to the configuration at most: a subsection of its own.</summary>
    private const int MappedRamSubsectionLength = 64;
    private const int SmallMachinePages = (16 << 20) >> 12;

    private readonly Channel _channel;
    private readonly ReceiveOptions _options;
    private readonly ReceiveProgress _progress;
    private readonly StreamInput _input;
    private readonly IncomingMigration _migration;
    private readonly PartialFile _file;
    private readonly PartialFile _between;
    private readonly string _indexPath;
    private readonly ReceivingChannels? _multifd;
    private ReceivedRam? _ram;
    private int? _described;
    private int _devices;
    private bool _startEnded;
    private bool _ramEnding;
    private bool _ramFinished;

    private Receiver(Channel channel, string path, ReceiveOptions options, ReceiveProgress progress, ReceivingChannels? multifd, ReadOnlySpan<byte> read)
    {
        _multifd = multifd;
        _channel = channel;
        _options = options;
        _progress = progress;
        var reader = new MigrationStreamReader();
        if (options.PageSize is { } size)
            reader.PageBits = BitOperations.Log2((uint)size);
        _input = new StreamInput(channel, reader, read);
        _migration = new IncomingMigration(channel, options.SwitchoverAck) { TakesMultifd = multifd is not null };
        _file = new PartialFile(path);
        try
        {
            _between = new PartialFile(path + ".live");
        }
        catch
        {
            _file.Dispose();
            throw;
        }

        _indexPath = Path.GetFullPath(path) + ".index" + PartialFile.Suffix;
    }

    /// <summary>Receives the migration that comes to an address into <paramref name="path"/>, over multifd channels as well if the source has them.</summary>
    /// <exception cref="MigrationStreamException">The stream is malformed, ends too early, or uses something unsupported.</exception>
    /// <exception cref="IOException">The connection or the file failed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; the source keeps its guest.</exception>
    public static ReceiveSummary Receive(ChannelListener listener, string path, ReceiveOptions options, ReceiveProgress progress, CancellationToken cancellation)
    {
        if (!listener.Waits)
        {
            using var opened = listener.Accept(cancellation);
            using var only = options.Upgrade is null ? opened : options.Upgrade(opened) ?? throw new IOException($"{opened.Name}: what came isn't taken");
            return Receive(only, path, options, progress, cancellation);
        }

        using var multifd = new ReceivingChannels(listener, options);
        using var main = multifd.WaitForMain(cancellation, out var read);
        using var registration = cancellation.Register(multifd.Shutdown);
        return Receive(main, path, options, progress, multifd, read, cancellation);
    }

    /// <summary>Receives the migration that comes over one channel into <paramref name="path"/>.</summary>
    /// <exception cref="MigrationStreamException">The stream is malformed, ends too early, or uses something unsupported.</exception>
    /// <exception cref="IOException">The connection or the file failed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; the source keeps its guest.</exception>
    public static ReceiveSummary Receive(Channel channel, string path, ReceiveOptions options, ReceiveProgress progress, CancellationToken cancellation) =>
        Receive(channel, path, options, progress, null, [], cancellation);

    public void Dispose()
    {
        _multifd?.Dispose();
        _ram?.Dispose();
        _between.Dispose();
        _file.Dispose();
    }

    private static ReceiveSummary Receive(
        Channel channel, string path, ReceiveOptions options, ReceiveProgress progress, ReceivingChannels? multifd, ReadOnlySpan<byte> read, CancellationToken cancellation)
    {
        using var registration = cancellation.Register(channel.Shutdown);
        using var receiver = new Receiver(channel, path, options, progress, multifd, read);
        try
        {
            return receiver.Run();
        }
        catch (Exception e)
        {
            receiver._migration.Fail();
            if (e is not OperationCanceledException)
                cancellation.ThrowIfCancellationRequested();
            multifd?.ThrowIfFailed();
            throw;
        }
    }

    private ReceiveSummary Run()
    {
        var watch = Stopwatch.StartNew();
        var pages = 0L;
        while (!_ramFinished)
        {
            while (!_ramFinished && TryNext(out var element))
                Take(element);
            if (_multifd is not { HasCome: true })
                _ram?.Flush(_input.Buffer);
            pages = Math.Max(pages, TotalPages());
            _progress.Set(BytesReceived, Math.Min(_ram?.Progress ?? 0, pages), pages);
            if (!_ramFinished && !_input.Fill() && _input.Reader.AfterEof)
                break;
        }

        if (!_ramFinished)
            throw new MigrationStreamException(_input.Reader.Offset, SectionHeader.RamName, "END", "the stream ends, and guest memory's END section never came");
        var proof = TakeDevices();
        _ram!.TellPageSize(PageBits);
        Commit();
        return new ReceiveSummary(
            _input.Reader.Configuration?.MachineName ?? "",
            BytesReceived,
            _multifd?.Count ?? 0,
            _file.Length,
            _ram.StoredPages,
            _ram.ZeroPages,
            _ram.RewrittenPages,
            1 << PageBits,
            proof,
            _migration.HasReturnPath,
            watch.Elapsed);
    }

    /// <summary>Over the main channel come, beside multifd ones, zero pages alone, which don't show their size.</summary>
    private bool TryNext(out StreamElement element)
    {
        _input.Reader.PageBits ??= _multifd?.PageSize.Bits;
        return _input.TryNext(out element);
    }

    private void Commit()
    {
        _file.Commit(_options.Sync);
        try
        {
            _migration.Complete();
        }
        catch (IOException)
        {
            // The source never heard it and runs its guest on: a file with its name would be a second life of it.
            _file.Withdraw();
            throw;
        }
    }

    private long BytesReceived => _input.BytesRead + (_multifd?.Bytes ?? 0);

    private int PageBits => _input.Reader.PageBits ?? _multifd?.PageSize.Bits ?? _described ?? MigrationStreamReader.DefaultPageBits;

    /// <summary>The least that a page can have: 256 bytes on small machines (AVR), 1 KiB on others (ARM before version 7).</summary>
    private int GranuleBits() => TotalPages() < SmallMachinePages ? 8 : 10;

    private long TotalPages()
    {
        var total = 0L;
        foreach (var block in _input.Reader.Blocks)
            total += (long)Math.Min(block.Pages(PageBits), long.MaxValue >> 20);
        return total;
    }

    private void Take(in StreamElement element)
    {
        if (_migration.Handle(element, _input.Reader))
            return;
        var section = _input.Reader.Section;
        switch (element.Kind)
        {
            case StreamElementKind.Configuration:
                TakeConfiguration(element, _input.Reader.Configuration!);
                return;
            case StreamElementKind.RamMemSize or StreamElementKind.RamBlock:
                return;
            case StreamElementKind.RamPage when _multifd is { HasCome: true }:
                StartRam().AddShared(element, _input);
                return;
            case StreamElementKind.RamPage:
                StartRam().Add(element, _input);
                return;
            case StreamElementKind.RamControl when section!.Type == SectionType.Start:
                EndStart(element, section);
                return;
            case StreamElementKind.RamControl:
                _multifd?.Take(element, section!.Type);
                _ramEnding = section!.Type == SectionType.End;
                if (_ramEnding && _input.Reader.HasFooters == false)
                    FinishRam();
                return;
            case StreamElementKind.SectionStart when section!.IsRam:
                return;
            case StreamElementKind.SectionFooter when section!.IsRam:
                if (section.Type == SectionType.Start && !_startEnded)
                    _file.Append(Raw(element));
                else if (_ramEnding)
                    FinishRam();
                return;
            case StreamElementKind.SectionStart when section!.Type == SectionType.Full:
                _devices++;
                break;
        }

        // Memory is written as one section: what comes between its rounds waits, and follows its pages.
        (_ram is null ? _file : _between).Append(Raw(element));
    }

    private ReadOnlySpan<byte> Raw(in StreamElement element) => _input.Buffer.Slice(_input.ElementStart, (int)element.Length);

    private ReceivedRam StartRam() => _ram ??= _options.Format == StreamFormat.MappedRam
        ? new PlacedRam(_file, _input.Reader, _input.Reader.PageBits ?? GranuleBits())
        : new CompactRam(_file, new PageIndex(_indexPath), _input.Reader, _input.Reader.PageBits ?? GranuleBits());

    private void TakeConfiguration(in StreamElement element, ConfigurationSection configuration)
    {
        if (configuration.TargetPageBits is { } bits)
            _multifd?.PageSize.Tell(bits);
        if (_options.Format == StreamFormat.Stream)
        {
            _file.Append(Raw(element));
            return;
        }

        if (configuration.Has(ConfigurationSection.IgnoreShared))
        {
            throw new MigrationStreamException(element.Offset, "configuration", ConfigurationSection.IgnoreShared, "no QEMU can load a mapped-ram file of a source with x-ignore-shared")
            {
                Unsupported = ConfigurationSection.IgnoreShared,
            };
        }

        var buffer = new byte[element.Length + MappedRamSubsectionLength];
        var writer = new WireWriter(buffer);
        (configuration with { Capabilities = [.. configuration.Capabilities ?? [], ConfigurationSection.MappedRam] }).Write(ref writer);
        _file.Append(writer.Written);
    }

    /// <summary>From multifd channels pages come from here on, before START's footer has: it is written ahead of it.</summary>
    private void EndStart(in StreamElement element, SectionHeader section)
    {
        if (!element.Flags.HasFlag(RamFlags.Eos))
        {
            _multifd?.Take(element, section.Type);
            return;
        }

        if (_options.Format == StreamFormat.Stream)
            WriteBlockList(section);
        else if (_input.Reader.Configuration is null)
            throw new MigrationStreamException(element.Offset, "configuration", "capabilities", "a stream without a configuration can't say that it has capability mapped-ram");
        else
            StartRam();
        if (_multifd is null || !_multifd.Begins())
            return;
        _migration.HasMultifd = true;
        var writer = new WireWriter(new byte[SectionHeader.FooterLength]);
        section.WriteFooter(ref writer);
        _file.Append(writer.Written);
        _startEnded = true;
        _multifd.Ram = StartRam();
        _multifd.Take(element, section.Type);
    }

    /// <summary>The START section anew: a stream that no longer speaks of postcopy has no page sizes in its block list.</summary>
    private void WriteBlockList(SectionHeader section)
    {
        var buffer = new byte[SectionHeader.MaxLength + RamBlock.MaxEntryLength];
        var writer = new WireWriter(buffer);
        section.Write(ref writer);
        var total = 0UL;
        foreach (var block in _input.Reader.Blocks)
            total += block.Length;
        RamItem.WriteMemSize(ref writer, total);
        _file.Append(writer.Written);
        foreach (var block in _input.Reader.Blocks)
        {
            writer = new WireWriter(buffer);
            block.Write(ref writer);
            _file.Append(writer.Written);
        }

        writer = new WireWriter(buffer);
        RamItem.WriteEos(ref writer);
        _file.Append(writer.Written);
    }

    private void FinishRam()
    {
        var footers = _input.Reader.HasFooters ?? true;
        if (_multifd is { HasCome: true } && !footers)
            throw new MigrationStreamException(_input.Reader.Offset, SectionHeader.RamName, "footer", "a stream without section footers can't be received from multifd channels");
        StartRam().Flush(_input.Buffer);
        _ram!.EndPackets();
        _ram.Finish(footers);
        var buffer = new byte[1 << 16];
        for (var at = 0L; at < _between.Length; at += buffer.Length)
        {
            var chunk = buffer.AsSpan(0, (int)Math.Min(buffer.Length, _between.Length - at));
            _between.ReadAt(at, chunk);
            _file.Append(chunk);
        }

        _ram.WriteEnd(footers);
        _ramFinished = true;
    }

    private EndProof TakeDevices()
    {
        using var file = StreamFile.Over(_file.Handle);
        var area = new DeviceArea(file, _input.Reader.Fork(StreamReadMode.HeadersOnly, _file.Length), _devices);
        var trailing = false;
        var silence = 0;
        while (true)
        {
            _file.Append(_input.TakeRaw());
            file.Refresh();
            if (area.Find(out var end) is { } description)
            {
                _described = description.PageSize is { } size and >= 1 << 8 and <= 1 << 16 ? BitOperations.Log2((uint)size) : null;
                trailing = end < _file.Length;
                if (!trailing && (!_migration.HasReturnPath || _channel.WaitReadable(SettleMilliseconds) != true) && (_migration.HasReturnPath || !_input.Fill()))
                    return EndProof.Description;
                continue;
            }

            // A source that waits for our word and is silent has sent all it has.
            var silent = _migration.HasReturnPath && _channel.WaitReadable(SilenceMilliseconds) == false;
            silence = silent ? silence + 1 : 0;
            if (silent && area.EndsByFooters())
                return EndProof.Footers;

            // Its guest stands still and it waits for a word: better a failure, after which the guest runs on.
            if (silence >= PatienceSeconds)
                throw new MigrationStreamException(_input.BytesRead, "description", "JSON", $"the source is silent for {PatienceSeconds} seconds, and nothing proves that it has sent all");
            if (!silent && !_input.Fill())
                return EndWithoutDescription(file, area, trailing);
        }
    }

    private EndProof EndWithoutDescription(StreamFile file, DeviceArea area, bool trailing)
    {
        if (!trailing && area.EndsByFooters())
            return EndProof.Footers;
        Span<byte> last = stackalloc byte[1];
        if (!trailing && _input.Reader.HasFooters == false && file.Read(file.Length - 1, last) == 1 && last[0] == (byte)SectionType.Eof)
            return EndProof.Closed;
        try
        {
            var reader = new StreamFileReader(file, area.Fork());
            while (reader.TryNext(out _))
            {
            }
        }
        catch (MigrationStreamException e)
        {
            // The area stands elsewhere in the file than in the stream, and ends where both do.
            throw new MigrationStreamException(e.Offset + _input.BytesRead - _file.Length, e.Section, e.Field, e.Reason);
        }

        throw new MigrationStreamException(_input.BytesRead, "description", "JSON", "the description contradicts the sections before it, or bytes follow it");
    }
}

using System.Numerics;
using Godwit.Migration.Channels;
using Godwit.Migration.Multifd;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Archive.Receive;

/// <summary>The multifd channels of a source that may have none: that shows at the end of memory's START.</summary>
internal sealed class ReceivingChannels : IDisposable
{
    private readonly IncomingChannels _channels;
    private readonly MultifdMeetings _meetings;
    private readonly bool _expected;
    private ReceivedRam? _ram;
    private bool _flushed;

    public ReceivingChannels(ChannelListener listener, ReceiveOptions options)
    {
        PageSize = new TargetPageSize(options.PageSize is { } size ? BitOperations.Log2((uint)size) : null);
        _expected = options.MultifdChannels is not null;
        _channels = new IncomingChannels(listener, options.MultifdChannels, Guid.Empty, () => new ReceivedPacketSink(() => Volatile.Read(ref _ram), PageSize), PageSize, options.Upgrade);
        _meetings = new MultifdMeetings(_channels);
    }

    public TargetPageSize PageSize { get; }

    /// <summary>Whether the source has them, as far as that is known.</summary>
    public bool HasCome { get; private set; }

    public int Count => HasCome ? _channels.Count : 0;

    /// <summary>Bytes that came over them.</summary>
    public long Bytes => _channels.Bytes;

    /// <summary>Where their pages go from the first meeting on.</summary>
    public ReceivedRam Ram
    {
        set => Volatile.Write(ref _ram, value);
    }

    /// <summary>See <see cref="IncomingChannels.WaitForMain"/>.</summary>
    public Channel WaitForMain(CancellationToken cancellation, out byte[] read) => _channels.WaitForMain(cancellation, out read);

    /// <summary>START has ended. Whether pages come over multifd channels.</summary>
    public bool Begins() => HasCome = _flushed || _expected || _channels.HaveCome();

    /// <summary>Takes MULTIFD_FLUSH and EOS.</summary>
    /// <exception cref="Wire.MigrationStreamException">A channel is missing, or has failed.</exception>
    public void Take(in StreamElement control, SectionType section)
    {
        _flushed |= control.Flags.HasFlag(RamFlags.MultifdFlush);
        if (HasCome || section == SectionType.Start)
            _meetings.Take(control, section);
    }

    /// <exception cref="Wire.MigrationStreamException">A channel has failed.</exception>
    /// <exception cref="IOException">A channel has failed.</exception>
    public void ThrowIfFailed() => _channels.ThrowIfFailed();

    /// <summary>Ends all at once. For any thread.</summary>
    public void Shutdown() => _channels.Shutdown();

    public void Dispose() => _channels.Dispose();
}

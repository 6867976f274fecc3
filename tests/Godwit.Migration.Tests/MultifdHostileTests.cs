using System.Buffers.Binary;
using Godwit.Migration.Channels;
using Godwit.Migration.Control;
using Godwit.Migration.Multifd;
using Godwit.Testing;
using Godwit.Wire.Multifd;

namespace Godwit.Migration.Tests;

/// <summary>Channels that are broken, missing, or nobody's: the guest is started whole or never, and the error says which and why. GODWIT_FUZZ_ROUNDS sets how many
/// are tried.</summary>
public sealed class MultifdHostileTests : IDisposable
{
    private const int Pages = 1024;

    /// <summary>The first packet with pages: after the handshake and the SYNC of START.</summary>
    private const int First = MultifdHandshake.Length + 1344;
    private static readonly int Rounds = int.TryParse(Environment.GetEnvironmentVariable("GODWIT_FUZZ_ROUNDS"), out var rounds) ? rounds : 20;

    private readonly TestMachine _source = new(Pages) { Uuid = Guid.Parse("7f0a5a3e-57c5-4b0b-9a0d-0c6a3c1f6a11") };
    private readonly TestMachine _destination = new(Pages, empty: true) { Uuid = Guid.Parse("7f0a5a3e-57c5-4b0b-9a0d-0c6a3c1f6a11") };

    public void Dispose()
    {
        _source.Dispose();
        _destination.Dispose();
    }

    [Theory]
    [InlineData(0, 0x51455600u, "a channel came that begins with 51455600")]
    [InlineData(0, 0u, "neither a main nor a multifd one")]
    [InlineData(4, 2u, "field 'version': version 2, expected 1")]
    [InlineData(8, 1u, "field 'uuid'")]
    [InlineData(24, 0x01000000u, "a channel with this id is here already")]
    [InlineData(24, 0x02000000u, "multifd-channels is 2 here")]
    [InlineData(24, 0xff000000u, "multifd-channels is 2 here")]
    [InlineData(First + 0, 0u, "section 'multifd channel 0', field 'magic'")]
    [InlineData(First + 4, 7u, "field 'version'")]
    [InlineData(First + 8, 0x100u, "field 'flags'")]
    [InlineData(First + 8, 0x40u, "multifd device state")]
    [InlineData(First + 8, 0x20u, "multifd-compression=qatzip")]
    [InlineData(First + 12, 129u, "field 'pages_alloc'")]
    [InlineData(First + 16, 129u, "field 'normal_pages'")]
    [InlineData(First + 20, 0x7fffffffu, "field 'next_packet_size'")]
    [InlineData(First + 32, 129u, "field 'zero_pages'")]
    [InlineData(First + 64, 0x78787878u, "is no block that the source has listed")]
    [InlineData(First + 320, 0x80000000u, "is outside of block")]
    [InlineData(First + 324, 0x00000800u, "is no page's")]
    public void A_field_that_cant_be_is_named(int at, uint value, string error)
    {
        var stream = Record();
        BinaryPrimitives.WriteUInt32BigEndian(stream.Channels[0].AsSpan(at), value);
        AssertFails(stream, error);
    }

    [Theory]
    [InlineData(30, "within its handshake")]
    [InlineData(MultifdHandshake.Length, "ended without the SYNC that belongs to it")]
    [InlineData(First + 5, "within a packet")]
    [InlineData(First + 500, "within a packet")]
    [InlineData(First + 1344 + 1000, "within the pages of a packet")]
    public void A_channel_cut_short_is_named(int length, string error)
    {
        var stream = Record();
        stream.Channels[0] = stream.Channels[0][..length];
        AssertFails(stream, error);
    }

    [Theory]
    [InlineData(3, "2 of 3 multifd channels came, missing 2")]
    [InlineData(1, "multifd-channels is 1 here")]
    public void Too_few_and_too_many_are_named(int expected, string error) => AssertFails(Record(), error, expected: expected);

    [Fact]
    public void A_source_without_multifd_is_named() => AssertFails(Record(), "is capability multifd on at the source?", [-1]);

    [Fact]
    public void A_second_main_channel_is_named() => AssertFails(Record(), "a second main channel came", [-1, -1, 0]);

    [Fact]
    public void Pages_before_the_list_of_blocks_are_named()
    {
        var stream = Record();
        // Without the SYNC of START, nothing holds the channel.
        stream.Channels[0] = [.. stream.Channels[0][..MultifdHandshake.Length], .. stream.Channels[0][First..]];
        AssertFails(stream with { Main = [] }, "come before the list of blocks", [0, 1]);
    }

    [Theory]
    [InlineData(MultifdCompression.Zlib)]
    [InlineData(MultifdCompression.Zstd)]
    public void Broken_compression_is_named(MultifdCompression compression)
    {
        var stream = Record(compression);
        stream.Channels[0].AsSpan(First + 1344, 64).Fill(0xa5);
        AssertFails(stream, $"{compression.ToString().ToLowerInvariant()}: ");
    }

    [Theory]
    [InlineData(MultifdCompression.Zlib, First + 20, 0u, "field 'next_packet_size'")]
    [InlineData(MultifdCompression.Zstd, First + 20, 0u, "field 'next_packet_size'")]
    [InlineData(MultifdCompression.Zstd, First + 20, 0xffffffffu, "field 'next_packet_size'")]
    [InlineData(MultifdCompression.Zlib, First + 8, 4u, "zstd: ")]
    public void A_field_of_a_compressed_packet_that_cant_be_is_named(MultifdCompression compression, int at, uint value, string error)
    {
        var stream = Record(compression);
        BinaryPrimitives.WriteUInt32BigEndian(stream.Channels[0].AsSpan(at), value);
        AssertFails(stream, error);
    }

    /// <summary>With as many channels as come, a source that has begun has no more of them.</summary>
    [Fact]
    public void A_channel_that_comes_late_is_named()
    {
        using var folder = new TemporaryFolder();
        using var listener = ChannelListener.Listen(new MigrationUri(MigrationScheme.Unix, Path: folder.File("in")));
        using var channels = new IncomingChannels(listener, expected: null, Guid.Empty, static () => new Untouched());
        var stream = Record();
        using var first = ChannelConnector.Connect(listener.Address, returnPath: false);
        first.Write(stream.Channels[0].AsSpan(0, First));
        using var main = ChannelConnector.Connect(listener.Address, returnPath: false);
        main.Write(stream.Main.AsSpan(0, 4));
        using var taken = channels.WaitForMain(CancellationToken.None, out _);
        channels.Meet(0);
        using var late = ChannelConnector.Connect(listener.Address, returnPath: false);
        late.Write(stream.Channels[1].AsSpan(0, First));

        Assert.True(SpinWait.SpinUntil(() => channels.Failure is not null, TimeSpan.FromSeconds(20)));
        Assert.Contains("it came after all channels had met", channels.Failure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_main_channel_that_breaks_ends_all()
    {
        var stream = Record();
        AssertFails(stream with { Main = stream.Main[..^40000] }, "the stream ends here");
    }

    [Theory]
    [InlineData(MultifdCompression.None)]
    [InlineData(MultifdCompression.Zlib)]
    [InlineData(MultifdCompression.Zstd)]
    public void Changed_bytes_start_a_guest_once_or_fail(MultifdCompression compression)
    {
        var original = Record(compression);
        var random = new Random((int)compression);
        for (var i = 0; i < Rounds; i++)
        {
            var stream = original with { Channels = [.. original.Channels.Select(c => (byte[])c.Clone())] };
            for (var n = random.Next(1, 4); n > 0; n--)
            {
                var channel = stream.Channels[random.Next(2)];
                channel[random.Next(i % 2 == 0 ? First + 1344 : channel.Length)] = (byte)random.Next(256);
            }

            using var machine = new TestMachine(Pages, empty: true) { Uuid = _source.Uuid };
            var run = MultifdRun.Play(machine, stream);
            Assert.Equal([run.Status == MigrationStatus.Completed ? "start" : "discard"], machine.Calls);
        }
    }

    /// <summary>Which channel takes which pages is chance; those that are changed here are the first one's.</summary>
    private MultifdStream Record(MultifdCompression compression = MultifdCompression.None)
    {
        while (true)
        {
            var stream = MultifdStream.Record(_source, new Parameters { MultifdChannels = 2, MultifdCompression = compression });
            if (stream.Channels[0].Length > First + (4 * 1344))
                return stream;
        }
    }

    private sealed class Untouched : PacketSink
    {
        public override void Take(in MultifdPacket packet, Channel channel, string name, long at) => throw new InvalidOperationException("no page comes");

        protected override Span<byte> Place(in MultifdPacket packet, int page) => throw new InvalidOperationException("no page comes");
    }

    private void AssertFails(MultifdStream stream, string error, int[]? order = null, int? expected = null)
    {
        var run = MultifdRun.Play(_destination, stream, order, expected);
        Assert.Contains(error, run.Error, StringComparison.Ordinal);
        Assert.Equal(MigrationStatus.Failed, run.Status);
        Assert.Equal(["discard"], _destination.Calls);
    }
}

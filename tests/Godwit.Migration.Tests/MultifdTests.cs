using System.Buffers.Binary;
using Godwit.Memory;
using Godwit.Migration.Channels;
using Godwit.Migration.Control;
using Godwit.Testing;
using Godwit.Wire.Multifd;

namespace Godwit.Migration.Tests;

public sealed class MultifdTests
{
    private const int Pages = 2048;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("tcp", 1, "none", "multifd")]
    [InlineData("unix", 2, "zlib", "legacy")]
    [InlineData("tcp", 3, "zstd", "none")]
    [InlineData("unix", 4, "zlib", "none")]
    [InlineData("unix", 255, "none", "legacy")]
    [InlineData("tcp", 8, "zstd", "multifd")]
    [InlineData("tcp", 2, "none", "none")]
    public void Memory_arrives_as_it_was_when_the_guest_stopped(string scheme, int channels, string compression, string zeros)
    {
        using var source = new TestMachine(Pages, busy: true);
        using var destination = new TestMachine(Pages, stale: true);
        var parameters = new Parameters
        {
            MultifdChannels = channels,
            MultifdCompression = Enum.Parse<MultifdCompression>(compression, ignoreCase: true),
            ZeroPageDetection = Enum.Parse<ZeroPageDetection>(zeros, ignoreCase: true),
            // The guest dirties more than goes: memory is gone through again.
            MaxBandwidth = 20 << 20,
            DowntimeLimit = 1,
        };

        var from = Move(source, destination, scheme, parameters, "multifd", "return-path");

        Assert.Equal(["stop", "hand over"], source.Calls);
        Assert.Equal(["start"], destination.Calls);
        AssertSame(source, destination);
        var ram = from.Query().Ram!;
        Assert.InRange(ram.MultifdBytes, 1, ram.Transferred);
        Assert.Equal(0, ram.Remaining);
        Assert.InRange(ram.Normal + ram.Duplicate, Pages, long.MaxValue);
        Assert.Equal(zeros == "none" ? 0 : 1, Math.Min(ram.Duplicate, 1));
    }

    [Fact]
    public void An_old_destination_meets_the_channels_at_each_section_s_end()
    {
        using var source = new TestMachine(Pages, busy: true);
        using var destination = new TestMachine(Pages, stale: true);
        Move(source, destination, "unix", new Parameters { MultifdFlushAfterEachSection = true, MaxBandwidth = 20 << 20, DowntimeLimit = 1 }, "multifd");
        AssertSame(source, destination);
    }

    /// <summary>Far more of them than go by one call, and others among them.</summary>
    [Theory]
    [InlineData(MultifdCompression.None)]
    [InlineData(MultifdCompression.Zlib)]
    [InlineData(MultifdCompression.Zstd)]
    public void Memory_that_is_zero_is_zero_there(MultifdCompression compression)
    {
        using var source = new TestMachine(32 * Pages, empty: true);
        source.RamBlocks[0].Write(7000 * GuestPage.Size, 1)[0] = 7;
        source.RamBlocks[0].Write(40000 * GuestPage.Size, 300 * GuestPage.Size).Fill(8);
        using var destination = new TestMachine(32 * Pages, stale: true);
        Move(source, destination, "unix", new Parameters { MultifdCompression = compression, MaxBandwidth = 0 }, "multifd");
        AssertSame(source, destination);
    }

    [Fact]
    public void Packets_are_numbered_over_all_channels()
    {
        using var source = new TestMachine(Pages);
        var stream = MultifdStream.Record(source, new Parameters { MultifdChannels = 3 });
        var all = stream.Channels.Select(Numbers).ToList();
        foreach (var numbers in all)
            Assert.Equal(numbers.Order(), numbers);
        Assert.Equal(Enumerable.Range(0, all.Sum(n => n.Count)).Select(n => (ulong)n), all.SelectMany(n => n).Order());
    }

    [Theory]
    [InlineData(MultifdCompression.Zlib, 1, 9)]
    [InlineData(MultifdCompression.Zstd, 1, 19)]
    public void A_higher_level_takes_fewer_bytes(MultifdCompression compression, int low, int high)
    {
        using var source = new TestMachine(256, empty: true);
        var random = new Random(1);
        foreach (ref var b in source.RamBlocks[0].Write(0, 256 * GuestPage.Size))
            b = (byte)"migration"[random.Next(9)];

        Assert.InRange(Length(high), 1, Length(low) - 1);

        int Length(int level) => MultifdStream.Record(source, new Parameters { MultifdCompression = compression, MultifdZlibLevel = level, MultifdZstdLevel = level }).Channels.Sum(c => c.Length);
    }

    [Theory]
    [InlineData(-1, 0, 1, 2)]
    [InlineData(2, 1, 0, -1)]
    [InlineData(1, -1, 2, 0)]
    public void Channels_come_in_any_order(params int[] order)
    {
        using var source = new TestMachine(Pages);
        var stream = MultifdStream.Record(source, new Parameters { MultifdChannels = 3 });
        using var destination = new TestMachine(Pages, stale: true);

        var run = MultifdRun.Play(destination, stream, order);

        Assert.Equal("", run.Error);
        AssertSame(source, destination);
    }

    /// <summary>The pages as the packets have them, from one SYNC to the next.</summary>
    [Theory]
    [InlineData("virt-11.1-multifd")]
    [InlineData("virt-10.0-multifd-sections")]
    public void What_QEMU_sent_arrives(string name)
    {
        var stream = new MultifdStream(Golden.Stream(name), [Golden.Channel(name, 0), Golden.Channel(name, 1)]);
        using var machine = new RecordedMachine(stream.Main);

        var run = MultifdRun.Play(machine, stream);

        Assert.Equal((MigrationStatus.Completed, "", 1), (run.Status, run.Error, machine.Started));
        var expected = machine.RamBlocks.ToDictionary(b => b.IdStr, b => new byte[b.Length], StringComparer.Ordinal);
        int[] at = [MultifdHandshake.Length, MultifdHandshake.Length];
        while (at[0] < stream.Channels[0].Length)
        {
            Apply(stream.Channels[0], ref at[0], expected);
            Apply(stream.Channels[1], ref at[1], expected);
        }

        foreach (var block in machine.RamBlocks)
            Assert.True(block.Read(0, (int)block.Length).SequenceEqual(expected[block.IdStr]), block.IdStr);
    }

    [Theory]
    [InlineData("virt-11.1-multifd-zlib")]
    [InlineData("virt-11.1-multifd-zstd")]
    public void What_QEMU_compressed_arrives(string name)
    {
        var stream = new MultifdStream(Golden.Stream(name), [Golden.Channel(name, 0), Golden.Channel(name, 1)]);
        using var machine = new RecordedMachine(stream.Main);
        var run = MultifdRun.Play(machine, stream);
        Assert.Equal((MigrationStatus.Completed, "", 1), (run.Status, run.Error, machine.Started));
        // The guest's own program, as it was loaded.
        var program = File.ReadAllBytes(Repository.Path("guests", "heartbeat", "heartbeat.elf")).AsSpan(0x1000, 256);
        var ram = machine.RamBlocks.Single(b => b.IdStr == "riscv_virt_board.ram");
        Assert.True(ram.Read(0, (int)ram.Length).IndexOf(program) >= 0);
    }

    /// <summary>The same page goes over one channel and in the next round over another, which is faster: it waits for the slower one.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void The_page_that_was_sent_last_stays(int slower)
    {
        using var source = new TestMachine(16);
        var stream = MultifdStream.Record(source, new Parameters());
        // One more meeting, before that of END.
        ReadOnlySpan<byte> flush = [0, 0, 0, 0, 0, 0, 2, 0];
        var at = stream.Main.AsSpan().LastIndexOf(flush);
        byte[] main = [.. stream.Main[..at], .. flush, .. stream.Main[at..]];
        byte[] older = [.. Sync(), .. Page(0xaa), .. Sync(), .. Sync()];
        byte[] newer = [.. Sync(), .. Sync(), .. Page(0xbb), .. Sync()];
        byte[][] channels = [stream.Channels[0][..MultifdHandshake.Length], stream.Channels[1][..MultifdHandshake.Length]];
        channels[slower] = [.. channels[slower], .. older];
        channels[1 - slower] = [.. channels[1 - slower], .. newer];
        using var destination = new TestMachine(16, empty: true);

        var run = MultifdRun.Play(destination, new MultifdStream(main, channels), slower: slower);

        Assert.Equal("", run.Error);
        Assert.Equal(0xbb, destination.RamBlocks[0].Read(0x3000, 1)[0]);

        static byte[] Sync() => Packet(MultifdFlags.Sync, []);

        static byte[] Page(byte value) => [.. Packet(MultifdFlags.None, [0x3000]), .. Enumerable.Repeat(value, GuestPage.Size)];

        static byte[] Packet(MultifdFlags flags, ulong[] pages)
        {
            var bytes = new byte[MultifdPacket.Length(GuestPage.Bits)];
            MultifdPacket.Write(bytes, GuestPage.Bits, flags, 0, pages.Length == 0 ? [] : "board.ram"u8, pages, [], pages.Length * GuestPage.Size);
            return bytes;
        }
    }

    [Theory]
    [InlineData("file:/nowhere")]
    [InlineData("exec:cat")]
    [InlineData("fd:1")]
    public void Where_one_channel_is_all_there_is_it_is_refused(string uri)
    {
        using var machine = new TestMachine(8);
        using var migrator = new Migrator(machine);
        migrator.SetCapabilities([KeyValuePair.Create("multifd", true)]);
        Assert.Contains("multi-channel", Assert.Throws<MigrationRefusedException>(() => migrator.Migrate(MigrationUri.Parse(uri))).Message, StringComparison.Ordinal);
        Assert.Contains("multi-channel", Assert.Throws<MigrationRefusedException>(() => migrator.Incoming(MigrationUri.Parse(uri), exitOnError: false)).Message, StringComparison.Ordinal);
    }

    private static List<ulong> Numbers(byte[] channel)
    {
        var numbers = new List<ulong>();
        for (var at = MultifdHandshake.Length; at < channel.Length;)
        {
            var packet = MultifdPacket.Read(channel.AsSpan(at, MultifdPacket.Length(12)), 12, "channel", at);
            numbers.Add(BinaryPrimitives.ReadUInt64BigEndian(channel.AsSpan(at + 24)));
            at += MultifdPacket.Length(12) + packet.DataLength;
        }

        return numbers;
    }

    private static void Apply(byte[] channel, ref int at, Dictionary<string, byte[]> memory)
    {
        while (at < channel.Length)
        {
            var packet = MultifdPacket.Read(channel.AsSpan(at, MultifdPacket.Length(12)), 12, "channel", at);
            at += MultifdPacket.Length(12);
            for (var i = 0; i < packet.NormalPages + packet.ZeroPages; i++)
            {
                var page = memory[System.Text.Encoding.ASCII.GetString(packet.BlockName)].AsSpan((int)packet.Offset(i), GuestPage.Size);
                if (i < packet.NormalPages)
                    channel.AsSpan(at + (i * GuestPage.Size), GuestPage.Size).CopyTo(page);
                else
                    page.Clear();
            }

            at += packet.DataLength;
            if (packet.IsSync)
                return;
        }
    }

    private static Migrator Move(TestMachine source, TestMachine destination, string scheme, Parameters parameters, params string[] capabilities)
    {
        using var folder = new TemporaryFolder();
        using var over = new CountdownEvent(2);
        using var to = new Migrator(destination) { Parameters = parameters };
        var from = new Migrator(source) { Parameters = parameters };
        foreach (var migrator in new[] { from, to })
        {
            migrator.SetCapabilities(capabilities.Select(c => KeyValuePair.Create(c, true)));
            migrator.StatusChanged = s =>
            {
                if (s is MigrationStatus.Completed or MigrationStatus.Failed)
                    over.Signal();
            };
            migrator.PassStarted = pass =>
            {
                // Enough rounds.
                if (pass > 3)
                    migrator.Parameters = parameters with { MaxBandwidth = 0, DowntimeLimit = 2000 };
            };
        }

        to.Incoming(MigrationUri.Parse(scheme == "tcp" ? "tcp:127.0.0.1:0" : $"unix:{folder.File("in")}"), exitOnError: true);
        from.Migrate(to.IncomingAddress!);
        Assert.True(over.Wait(Limit), $"it hangs: {from.Query().Status} {to.Query().Status}");
        from.Dispose();
        Assert.Equal((MigrationStatus.Completed, MigrationStatus.Completed), (from.Query().Status, to.Query().Status));
        return from;
    }

    private static void AssertSame(TestMachine source, TestMachine destination)
    {
        foreach (var (sent, came) in source.RamBlocks.Zip(destination.RamBlocks))
            Assert.True(sent.Read(0, (int)sent.Length).SequenceEqual(came.Read(0, (int)came.Length)), sent.IdStr);
    }
}

using System.Buffers.Binary;
using Godwit.Machine.Cpu;
using Godwit.Machine.Virt;
using Godwit.Machine.Virt.DeviceTree;

namespace Godwit.Machine.Tests.Virt;

public sealed class FlattenedDeviceTreeTests
{
    private static readonly byte[] Board = VirtDeviceTree.Create(CpuModel.Default, 2, 128 << 20).ToBytes();

    [Fact]
    public void A_blob_read_and_written_is_the_same_blob() => Assert.Equal(Board, FlattenedDeviceTree.Parse(Board).ToBytes());

    [Fact]
    public async Task QEMUs_blob_read_and_written_is_the_same_blob_but_for_its_padding()
    {
        var blob = await QemuTree.DumpAsync("-smp", "2");

        var written = FlattenedDeviceTree.Parse(blob).ToBytes();

        Assert.Equal(blob.Length, written.Length);
        Assert.Equal(QemuTree.Lines(blob), QemuTree.Lines(written));
        // libfdt leaves up to three old bytes behind a value.
        Assert.All(blob.Zip(written).Where(p => p.First != p.Second), p => Assert.Equal(0, p.Second));
    }

    [Fact]
    public void Reservations_and_bytes_behind_the_blob_are_no_obstacle()
    {
        var tree = FlattenedDeviceTree.Parse(Board);
        tree.Reservations.Add((0x8000_0000, 0x1000));
        var blob = tree.ToBytes();

        var read = FlattenedDeviceTree.Parse([.. blob, 1, 2, 3]);

        Assert.Equal((0x8000_0000UL, 0x1000UL), Assert.Single(read.Reservations));
        Assert.Equal(blob, read.ToBytes());
    }

    [Fact]
    public void A_property_is_replaced_where_it_stands_and_a_new_one_comes_first()
    {
        var tree = FlattenedDeviceTree.Parse(Board);
        var chosen = tree.Find("/chosen")!;
        chosen.SetStrings("bootargs", "one").SetStrings("stdout-path", "/elsewhere").SetStrings("bootargs", "two");

        var read = FlattenedDeviceTree.Parse(tree.ToBytes()).Find("/chosen")!;

        Assert.Equal(["bootargs", "stdout-path", "rng-seed"], read.Properties.Select(p => p.Name));
        Assert.Equal("two\0"u8.ToArray(), read.Get("bootargs"));
    }

    [Fact]
    public void Nodes_are_found_with_and_without_their_addresses()
    {
        var tree = FlattenedDeviceTree.Parse(Board);

        Assert.Same(tree.Find("/soc/serial@10000000"), tree.Find("/soc/serial"));
        Assert.Same(tree.Root, tree.Find("/"));
        Assert.Null(tree.Find("/soc/serial@1"));
        Assert.Null(tree.Find("/so"));
    }

    [Fact]
    public void A_blob_cut_anywhere_is_refused()
    {
        for (var length = 0; length < Board.Length; length++)
            Assert.Throws<DeviceTreeException>(() => FlattenedDeviceTree.Parse(Board.AsSpan(0, length)));
    }

    [Fact]
    public void A_word_changed_anywhere_is_read_or_refused_and_nothing_else()
    {
        var refused = 0;
        foreach (var value in new uint[] { 0, 1, 2, 3, 4, 9, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, uint.MaxValue })
        {
            for (var at = 0; at + 4 <= Board.Length; at += 4)
            {
                var blob = Board.ToArray();
                BinaryPrimitives.WriteUInt32BigEndian(blob.AsSpan(at), value);
                try
                {
                    FlattenedDeviceTree.Parse(blob).ToBytes();
                }
                catch (DeviceTreeException)
                {
                    refused++;
                }
            }
        }

        Assert.True(refused > 1000, $"{refused}");
    }

    [Theory]
    [InlineData(0, 0u, "d00dfeed")]
    [InlineData(4, 39u, "header says")]
    [InlineData(8, 57u, "structure block")]
    [InlineData(16, 41u, "memory reservations")]
    [InlineData(20, 16u, "version")]
    [InlineData(24, 18u, "version")]
    [InlineData(32, 0xffff_ffffu, "strings block")]
    public void A_wrong_header_is_refused_with_its_reason(int at, uint value, string words)
    {
        var blob = Board.ToArray();
        BinaryPrimitives.WriteUInt32BigEndian(blob.AsSpan(at), value);

        var error = Assert.Throws<DeviceTreeException>(() => FlattenedDeviceTree.Parse(blob));

        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nodes_too_deep_are_refused()
    {
        var tree = new FlattenedDeviceTree();
        var node = tree.Root;
        for (var i = 0; i < 100; i++)
            node = node.AddChild("deeper");

        Assert.Contains("deep", Assert.Throws<DeviceTreeException>(() => FlattenedDeviceTree.Parse(tree.ToBytes())).Message, StringComparison.Ordinal);
    }
}

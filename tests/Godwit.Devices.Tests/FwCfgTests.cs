using System.Buffers.Binary;
using System.Text;
using Godwit.Devices.FwCfg;
using Godwit.Devices.Tests.Qtest;

namespace Godwit.Devices.Tests;

public sealed class FwCfgTests
{
    private const ulong FwCfg = VirtDevices.FwCfgBase, Selector = FwCfg + 8, Dma = FwCfg + 16;
    private const uint Error = 1, Read = 2, Skip = 4, Select = 8, Write = 16;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Random_accesses_read_as_in_QEMU(int seed)
    {
        using var both = WithFilesOfTheMachine();
        var random = new Random(seed);
        // The keys below the files, then the directory and files that both have.
        ushort[] keys = [0, 1, 2, 4, 5, 0x0e, 0x19, 0x20, 0x21, 0x22, 0x23, 0x3f, 0x40, 0x4001, 0x8000, 0x8001, 0xc019, 0xffff];
        for (var i = 0; i < 3000; i++)
        {
            var size = 1 << random.Next(4);
            switch (random.Next(8))
            {
                case 0 or 1:
                    both.Write(Selector, 2, BinaryPrimitives.ReverseEndianness(keys[random.Next(keys.Length)]));
                    break;
                case 2:
                    both.Read(Dma + ((ulong)random.Next(8) & ~((ulong)size - 1)), size);
                    break;
                case 3:
                    both.Read(FwCfg + ((ulong)random.Next(16) & ~((ulong)size - 1)), size);
                    break;
                case 4:
                    both.Write(FwCfg, size, (ulong)random.NextInt64());
                    break;
                default:
                    both.Read(FwCfg, size);
                    break;
            }
        }
    }

    [Fact]
    public void The_directory_and_every_entry_are_QEMUs()
    {
        using var both = WithFilesOfTheMachine("-fw_cfg", "name=opt/org.example/b,string=second", "-fw_cfg", "name=opt/org.example/a,string=first");
        both.Ours.FwCfg.AddFile("opt/org.example/b", "second"u8.ToArray());
        both.Ours.FwCfg.AddFile("opt/org.example/a", "first"u8.ToArray());
        for (ushort key = 0; key < 0x42; key++)
        {
            both.Write(Selector, 2, BinaryPrimitives.ReverseEndianness(key));
            for (var i = 0; i < (key == 0x19 ? 2100 / 8 : 8); i++)
                both.Read(FwCfg, 8);
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public void Random_DMA_leaves_QEMUs_bytes_in_memory(int seed)
    {
        using var both = WithFilesOfTheMachine();
        var random = new Random(seed);
        const ulong descriptor = VirtDevices.Ram + 0x1000, target = VirtDevices.Ram + 0x4000;
        ushort[] keys = [0, 1, 2, 5, 0x19, 0x20, 0x21, 0x30, 0x77];
        uint[] controls = [Read, Read, Read, Skip, Write, Read | Skip, Read | Write, 0];
        ulong[] targets = [target, target + 3, VirtDevices.Ram + (64 << 20) - 16, VirtDevices.Ram + (64 << 20), 0x7000_0000_0000];
        for (var i = 0; i < 600; i++)
        {
            var control = controls[random.Next(controls.Length)] | (random.Next(2) == 0 ? Select | ((uint)keys[random.Next(keys.Length)] << 16) : 0);
            var bytes = Descriptor(control, (uint)random.Next(random.Next(2) == 0 ? 12 : 5000), targets[random.Next(targets.Length)]);
            both.Qemu.WriteBytes(descriptor, bytes);
            both.Ours.Memory.TryWrite(descriptor, bytes);
            if (random.Next(2) == 0)
            {
                both.Write(Dma, 4, 0);
                both.Write(Dma + 4, 4, BinaryPrimitives.ReverseEndianness((uint)descriptor));
            }
            else
            {
                both.Write(Dma, 8, BinaryPrimitives.ReverseEndianness(descriptor));
            }

            both.Read(descriptor, 4);
            Same(both, target, 6000);
            Same(both, VirtDevices.Ram + (64 << 20) - 32, 32);
            if (random.Next(3) == 0)
                both.Read(FwCfg, 8);
        }
    }

    [Fact]
    public void A_descriptor_outside_memory_is_an_error_that_nobody_sees()
    {
        using var both = new SideBySide();
        both.Write(Dma, 8, BinaryPrimitives.ReverseEndianness(0x7fff_ffff_0000UL));
        both.Write(Dma, 8, BinaryPrimitives.ReverseEndianness(ulong.MaxValue - 7));
        both.Write(Selector, 2, 0);
        Assert.Equal(0x554d4551u, both.Read(FwCfg, 4));
    }

    [Fact]
    public void A_length_of_four_gigabytes_ends_where_memory_does()
    {
        using var ours = new VirtDevices();
        var bytes = Descriptor(Read | Select | (0x30 << 16), uint.MaxValue, VirtDevices.Ram + 0x4000);
        ours.Memory.TryWrite(VirtDevices.Ram, bytes);

        ours.Write(Dma, 8, BinaryPrimitives.ReverseEndianness(VirtDevices.Ram));

        Assert.Equal(Error, BinaryPrimitives.ReverseEndianness((uint)ours.Read(VirtDevices.Ram, 4)));
    }

    [Fact]
    public void Names_that_do_not_fit_and_names_that_are_taken_are_refused()
    {
        using var ours = new VirtDevices();
        ours.FwCfg.AddFile("etc/x", [1]);
        Assert.Throws<ArgumentException>(() => ours.FwCfg.AddFile("etc/x", [2]));
        Assert.Throws<ArgumentException>(() => ours.FwCfg.AddFile(new string('n', 56), [2]));
        Assert.Throws<ArgumentException>(() => ours.FwCfg.Add(FwCfgKey.Id, 5));
        Assert.Throws<ArgumentException>(() =>
        {
            for (var i = 0; i < FwCfgEntries.FileSlots; i++)
                ours.FwCfg.AddFile($"etc/{i}", [2]);
        });
    }

    [Fact]
    public void Texts_end_with_a_zero()
    {
        using var ours = new VirtDevices();
        ours.FwCfg.Add(FwCfgKey.CommandLineData, "console=ttyS0");
        ours.Write(Selector, 2, BinaryPrimitives.ReverseEndianness((ushort)FwCfgKey.CommandLineData));

        var text = Enumerable.Range(0, 14).Select(_ => (byte)ours.Read(FwCfg, 1)).ToArray();

        Assert.Equal("console=ttyS0\0", Encoding.ASCII.GetString(text));
    }

    /// <summary>Ours gets the files that QEMU's machine adds, such as SMBIOS tables, which aren't the device's.</summary>
    private static SideBySide WithFilesOfTheMachine(params string[] arguments)
    {
        var both = new SideBySide(null, arguments);
        var directory = ReadEntry(both.Qemu, (ushort)FwCfgKey.FileDirectory, 4 + 64 * FwCfgEntries.FileSlots);
        for (var i = 0; i < BinaryPrimitives.ReadInt32BigEndian(directory); i++)
        {
            var entry = directory.AsSpan(4 + 64 * i, 64);
            var name = Encoding.ASCII.GetString(entry[8..]).TrimEnd('\0');
            if (name.StartsWith("etc/smbios", StringComparison.Ordinal))
                both.Ours.FwCfg.AddFile(name, ReadEntry(both.Qemu, BinaryPrimitives.ReadUInt16BigEndian(entry[4..]), BinaryPrimitives.ReadInt32BigEndian(entry)));
        }

        both.Write(Selector, 2, 0);
        return both;
    }

    private static byte[] ReadEntry(QtestMachine qemu, ushort key, int length)
    {
        qemu.Write(Selector, 2, BinaryPrimitives.ReverseEndianness(key));
        return [.. Enumerable.Range(0, length).Select(_ => (byte)qemu.Read(FwCfg, 1))];
    }

    private static byte[] Descriptor(uint control, uint length, ulong address)
    {
        var bytes = new byte[16];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, control);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4), length);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(8), address);
        return bytes;
    }

    private static void Same(SideBySide both, ulong address, int length)
    {
        var ours = new byte[length];
        both.Ours.Memory.TryRead(address, ours);
        Assert.Equal(both.Qemu.ReadBytes(address, length), ours);
    }
}

using System.Buffers.Binary;
using Godwit.Memory;
using Godwit.Migration.Channels;
using Godwit.Migration.Control;
using Godwit.Testing;
using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Tests;

/// <summary>A machine in a mapped-ram file: what it is written from and read to, and what a wrong file does to a machine that reads it.</summary>
public sealed class MappedRamTests
{
    private const int Pages = 5000;
    private const string Mapped = "mapped-ram";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>Bytes from the header of a block, what stands there then, and the field that is named.</summary>
    public static TheoryData<string, int, ulong, string> Fields => new()
    {
        { "board.ram", 4, 0, "mapped-ram page size" },
        { "board.ram", 4, 8192, "mapped-ram page size" },
        { "board.ram", 12, 1UL << 40, "mapped-ram pages offset" },
        { "board.ram", 12, ulong.MaxValue, "mapped-ram bitmap offset" },
        { "board.ram", 20, 1UL << 40, "mapped-ram pages offset" },
        { "flash", 20, 3 << 20, "mapped-ram pages offset" },
        { "flash", 20, 1UL << 50, "mapped-ram pages offset" },
        { "flash", 12, 1, "mapped-ram bitmap offset" },
    };

    /// <summary>Live, so that pages go several times, some of them zero the last time: with channels that don't wait for each other between the rounds an older version of a page
    /// would stay now and then.</summary>
    [Theory]
    [InlineData(0, ZeroPageDetection.Multifd)]
    [InlineData(0, ZeroPageDetection.None)]
    [InlineData(1, ZeroPageDetection.Multifd)]
    [InlineData(4, ZeroPageDetection.Multifd)]
    [InlineData(4, ZeroPageDetection.Legacy)]
    [InlineData(4, ZeroPageDetection.None)]
    public void What_a_busy_machine_has_at_the_end_is_what_is_read(int channels, ZeroPageDetection detection)
    {
        using var folder = new TemporaryFolder();
        using var machine = new TestMachine(Pages, busy: true) { AlwaysStored = 64 };
        var passes = Save(machine, folder, new Parameters { ZeroPageDetection = detection, DowntimeLimit = 0, MaxBandwidth = 64 << 20 }, channels, atLeast: 5);

        Assert.InRange(passes, 5, int.MaxValue);
        foreach (var readers in new[] { 0, 3 })
        {
            using var other = new TestMachine(Pages, empty: true);
            Assert.Equal("", Load(other, folder, readers));
            RequireSame(machine, other);
        }
    }

    /// <summary>In such a file EOS means no meeting, whoever has it on.</summary>
    [Fact]
    public void Flushing_after_each_section_changes_nothing()
    {
        using var folder = new TemporaryFolder();
        using var machine = new TestMachine(Pages);
        Save(machine, folder, new Parameters { MultifdFlushAfterEachSection = true }, channels: 2);

        using var other = new TestMachine(Pages, empty: true);
        Assert.Equal("", Load(other, folder, 2));
        RequireSame(machine, other);
    }

    /// <summary>However often pages are written, and whatever stood in the file before.</summary>
    [Fact]
    public void The_file_is_no_longer_than_its_areas()
    {
        using var folder = new TemporaryFolder();
        using var machine = new TestMachine(Pages, busy: true) { AlwaysStored = 64 };
        File.WriteAllBytes(folder.File("out"), new byte[40 << 20]);
        Save(machine, folder, new Parameters { DowntimeLimit = 0, MaxBandwidth = 64 << 20 }, atLeast: 5);

        var blocks = (ulong)((Pages + 8) * GuestPage.Size);
        Assert.InRange((ulong)new FileInfo(folder.File("out")).Length, blocks, blocks + (3 << 20));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1 << 20)]
    [InlineData(0x1234)]
    public void What_stands_before_the_offset_stays(int offset)
    {
        using var folder = new TemporaryFolder();
        using var machine = new TestMachine(Pages);
        var before = Enumerable.Range(0, offset).Select(i => (byte)(i * 7)).ToArray();
        File.WriteAllBytes(folder.File("out"), [.. before, 1, 2, 3]);
        Save(machine, folder, new Parameters { DirectIo = true }, channels: 2, offset: offset);

        Assert.Equal(before, File.ReadAllBytes(folder.File("out"))[..offset]);
        using var other = new TestMachine(Pages, empty: true);
        Assert.Equal("", Load(other, folder, 2, offset, direct: true));
        RequireSame(machine, other);
    }

    /// <summary>QEMU writes the address between length and header, and doesn't read it there.</summary>
    [Fact]
    public void A_shared_block_has_a_place_and_no_pages()
    {
        using var folder = new TemporaryFolder();
        using var machine = new TestMachine(Pages);
        machine.Share(0x80000000);
        machine.RamBlocks[0].Write(0, 8).Fill(1);
        Save(machine, folder, new Parameters(), more: "x-ignore-shared");

        using var other = new TestMachine(Pages, empty: true);
        other.Share(0x80000000);
        other.RamBlocks[0].Write(GuestPage.Size, 8).Fill(2);
        Assert.Equal("", Load(other, folder, 0, more: "x-ignore-shared"));
        Assert.Equal(0, other.RamBlocks[0].Read(0, 1)[0]);
        Assert.Equal(2, other.RamBlocks[0].Read(GuestPage.Size, 1)[0]);
    }

    /// <summary>Zero pages aren't in the file, and may fall on something.</summary>
    [Fact]
    public void What_was_in_memory_before_is_gone()
    {
        using var folder = new TemporaryFolder();
        using var machine = new TestMachine(Pages);
        Save(machine, folder, new Parameters());
        using var other = new TestMachine(Pages, empty: true);
        foreach (var page in new ulong[] { 0, 1, 64, Pages - 1 })
            other.RamBlocks[0].Write(page * GuestPage.Size, GuestPage.Size).Fill(0xee);

        Assert.Equal("", Load(other, folder, 0));
        RequireSame(machine, other);
    }

    [Theory]
    [MemberData(nameof(Fields))]
    public void A_wrong_field_is_named_and_nothing_runs(string block, int at, ulong value, string field)
    {
        using var folder = new TemporaryFolder();
        using var machine = new TestMachine(Pages);
        Save(machine, folder, new Parameters());
        var file = File.ReadAllBytes(folder.File("out"));
        var header = file.AsSpan().IndexOf((ReadOnlySpan<byte>)[(byte)block.Length, .. System.Text.Encoding.ASCII.GetBytes(block)]) + 1 + block.Length + 8;
        BinaryPrimitives.WriteUInt64BigEndian(file.AsSpan(header + at), value);
        File.WriteAllBytes(folder.File("out"), file);

        RequireRefused(folder, field);
    }

    [Theory]
    [InlineData(RamFlags.Zero)]
    [InlineData(RamFlags.MultifdFlush)]
    [InlineData(RamFlags.Page)]
    public void A_flag_that_has_no_place_is_named_and_nothing_runs(RamFlags flag)
    {
        using var folder = new TemporaryFolder();
        using var machine = new TestMachine(Pages);
        Save(machine, folder, new Parameters());
        var file = File.ReadAllBytes(folder.File("out"));
        var list = file.AsSpan().LastIndexOf((ReadOnlySpan<byte>)[0, 0, 0, 0, 0, 0, 0, (byte)RamFlags.Eos, (byte)SectionType.Footer, 0, 0, 0, 1]);
        BinaryPrimitives.WriteUInt64BigEndian(file.AsSpan(list), (ulong)flag);
        File.WriteAllBytes(folder.File("out"), file);

        RequireRefused(folder, "flags");
    }

    [Theory]
    [InlineData(30)]
    [InlineData(200)]
    [InlineData(2 << 20)]
    [InlineData((Pages + 256) << 12)]
    [InlineData((21 << 20) + 100)]
    [InlineData((21 << 20) + (8 << 12) + 20)]
    public void A_file_that_was_cut_is_refused(int length)
    {
        using var folder = new TemporaryFolder();
        using var machine = new TestMachine(Pages);
        Save(machine, folder, new Parameters());
        using (var file = File.OpenWrite(folder.File("out")))
        {
            Assert.InRange(length, 0, file.Length - 1);
            file.SetLength(length);
        }

        RequireRefused(folder, "");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Both_ends_must_have_it_on(bool source)
    {
        using var folder = new TemporaryFolder();
        using var machine = new TestMachine(Pages);
        using (var migrator = new Migrator(machine))
        {
            migrator.SetCapabilities([KeyValuePair.Create(Mapped, source)]);
            Run(migrator, m => m.Migrate(new MigrationUri(MigrationScheme.File, Path: folder.File("out"))));
        }

        using var other = new TestMachine(Pages, empty: true);
        using var to = new Migrator(other);
        to.SetCapabilities([KeyValuePair.Create(Mapped, !source)]);
        Run(to, m => m.Incoming(new MigrationUri(MigrationScheme.File, Path: folder.File("out")), exitOnError: true));
        Assert.Contains($"Capability mapped-ram is {(source ? "off" : "on")}, but received capability is {(source ? "on" : "off")}", to.Query().ErrorDescription, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void A_cancelled_one_leaves_the_guest(int channels)
    {
        using var folder = new TemporaryFolder();
        using var machine = new TestMachine(Pages, busy: true) { AlwaysStored = 64 };
        using var migrator = Source(machine, new Parameters { MultifdChannels = channels, DowntimeLimit = 0, MaxBandwidth = 8 << 20 }, channels > 0);
        migrator.PassStarted = pass =>
        {
            if (pass >= 2)
                migrator.Cancel();
        };

        Assert.Equal(MigrationStatus.Cancelled, Run(migrator, m => m.Migrate(new MigrationUri(MigrationScheme.File, Path: folder.File("out")))));
        Assert.True(machine.Runs);
        Assert.DoesNotContain("hand over", machine.Calls);
    }

    [Theory]
    [InlineData("tcp:127.0.0.1:1", false, "Migration requires seekable transport (e.g. file)")]
    [InlineData("exec:true", true, "Migration requires seekable transport (e.g. file)")]
    public void Only_a_file_has_places(string uri, bool multifd, string error)
    {
        using var machine = new TestMachine(16);
        using var migrator = Source(machine, new Parameters(), multifd);

        Assert.Equal(error, Assert.Throws<MigrationRefusedException>(() => migrator.Migrate(MigrationUri.Parse(uri))).Message);
        Assert.Equal(error, Assert.Throws<MigrationRefusedException>(() => migrator.Incoming(MigrationUri.Parse(uri), exitOnError: false)).Message);
    }

    private static void RequireRefused(TemporaryFolder folder, string field)
    {
        foreach (var readers in new[] { 0, 2 })
        {
            using var other = new TestMachine(Pages, empty: true);
            var error = Load(other, folder, readers);
            Assert.NotEqual("", error);
            Assert.Contains(field, error, StringComparison.Ordinal);
            Assert.Equal(["discard"], other.Calls);
        }
    }

    private static void RequireSame(TestMachine expected, TestMachine found)
    {
        for (var block = 0; block < expected.RamBlocks.Count; block++)
        {
            for (var page = 0UL; page < expected.RamBlocks[block].Length; page += GuestPage.Size)
            {
                Assert.True(
                    expected.RamBlocks[block].Read(page, GuestPage.Size).SequenceEqual(found.RamBlocks[block].Read(page, GuestPage.Size)),
                    $"page 0x{page:x} of block {expected.RamBlocks[block].IdStr} differs");
            }
        }
    }

    /// <returns>Rounds.</returns>
    private static int Save(TestMachine machine, TemporaryFolder folder, Parameters parameters, int channels = 0, int atLeast = 0, int offset = 0, string? more = null)
    {
        using var migrator = Source(machine, parameters with { MultifdChannels = Math.Max(channels, 1) }, channels > 0, more);
        var passes = 0;
        migrator.PassStarted = pass =>
        {
            passes = pass;
            if (pass == atLeast)
                migrator.Parameters = migrator.Parameters with { DowntimeLimit = 10000, MaxBandwidth = 0 };
        };
        var status = Run(migrator, m => m.Migrate(new MigrationUri(MigrationScheme.File, Path: folder.File("out"), FileOffset: offset)));
        Assert.True(status == MigrationStatus.Completed, $"{status}: {migrator.Query().ErrorDescription}");
        return passes;
    }

    /// <returns>Why it failed; nothing where it didn't.</returns>
    private static string Load(TestMachine machine, TemporaryFolder folder, int channels, int offset = 0, bool direct = false, string? more = null)
    {
        using var migrator = Source(machine, new Parameters { MultifdChannels = Math.Max(channels, 1), DirectIo = direct }, channels > 0, more);
        return Run(migrator, m => m.Incoming(new MigrationUri(MigrationScheme.File, Path: folder.File("out"), FileOffset: offset), exitOnError: true)) == MigrationStatus.Completed
            ? ""
            : migrator.Query().ErrorDescription ?? "?";
    }

    private static Migrator Source(TestMachine machine, Parameters parameters, bool multifd, string? more = null)
    {
        var migrator = new Migrator(machine) { Parameters = parameters };
        migrator.SetCapabilities([KeyValuePair.Create(Mapped, true), KeyValuePair.Create("multifd", multifd)]);
        if (more is not null)
            migrator.SetCapabilities([KeyValuePair.Create(more, true)]);
        return migrator;
    }

    private static MigrationStatus Run(Migrator migrator, Action<Migrator> start)
    {
        var over = new TaskCompletionSource<MigrationStatus>(TaskCreationOptions.RunContinuationsAsynchronously);
        migrator.StatusChanged = status =>
        {
            if (status is MigrationStatus.Completed or MigrationStatus.Failed or MigrationStatus.Cancelled)
                over.TrySetResult(status);
        };
        start(migrator);
        Assert.True(over.Task.Wait(Limit), "the migration doesn't end");
        return over.Task.Result;
    }
}

using Godwit.Memory;
using Godwit.Migration.Channels;
using Godwit.Migration.Control;
using Godwit.Testing;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Tests;

/// <summary>What QEMUs wrote, loaded into a machine over real sockets.</summary>
public sealed class IncomingTests
{
    /// <summary>But for alpha, whose pages are of 8 KiB, which no machine here has, and two that are refused.</summary>
    public static TheoryData<string> Loadable => ["pc-10.0", "virt-10.0-ignore-shared", "virt-10.0-no-footers", "virt-10.0-xbzrle", "virt-11.1"];

    public static TheoryData<string> WithReturnPath => ["pc-10.0", "virt-10.0-ignore-shared", "virt-10.0-xbzrle"];

    [Theory]
    [MemberData(nameof(Loadable))]
    public void A_machine_is_loaded_whole(string name)
    {
        var stream = Golden.Stream(name);
        using var machine = new RecordedMachine(stream);
        var run = IncomingRun.Play(machine, stream);
        Assert.Equal(("", MigrationStatus.Completed), (run.Error, run.Status));
        Assert.Equal([MigrationStatus.Setup, MigrationStatus.Active, MigrationStatus.Completed], run.States);
        Assert.Equal((1, 0), (machine.Started, machine.Discarded));
        AssertHolds(machine, RamModel.Read(stream));
        Assert.All(machine.Sections, s => Assert.Equal(s.Expected, s.Loaded));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(4103)]
    public void However_it_is_split(int step)
    {
        var stream = Golden.Stream("virt-10.0-ignore-shared");
        using var machine = new RecordedMachine(stream);
        var run = IncomingRun.Play(machine, stream, step);
        Assert.Equal("", run.Error);
        AssertHolds(machine, RamModel.Read(stream));
    }

    [Theory]
    [MemberData(nameof(WithReturnPath))]
    public void The_source_is_told_what_QEMU_tells_it(string name)
    {
        var stream = Golden.Stream(name);
        using var machine = new RecordedMachine(stream);
        var run = IncomingRun.Play(machine, stream, open: true);
        Assert.Equal("", run.Error);
        Assert.Equal(Convert.ToHexString(Golden.Return(name)), Convert.ToHexString(run.Answered));
    }

    [Theory]
    [InlineData("virt-10.0-multifd", "multifd")]
    [InlineData("virt-11.1-postcopy", "postcopy-ram")]
    public void What_is_not_supported_is_refused_by_name(string name, string capability)
    {
        using var machine = new RecordedMachine(Golden.Stream("virt-11.1"));
        var run = IncomingRun.Play(machine, Golden.Stream(name));
        AssertFailed(machine, run, capability);
    }

    [Theory]
    [InlineData("virt-10.0-no-description", "the configuration section is missing")]
    [InlineData("s390x-10.0", "section 's390-storage_attributes', field 'idstr': a live section that this machine doesn't have")]
    public void What_a_machine_here_cannot_be_is_refused(string name, string error)
    {
        var stream = Golden.Stream(name);
        using var machine = new RecordedMachine(name.StartsWith("s390x", StringComparison.Ordinal) ? stream : Golden.Stream("virt-11.1"));
        AssertFailed(machine, IncomingRun.Play(machine, stream), error);
    }

    [Fact]
    public void A_stream_without_description_ends_though_its_source_waits()
    {
        var stream = Golden.Stream("virt-10.0-ignore-shared");
        using var machine = new RecordedMachine(stream);
        var eof = stream.AsSpan().LastIndexOf([(byte)SectionType.Eof, (byte)SectionType.VmDescription]);
        var run = IncomingRun.Play(machine, stream[..(eof + 1)], open: true);
        Assert.Equal(("", MigrationStatus.Completed), (run.Error, run.Status));
        Assert.Equal(new ReturnPathMessage(ReturnPathType.Shut), run.Answers[^1]);
    }

    [Fact]
    public void A_source_with_a_return_path_is_told_of_a_failure()
    {
        var stream = Golden.Stream("virt-10.0-xbzrle");
        using var machine = new RecordedMachine(stream);
        machine.Sections.RemoveAll(s => s.IdStr == "timer");
        var run = IncomingRun.Play(machine, stream, open: true);
        AssertFailed(machine, run, "timer");
        Assert.Equal(new ReturnPathMessage(ReturnPathType.Shut, Value: 1), run.Answers[^1]);
    }

    [Fact]
    public void Another_machine_type_is_refused() =>
        AssertRefused(m => m.MachineType = "spike", "Machine type received is 'virt' and local is 'spike'");

    [Fact]
    public void A_block_that_is_not_there_is_refused() =>
        AssertRefused(m => m.Remove("riscv_virt_board.ram"), "no RAM block 'riscv_virt_board.ram'");

    [Fact]
    public void A_block_of_another_length_is_refused() =>
        AssertRefused(m => m.Replace("riscv_virt_board.ram", 1 << 20), "Length mismatch: block 'riscv_virt_board.ram'");

    [Fact]
    public void A_section_that_is_not_there_is_refused() =>
        AssertRefused(m => m.Sections.RemoveAll(s => s.IdStr == "timer"), "section 'timer', field 'idstr': Unknown section or instance");

    [Fact]
    public void A_version_too_new_is_refused() =>
        AssertRefused(m => m.Sections.ForEach(s => s.Version = 0), "field 'version': version");

    [Fact]
    public void A_version_too_old_is_refused() =>
        AssertRefused(m => m.Sections.ForEach(s => (s.Version, s.MinimumVersion) = (100, 99)), "is too old");

    [Fact]
    public void A_capability_that_both_must_have_is_refused_where_one_has_not() =>
        AssertRefused(_ => { }, "Capability x-ignore-shared is on, but received capability is off", "x-ignore-shared");

    [Fact]
    public void Another_UUID_is_refused_and_an_unset_one_takes_any()
    {
        var theirs = Guid.Parse("11111111-2222-3333-4444-555555555555");
        var stream = Small(new ConfigurationSection("virt") { Uuid = theirs }).ToArray();
        using var machine = new RecordedMachine(stream) { Uuid = Guid.Parse("99999999-2222-3333-4444-555555555555") };
        AssertFailed(machine, IncomingRun.Play(machine, stream), "UUID received is 11111111-");
        using var unset = new RecordedMachine(stream) { Uuid = Guid.Empty };
        Assert.Equal("", IncomingRun.Play(unset, stream).Error);
    }

    [Fact]
    public void A_page_is_zeroed_only_where_it_was_not()
    {
        var stream = Small(new ConfigurationSection("virt")).ToArray();
        using var machine = new RecordedMachine(stream);
        machine.RamBlocks[0].Write(3 * GuestPage.Size, GuestPage.Size).Fill(7);
        Assert.Equal("", IncomingRun.Play(machine, stream).Error);
        Assert.False(machine.RamBlocks[0].Read(0, 8 * GuestPage.Size).ContainsAnyExcept((byte)0));
        Assert.False(machine.RamBlocks[0].Dirty[4]);
    }

    [Fact]
    public void A_second_one_is_refused_and_a_waiting_one_ends_with_the_migrator()
    {
        using var machine = new RecordedMachine(Golden.Stream("virt-11.1"));
        using var migrator = new Migrator(machine);
        var uri = new MigrationUri(MigrationScheme.Tcp, Host: "127.0.0.1");
        migrator.Incoming(uri, exitOnError: true);
        Assert.NotEqual(0, migrator.IncomingAddress!.Port);
        Assert.Throws<MigrationRefusedException>(() => migrator.Incoming(uri, exitOnError: true));
        Assert.Equal(MigrationStatus.Setup, migrator.Query().Status);
        migrator.Dispose();
        Assert.Equal((0, 0), (machine.Started, machine.Discarded));
    }

    [Fact]
    public void An_address_that_cannot_be_listened_on_is_refused()
    {
        using var machine = new RecordedMachine(Golden.Stream("virt-11.1"));
        using var migrator = new Migrator(machine);
        Assert.Throws<MigrationRefusedException>(() => migrator.Incoming(new MigrationUri(MigrationScheme.Unix, Path: "/nonexistent/socket"), exitOnError: true));
        Assert.Null(migrator.Query().Status);
    }

    internal static StreamBuilder Small(ConfigurationSection configuration) =>
        new StreamBuilder(configuration).RamStart(("a", 8)).Ram(SectionType.Part).ZeroPage("a", 3).ZeroPage("a", 4).Eos().Ram(SectionType.End).Eos().End();

    internal static void AssertFailed(RecordedMachine machine, IncomingRun run, string error)
    {
        Assert.Equal(MigrationStatus.Failed, run.Status);
        Assert.Contains(error, run.Error, StringComparison.Ordinal);
        Assert.Equal((0, 1), (machine.Started, machine.Discarded));
    }

    private static void AssertRefused(Action<RecordedMachine> change, string error, params string[] capabilities)
    {
        var stream = Golden.Stream("virt-11.1");
        using var machine = new RecordedMachine(stream);
        change(machine);
        AssertFailed(machine, IncomingRun.Play(machine, stream, capabilities: capabilities), error);
    }

    internal static void AssertHolds(RecordedMachine machine, RamModel model)
    {
        foreach (var block in machine.RamBlocks)
        {
            for (var offset = 0UL; offset < block.Length; offset += GuestPage.Size)
            {
                var page = model.Pages.GetValueOrDefault((block.IdStr, offset), []);
                var here = block.Read(offset, GuestPage.Size);
                if (page.Length == 0 ? here.ContainsAnyExcept((byte)0) : !here.SequenceEqual(page))
                    Assert.Fail($"page 0x{offset:x} of {block.IdStr}");
            }
        }
    }
}

using Godwit.Archive;
using Godwit.Archive.Analyze;
using Godwit.Memory;
using Godwit.Migration.Channels;
using Godwit.Migration.Control;
using Godwit.Testing;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Tests;

public sealed class SourceTests
{
    private const int Pages = 1024;

    [Theory]
    [InlineData("tcp", false)]
    [InlineData("unix", false)]
    [InlineData("tcp", true)]
    [InlineData("unix", true)]
    public void Memory_arrives_as_it_was_when_the_guest_stopped(string scheme, bool returnPath)
    {
        using var machine = new TestMachine(Pages, busy: true);
        using var run = new SourceRun(machine, scheme);
        if (returnPath)
            run.Set("return-path");
        run.Migrator.Parameters = new Parameters { MaxBandwidth = 20 << 20, DowntimeLimit = 50 };
        // More than goes within the limit, however seldom the guest gets to run, until there were rounds enough.
        machine.AlwaysStored = Pages / 2;
        _ = Task.Run(() =>
        {
            SpinWait.SpinUntil(() => run.Migrator.Query().Ram?.DirtySyncCount > 2, TimeSpan.FromSeconds(60));
            machine.AlwaysStored = 0;
        });

        run.Run(shut: returnPath ? 0 : null);

        Assert.Equal("setup active device completed", run.States);
        Assert.Equal(["stop", "hand over"], machine.Calls);
        AssertMemory(machine, run.Bytes);
        var info = run.Migrator.Query();
        Assert.Equal(run.Bytes.Length, info.Ram!.Transferred);
        Assert.Equal(0, info.Ram.Remaining);
        Assert.NotNull(info.Downtime);
        Assert.True(info.Ram.DirtySyncCount > 2, $"{info.Ram.DirtySyncCount} rounds");
    }

    [Fact]
    public void Pages_of_shared_files_stay_where_they_are_and_the_configuration_says_so()
    {
        using var machine = new TestMachine(Pages) { Uuid = Guid.NewGuid() };
        using var run = new SourceRun(machine);
        run.Set("x-ignore-shared", "validate-uuid");

        run.Run();

        var reader = new MigrationStreamReader();
        var at = 0;
        var bytes = run.Bytes;
        while (reader.Configuration is null || reader.Blocks.Count < 2)
        {
            Assert.True(reader.Read(bytes.AsSpan(at), true, out var element, out _));
            at += (int)element.Length;
        }

        Assert.True(reader.Configuration.Has("x-ignore-shared"));
        Assert.Equal(machine.Uuid, reader.Configuration.Uuid);
        Assert.NotNull(reader.Blocks[0].Address);
    }

    [Fact]
    public async Task It_waits_before_the_switchover_until_it_may_go_on()
    {
        using var machine = new TestMachine(Pages);
        using var run = new SourceRun(machine);
        run.Set("pause-before-switchover");
        using var waits = new ManualResetEventSlim();
        run.OnStatus = s =>
        {
            if (s == MigrationStatus.PreSwitchover)
                waits.Set();
        };
        var going = Task.Run(() =>
        {
            waits.Wait();
            Assert.Throws<MigrationRefusedException>(() => run.Migrator.Continue(MigrationStatus.Device));
            run.Migrator.Continue(MigrationStatus.PreSwitchover);
        });

        run.Run();
        await going;

        Assert.Equal("setup active pre-switchover device completed", run.States);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(400_000)]
    public void A_cut_connection_leaves_the_guest_running_here(long cut)
    {
        using var machine = new TestMachine(Pages, busy: true);
        using var run = new SourceRun(machine);
        run.Set("return-path");

        run.Run(cut);

        Assert.EndsWith("failing failed", run.States, StringComparison.Ordinal);
        Assert.True(machine.Runs);
        Assert.NotNull(run.Migrator.Query().ErrorDescription);
    }

    [Fact]
    public void A_destination_that_fails_leaves_the_guest_here_even_after_the_last_byte()
    {
        using var machine = new TestMachine(Pages, busy: true);
        using var run = new SourceRun(machine);
        run.Set("return-path");

        run.Run(shut: 1);

        Assert.Equal("setup active device failing failed", run.States);
        Assert.Equal(["stop", "take back"], machine.Calls);
        Assert.Contains("the destination failed", run.Migrator.Query().ErrorDescription, StringComparison.Ordinal);
    }

    [Fact]
    public void A_destination_that_goes_without_a_word_after_the_last_byte_may_have_the_guest()
    {
        var length = SourceRun.StreamLength(Pages);
        using var quiet = new TestMachine(Pages);
        using var run = new SourceRun(quiet);
        run.Set("return-path");
        run.Run(length);

        Assert.Equal("setup active device failing failed", run.States);
        Assert.Equal(["stop", "hand over"], quiet.Calls);
    }

    [Fact]
    public void A_device_that_cant_be_saved_leaves_the_guest_here()
    {
        using var machine = new TestMachine(Pages, busy: true);
        machine.OnStop = () => machine.Devices = null!;
        using var run = new SourceRun(machine);

        run.Run();

        Assert.Equal("setup active device failing failed", run.States);
        Assert.Equal(["stop", "take back"], machine.Calls);
    }

    [Fact]
    public void A_file_holds_the_whole_stream()
    {
        using var folder = new TemporaryFolder();
        using var machine = new TestMachine(Pages);
        using var over = new ManualResetEventSlim();
        using var migrator = new Migrator(machine);
        migrator.StatusChanged = s =>
        {
            if (s is MigrationStatus.Completed or MigrationStatus.Failed)
                over.Set();
        };

        migrator.Migrate(MigrationUri.Parse($"file:{folder.File("stream")}"));

        Assert.True(over.Wait(TimeSpan.FromSeconds(60)));
        Assert.Null(migrator.Query().ErrorDescription);
        AssertMemory(machine, File.ReadAllBytes(folder.File("stream")));
        using var file = StreamFile.Open(folder.File("stream"));
        Assert.Empty(StreamVerifier.Verify(file).Problems);
    }

    /// <summary>Little enough a window for several rounds, and a limit that this guest meets.</summary>
    private static void AssertMemory(TestMachine machine, byte[] stream)
    {
        var model = RamModel.Read(stream);
        Assert.Equal(machine.RamBlocks.Sum(b => b.Dirty.Pages), model.Pages.Count);
        foreach (var ((name, offset), page) in model.Pages)
        {
            var expected = machine.RamBlocks.Single(b => b.IdStr == name).Read(offset, GuestPage.Size);
            Assert.True(page.Length == 0 ? ZeroPage.Is(expected) : expected.SequenceEqual(page), $"{name} at {offset:x}");
        }

        Assert.NotEmpty(model.Devices);
    }
}

using System.Collections.Concurrent;
using Godwit.Machine.Cpu;
using Godwit.Machine.Tests.Saved;
using Godwit.Machine.Virt;
using Godwit.Machine.Virt.Loading;
using Godwit.Migration;
using Godwit.Migration.Channels;
using Godwit.Migration.Control;
using Godwit.Testing;
using Godwit.Wire;

namespace Godwit.Machine.Tests.Hostile;

/// <summary>What QEMU said of its devices, with a byte changed: an error that says where, or a machine that runs, can be stopped, and can be
/// saved and loaded again. GODWIT_FUZZ_ROUNDS is the number of values that each byte gets; from 255 on it gets all.</summary>
public sealed class HostileStateTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <param name="devices">Those that the capture has in another state than the first one has; none: all.</param>
    [Theory]
    [InlineData("virt-11.1")]
    [InlineData("virt-11.1-receiving", "serial", "fw_cfg", "goldfish_rtc", "pflash_cfi01")]
    [InlineData("virt-11.1-stalled", "serial", "goldfish_rtc")]
    public void A_changed_byte_of_a_device_is_an_error_or_a_machine(string capture, params string[] devices)
    {
        var stream = LoadCapture(capture);
        var cases = Cases(stream, HostileMachine.Rounds(1));
        if (devices.Length > 0)
            cases.RemoveAll(c => !devices.Contains(c.Section.Device.Name));
        int refused = 0, ran = 0;
        var options = new ParallelOptions { MaxDegreeOfParallelism = Math.Min(2, Environment.ProcessorCount) };
        Parallel.ForEach(Partitioner.Create(cases, loadBalance: true), options, () => new ReloadedMachine(stream, Make()), (change, _, machine) =>
        {
            try
            {
                machine.Load(change);
            }
            catch (MigrationStreamException e)
            {
                Interlocked.Increment(ref refused);
                Assert.True(e.Offset >= change.Section.Start && e.Reason.Length > 0 && e.Section == change.Section.Label, $"{change}: {e.Message}");
                return machine;
            }

            machine.Run($"{change}");
            machine.SaveAndLoad($"{change}");
            Interlocked.Increment(ref ran);
            return machine;
        }, machine => machine.Dispose());
        Assert.Equal(cases.Count, refused + ran);
        Assert.True(refused > cases.Count / 100 && ran > cases.Count / 4, $"{refused} refused, {ran} ran");
    }

    /// <summary>Some of them by the whole way in: what the machine says of an error is an error of the stream, and it waits as it was.</summary>
    [Fact]
    public void A_changed_byte_of_a_stream_fails_the_migration_or_starts_the_machine()
    {
        var stream = LoadCapture("virt-11.1");
        var refused = 0;
        foreach (var change in Cases(stream, 1).Where((_, n) => n % 29 == 0))
        {
            var bytes = stream.Bytes.ToArray();
            bytes[change.Section.Start + change.At] = change.Value;
            using var machine = Make();
            var error = Load(machine, bytes);
            if (error is null)
                continue;
            refused++;
            Assert.DoesNotContain("a part of the machine failed to load", error, StringComparison.Ordinal);
            Assert.Equal(Machine.Lifecycle.RunState.InMigrate, machine.State);
        }

        Assert.True(refused > 0);
    }

    private static List<SavedChange> Cases(SavedStream stream, int rounds)
    {
        var cases = new List<SavedChange>();
        foreach (var section in stream.Sections)
        {
            for (var at = 0; at < section.Body.Length; at++)
            {
                foreach (var value in Values(section.Body[at], at, rounds))
                    cases.Add(new SavedChange(section, at, value));
            }
        }

        return cases;
    }

    /// <summary>Large and small, a bit more or less, and noise; none that stands there already.</summary>
    private static IEnumerable<byte> Values(byte original, int at, int rounds)
    {
        var random = new Random(at);
        var values = rounds >= byte.MaxValue
            ? Enumerable.Range(0, 256).Select(v => (byte)v)
            : ((byte[])[(byte)(at % 2 == 0 ? 0xff : original ^ 1), (byte)(original ^ (1 << random.Next(8))), 0, 0xff]).Concat(Enumerable.Range(0, 256).Select(_ => (byte)random.Next(256)));
        return values.Where(v => v != original).Distinct().Take(rounds);
    }

    private static VirtMachine Make() =>
        new(new VirtOptions(new LoadRequest(CpuModel.Default, 1, HostileMachine.MemorySize) { Firmware = "none" }) { Incoming = true, NoShutdown = true, StartPaused = true });

    private SavedStream LoadCapture(string capture)
    {
        using var machine = Make();
        Assert.Null(Load(machine, Golden.Stream(capture)));
        var stream = SavedStream.Of(capture, machine.RamBlocks);
        using var other = Make();
        Assert.Null(Load(other, stream.Bytes));
        return stream;
    }

    /// <returns>The error; null: it came whole.</returns>
    private string? Load(VirtMachine machine, byte[] stream)
    {
        var path = _folder.File("in");
        File.WriteAllBytes(path, stream);
        using var migrator = new Migrator(machine);
        using var ended = new ManualResetEventSlim();
        migrator.StatusChanged = status =>
        {
            if (status is MigrationStatus.Completed or MigrationStatus.Failed)
                ended.Set();
        };
        migrator.Incoming(new MigrationUri(MigrationScheme.File, Path: path), exitOnError: false);
        Assert.True(ended.Wait(Patience), "it doesn't end");
        var info = migrator.Query();
        return info.Status == MigrationStatus.Failed ? info.ErrorDescription ?? "" : null;
    }
}

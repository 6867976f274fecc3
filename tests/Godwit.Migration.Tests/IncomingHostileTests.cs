using Godwit.Testing;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Tests;

/// <summary>Streams that end too early or are broken: a guest is started once, whole, or never. GODWIT_FUZZ_ROUNDS sets how many are tried.</summary>
public sealed class IncomingHostileTests
{
    private static readonly int Rounds = int.TryParse(Environment.GetEnvironmentVariable("GODWIT_FUZZ_ROUNDS"), out var rounds) ? rounds : 20;

    [Theory]
    [InlineData("virt-10.0-ignore-shared")]
    [InlineData("virt-11.1")]
    public void A_stream_cut_short_never_starts_a_guest(string name)
    {
        var stream = Golden.Stream(name);
        foreach (var cut in Cuts(stream))
        {
            using var machine = new RecordedMachine(stream);
            var run = IncomingRun.Play(machine, stream[..cut]);
            IncomingTests.AssertFailed(machine, run, "at byte ");
            Assert.Contains("the stream ends", run.Error, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("virt-10.0-xbzrle")]
    [InlineData("virt-10.0-no-footers")]
    [InlineData("pc-10.0")]
    public void Changed_bytes_start_a_guest_once_or_fail(string name)
    {
        var original = Golden.Stream(name);
        var random = new Random(name.Length);
        for (var i = 0; i < Rounds; i++)
        {
            var stream = (byte[])original.Clone();
            for (var n = random.Next(1, 4); n > 0; n--)
                stream[random.Next(i % 2 == 0 ? 2000 : stream.Length)] = (byte)random.Next(256);
            using var machine = new RecordedMachine(original);
            var run = IncomingRun.Play(machine, stream);
            Assert.Equal(run.Status == MigrationStatus.Completed ? (1, 0) : (0, 1), (machine.Started, machine.Discarded));
        }
    }

    /// <summary>At each section's edges and at places between; not where the devices end and the description begins: there a stream may end.</summary>
    private static IEnumerable<int> Cuts(byte[] stream)
    {
        using var machine = new RecordedMachine(stream);
        var cuts = new SortedSet<int> { 0, 1, 4, stream.Length - 1 };
        var reader = new MigrationStreamReader { PageBits = 12 };
        var at = 0;
        var items = 0;
        while (reader.Read(stream.AsSpan(at), true, out var element, out _) && element.Kind != StreamElementKind.Eof)
        {
            if (element.Kind != StreamElementKind.RamPage || items++ % 97 == 0)
                cuts.UnionWith([at, at + (int)(element.Length / 2)]);
            at += (int)element.Length;
        }

        cuts.Add(at);
        return cuts.Where((_, i) => cuts.Count < 3 * Rounds || i % (cuts.Count / Rounds) == 0);
    }
}

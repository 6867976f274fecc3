using Godwit.Testing;

namespace Godwit.Oracle.Tests;

/// <summary>Guests that check privileged behaviour themselves (guests/privilege), and whose observations must be the reference's too.</summary>
public sealed class PrivilegeTests
{
    private const int Results = 0x100000;
    private const int ResultSize = 64;

    [Fact]
    public void The_privileged_architecture_behaves_alike_in_both_machines()
    {
        var guest = Repository.Path("guests", "privilege", "privilege.elf");
        var (expected, actual) = (Peer.Reference.Run(guest), Peer.Candidate.Run(guest));
        var lines = Lines(expected.Serial);
        Assert.True(lines.Length > 450);
        Assert.DoesNotContain(lines, l => l.EndsWith(" WRONG", StringComparison.Ordinal));
        Equal(lines, Lines(actual.Serial));
        var size = (lines.Length - 1) * ResultSize;
        for (var at = 0; at < size; at += ResultSize)
        {
            Assert.True(expected.Memory.AsSpan(Results + at, ResultSize).SequenceEqual(actual.Memory.AsSpan(Results + at, ResultSize)), $"""
                {lines[at / ResultSize]}: what was observed differs in memory
                {Convert.ToHexString(expected.Memory, Results + at, ResultSize)} {Peer.Reference.Name}
                {Convert.ToHexString(actual.Memory, Results + at, ResultSize)} {Peer.Candidate.Name}
                """);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Four_harts_keep_their_atomics_locks_messages_and_interrupts_apart(bool reference)
    {
        var lines = Lines((reference ? Peer.Reference : Peer.Candidate).Run(Repository.Path("guests", "privilege", "harts.elf"), harts: 4).Serial);
        Assert.Equal(10, lines.Length);
        Assert.All(lines[..^1], l => Assert.EndsWith(" ok", l, StringComparison.Ordinal));
        Assert.Equal("harts done", lines[^1]);
    }

    private static string[] Lines(string serial) => serial.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    // All lines that differ at once: one often explains another.
    private static void Equal(string[] expected, string[] actual)
    {
        var differing = expected.Zip(actual).Where(p => p.First != p.Second).Select(p => $"{p.First}\n    {Peer.Candidate.Name}: {p.Second}").ToList();
        if (expected.Length != actual.Length)
            differing.Add($"{expected.Length} lines, {Peer.Candidate.Name}: {actual.Length}");
        if (differing.Count > 0)
            Assert.Fail($"{differing.Count} lines differ\n{string.Join('\n', differing)}");
    }
}

using Godwit.Oracle.Tests.Generation;
using Godwit.Oracle.Tests.Images;
using Godwit.Oracle.Tests.Instructions;

namespace Godwit.Oracle.Tests;

/// <summary>The oracle itself: it covers what it says, it is the same each time, and it finds a machine that is not.</summary>
public sealed class OracleSelfTests
{
    [Fact]
    public void Every_instruction_of_the_table_has_at_least_50_cases_that_must_run()
    {
        var runs = InstructionTests.Singles(0).Cases.Where(c => c.IsLegal).GroupBy(c => InstructionTable.Decode(c.Listing[0].Word)!.Name, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal);
        Assert.Empty(SingleInstructions.Covered.Where(i => runs.GetValueOrDefault(i.Name) < 50).Select(i => $"{i.Name} {runs.GetValueOrDefault(i.Name)}"));
    }

    [Fact]
    public void Every_entry_of_the_table_can_be_reached()
    {
        Assert.All(InstructionTable.All, i => Assert.Same(i, InstructionTable.Decode(CaseState.Encode(i, new SeededRandom(1)))));
        Assert.Equal(InstructionTable.All.Count, InstructionTable.All.Select(i => i.Name).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void A_machine_without_one_extension_differs_in_its_instructions_alone()
    {
        var image = InstructionTests.Singles(0);
        var expected = InstructionTests.Run(Peer.Reference, image).Memory;
        var actual = InstructionTests.Run(Peer.Reference, image, "rv64,h=false,sdtrig=false,zbs=false").Memory;
        var differing = Comparison.Compare(image, expected, actual).Select(d => InstructionTable.Decode(d.Case.Listing[0].Word)!).Distinct().ToList();
        Assert.Equal(InstructionTable.All.Where(i => i.Extension == "Zbs"), differing.OrderBy(i => InstructionTable.All.ToList().IndexOf(i)));
    }

    [Fact]
    public void A_wrong_bit_in_a_register_is_told_in_words()
    {
        var image = new GuestImage("three", 3, SingleInstructions.Pitch, 0, place => SingleInstructions.Generate(place, (ulong)place.Index));
        var expected = InstructionTests.Run(Peer.Reference, image).Memory;
        var actual = (byte[])expected.Clone();
        actual[image.RecordOffset(1) + CaseRecord.X + (8 * 7)] ^= 1;
        var difference = Assert.Single(Comparison.Compare(image, expected, actual));
        Assert.Contains($"case 1 (seed 0x1, ", difference.Words, StringComparison.Ordinal);
        Assert.Contains("    x7: 0x", difference.Words, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_runs_of_one_machine_are_the_same()
    {
        var image = InstructionTests.Image(0, 7, 500, Sequences.Pitch, 0, Sequences.Generate);
        Assert.Empty(Comparison.Compare(image, InstructionTests.Run(Peer.Reference, image).Memory, InstructionTests.Run(Peer.Reference, image).Memory));
    }
}

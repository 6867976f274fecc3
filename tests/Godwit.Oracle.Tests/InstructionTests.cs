using Godwit.Oracle.Tests.Generation;
using Godwit.Oracle.Tests.Images;
using Godwit.Testing;

namespace Godwit.Oracle.Tests;

/// <summary>Random instructions in two machines: all registers, flags, traps and memory must be the same afterwards. README.md has the options.</summary>
public sealed class InstructionTests
{
    private const int SinglesEach = 85;
    private const int SequenceCount = 3000;
    private const int WideCount = 2500;
    private const int CsrWriteCount = 4000;

    public static TheoryData<int> Rounds => new(Enumerable.Range(0, OracleOptions.Rounds));

    [Theory]
    [MemberData(nameof(Rounds))]
    public void Every_instruction_does_the_same_in_both_machines(int round) => Agree(Singles(round));

    [Theory]
    [MemberData(nameof(Rounds))]
    public void Every_jump_lands_on_the_same_place_in_both_machines(int round) =>
        Agree(Image(round, 2, JumpInstructions.Covered.Count * SinglesEach, JumpInstructions.Pitch, JumpInstructions.Margin, JumpInstructions.Generate));

    [Theory]
    [MemberData(nameof(Rounds))]
    public void Sequences_of_instructions_do_the_same_in_both_machines(int round) => Agree(Image(round, 3, SequenceCount, Sequences.Pitch, 0, Sequences.Generate));

    [Fact]
    public void Every_16_bit_word_decodes_alike_in_both_machines() => Agree(Image(0, 4, DecodeAgreement.CompressedCases, DecodeAgreement.Pitch, 0, DecodeAgreement.Compressed));

    [Theory]
    [MemberData(nameof(Rounds))]
    public void Random_32_bit_words_decode_alike_in_both_machines(int round) => Agree(Image(round, 5, WideCount, DecodeAgreement.Pitch, 0, DecodeAgreement.Wide));

    [Theory]
    [MemberData(nameof(Rounds))]
    public void Control_and_status_registers_read_and_write_alike_in_both_machines(int round) =>
        Agree(Image(round, 6, CsrAccess.ReadCases + CsrAccess.ReadOnlyCases + CsrWriteCount, CsrAccess.Pitch, 0, CsrAccess.Generate));

    internal static GuestImage Singles(int round) => Image(round, 1, SingleInstructions.Covered.Count * SinglesEach, SingleInstructions.Pitch, 0, SingleInstructions.Generate);

    internal static (byte[] Memory, string Serial) Run(Peer peer, GuestImage image, string processor = "rv64,h=false,sdtrig=false")
    {
        using var folder = new TemporaryFolder();
        image.Save(folder.File("guest.elf"));
        var result = peer.Run(folder.File("guest.elf"), processor);
        if (OracleOptions.Keep is { } keep)
        {
            Directory.CreateDirectory(keep);
            image.Save(Path.Combine(keep, $"{image.Name}.elf"));
            File.WriteAllBytes(Path.Combine(keep, $"{image.Name}.{peer.Name.Split('/')[^1]}.ram"), result.Memory);
        }

        return result;
    }

    internal delegate OracleCase Generating(in CasePlace place, ulong seed);

    internal static GuestImage Image(int round, int set, int count, int pitch, int margin, Generating generate) =>
        new($"set-{set}-round-{round}", count, pitch, margin, place => generate(place, new SeededRandom(OracleOptions.Seed + ((ulong)set << 56) + ((ulong)round << 32) + (ulong)place.Index).Next()));

    private static void Agree(GuestImage image)
    {
        var expected = Run(Peer.Reference, image).Memory;
        Assert.Empty(Comparison.Illegal(image, expected));
        var actual = Run(Peer.Candidate, image).Memory;
        var differences = Comparison.Compare(image, expected, actual);
        if (differences.Count > 0)
            Assert.Fail(Comparison.Report(differences, Peer.Reference.Name, Peer.Candidate.Name));
    }
}

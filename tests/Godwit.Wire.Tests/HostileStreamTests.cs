using Godwit.Testing;
using Godwit.Wire.Stream;

namespace Godwit.Wire.Tests;

/// <summary>Broken streams end in one kind of exception, within the bytes that are there. GODWIT_FUZZ_ROUNDS sets how many are tried.</summary>
public sealed class HostileStreamTests
{
    private static readonly int Rounds = int.TryParse(Environment.GetEnvironmentVariable("GODWIT_FUZZ_ROUNDS"), out var rounds) ? rounds : 50;

    public static TheoryData<string> Streams => [.. Golden.Streams];

    [Theory]
    [MemberData(nameof(Streams))]
    public void A_mutated_stream_is_an_error_or_a_stream(string name)
    {
        var original = Golden.Stream(name);
        var random = new Random(name.Length * 7919);
        for (var round = 0; round < Rounds; round++)
        {
            var stream = Mutate(original, random);
            ReadAll(stream, StreamReadMode.Whole);
            ReadAll(stream, StreamReadMode.HeadersOnly);
        }
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public void A_stream_cut_anywhere_near_its_ends_says_so_there(string name)
    {
        var stream = Golden.Stream(name);
        var whole = ReadAll(stream, StreamReadMode.Whole);
        var cuts = Enumerable.Range(0, 700).Concat(Enumerable.Range(1, 700).Select(i => stream.Length - i)).Where(c => c > 0 && c < stream.Length);
        foreach (var cut in cuts)
        {
            var error = ReadAll(stream.AsSpan(0, cut).ToArray(), StreamReadMode.Whole);
            if (whole is null && error is null)
                Assert.Equal((byte)SectionType.Eof, stream[cut - 1]);
            else if (whole is null)
                Assert.InRange(error!.Offset, cut - 300, cut);
        }
    }

    private static byte[] Mutate(byte[] original, Random random)
    {
        var stream = original.ToList();
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            // Headers and devices are at the ends; pages between them can hold anything anyway.
            var at = random.Next(3) switch
            {
                0 => random.Next(Math.Min(400, stream.Count)),
                1 => stream.Count - 1 - random.Next(Math.Min(20000, stream.Count)),
                _ => random.Next(stream.Count),
            };
            switch (random.Next(5))
            {
                case 0:
                    stream[at] = (byte)random.Next(256);
                    break;
                case 1:
                    stream[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    stream.RemoveRange(at, Math.Min(random.Next(1, 9), stream.Count - at));
                    break;
                case 3:
                    stream.Insert(at, (byte)random.Next(256));
                    break;
                default:
                    stream[at] = 0xff;
                    break;
            }

            if (stream.Count == 0)
                return [0];
        }

        return [.. stream];
    }

    private static MigrationStreamException? ReadAll(byte[] stream, StreamReadMode mode)
    {
        var reader = new MigrationStreamReader(mode);
        var at = 0L;
        try
        {
            while (at <= stream.Length && reader.Read(stream.AsSpan((int)at), true, out var element, out _))
            {
                Assert.True(element.Length > 0);
                at += element.Length;
                Assert.Equal(at, reader.Offset);
                if (mode == StreamReadMode.Whole)
                    Assert.True(at <= stream.Length);
            }

            return null;
        }
        catch (MigrationStreamException e)
        {
            Assert.NotEmpty(e.Section);
            Assert.NotEmpty(e.Field);
            Assert.NotEmpty(e.Reason);
            return e;
        }
    }
}

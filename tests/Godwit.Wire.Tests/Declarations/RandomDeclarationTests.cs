using System.Text;
using Godwit.Wire.VmState;
using Field = Godwit.Wire.VmState.Field<Godwit.Wire.Tests.Declarations.RandomDeclarationTests.Bag>;

namespace Godwit.Wire.Tests.Declarations;

/// <summary>Declarations that nobody thought of: saved, described, decoded by the description, and loaded.</summary>
public sealed class RandomDeclarationTests
{
    private const int Declarations = 150, Numbers = 1000;

    /// <summary>No two fields of a declaration are of one value.</summary>
    private int _next;

    [Fact]
    public void Whatever_is_declared_comes_back_and_is_described_as_it_is()
    {
        for (var seed = 0; seed < Declarations; seed++)
        {
            var random = new Random(seed);
            var declaration = Make(random, "d0000", 3);
            var source = new Bag(random);
            var body = declaration.Save(source);

            var described = VmDescription.Parse(Encoding.UTF8.GetBytes($$"""{"devices": [{{declaration.Describe(source).ToJsonString()}}]}""")).Devices[0];
            Assert.Equal(body.Length, described.Length());
            var values = new List<VmValue>();
            VmStateDecoder.Decode(described, body, "d", 0, values);

            var target = new Bag(new Random(-seed - 1));
            // What a stream leaves out must be the same on both sides.
            source.Flags.CopyTo(target.Flags, 0);
            Assert.Equal(body.Length, declaration.Load([.. body, 0x7e], target));
            Assert.Equal(Convert.ToHexString(body), Convert.ToHexString(declaration.Save(target)));
            var untouched = new Bag(new Random(1));
            source.Flags.CopyTo(untouched.Flags, 0);
            declaration.LoadsOnlyWhole(body, () => untouched);
        }
    }

    [Fact]
    public void Whatever_comes_is_loaded_or_refused()
    {
        var loaded = 0;
        var refused = 0;
        for (var seed = 0; seed < Declarations; seed++)
        {
            var random = new Random(seed);
            var declaration = Make(random, "d0000", 3);
            var bag = new Bag(random);
            byte[] body = [.. declaration.Save(bag), 0x7e];
            for (var round = 0; round < 100; round++)
            {
                var mutated = body.ToArray();
                mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
                try
                {
                    Assert.InRange(declaration.Load(mutated, bag), -1, mutated.Length);
                    loaded++;
                }
                catch (MigrationStreamException e)
                {
                    Assert.InRange(e.Offset, Saving.Offset, Saving.Offset + mutated.Length);
                    refused++;
                }
            }
        }

        Assert.True(loaded > 1000 && refused > 100, $"{loaded} loaded, {refused} refused");
    }

    /// <param name="name">No description's name begins with another's, but for subsections.</param>
    private VmStateDescription<Bag> Make(Random random, string name, int depth)
    {
        var fields = new List<VmStateField<Bag>>();
        for (var i = random.Next(1, 6); i > 0; i--)
            fields.Add(MakeField(random, depth));
        var subsections = new List<VmStateDescription<Bag>>();
        for (var i = depth > 0 ? random.Next(3) : 0; i > 0; i--)
        {
            var flag = random.Next(Numbers);
            var inner = Make(random, $"{name}/{subsections.Count}", depth - 1);
            subsections.Add(new(inner.Name, inner.Version, inner.MinimumVersion) { Needed = b => b.Flags[flag], Fields = inner.Fields, Subsections = inner.Subsections });
        }

        return new(name, 3, 1) { Fields = fields, Subsections = subsections };
    }

    private VmStateField<Bag> MakeField(Random random, int depth)
    {
        var i = _next++ % Numbers;
        var name = $"f{i}";
        VmStateField<Bag> field = random.Next(depth > 0 ? 16 : 14) switch
        {
            0 => Field.UInt8(name, b => (byte)b.Words[i], (b, v) => b.Words[i] = v),
            1 => Field.UInt16(name, b => (ushort)b.Words[i], (b, v) => b.Words[i] = v),
            2 => Field.UInt32(name, b => (uint)b.Words[i], (b, v) => b.Words[i] = v),
            3 => Field.UInt64(name, b => b.Words[i], (b, v) => b.Words[i] = v),
            4 => Field.Int8(name, b => (sbyte)b.Words[i], (b, v) => b.Words[i] = (ulong)v),
            5 => Field.Int32(name, b => (int)b.Words[i], (b, v) => b.Words[i] = (ulong)v),
            6 => Field.Int64(name, b => (long)b.Words[i], (b, v) => b.Words[i] = (ulong)v),
            7 => Field.Bool(name, b => b.Words[i] != 0, (b, v) => b.Words[i] = v ? 1u : 0),
            8 => Field.Timer(name, b => (long)(b.Words[i] >> 1), (b, v) => b.Words[i] = (ulong)v << 1),
            9 => Field.Unused(random.Next(6), name),
            10 => Field.Buffer(name, b => b.Bytes[i]),
            11 => Field.UInt8Array(name, b => b.Bytes[i]),
            12 => Field.UInt64Array(name, b => b.Arrays[i]),
            13 => Field.Bitmap(name, b => b.Arrays[i]),
            14 => Field.Struct(name, Make(random, $"s{random.Next(1000, 10000)}", depth - 1), b => b),
            // Elements that are one and the same: a field may come many times.
            _ => Field.StructArray(name, Make(random, $"s{random.Next(1000, 10000)}", depth - 1), b => Enumerable.Repeat(b, i % 4).ToArray()),
        };
        var flag = random.Next(Numbers);
        return random.Next(5) switch
        {
            0 => field.Since((uint)random.Next(1, 5)),
            1 => field.When((b, _) => b.Flags[flag]),
            _ => field,
        };
    }

    internal sealed class Bag
    {
        public Bag(Random random)
        {
            Words = [.. Enumerable.Range(0, Numbers).Select(_ => (ulong)random.NextInt64())];
            Flags = [.. Enumerable.Range(0, Numbers).Select(_ => random.Next(2) == 0)];
            Bytes = [.. Enumerable.Range(0, Numbers).Select(i => new byte[i % 7])];
            Arrays = [.. Enumerable.Range(0, Numbers).Select(i => new ulong[i % 5])];
            foreach (var bytes in Bytes)
                random.NextBytes(bytes);
        }

        public ulong[] Words { get; }

        /// <summary>Which fields and subsections are there.</summary>
        public bool[] Flags { get; }

        public byte[][] Bytes { get; }

        public ulong[][] Arrays { get; }
    }
}

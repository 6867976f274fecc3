using Godwit.Wire.VmState;
using Field = Godwit.Wire.VmState.Field<Godwit.Wire.Tests.Declarations.FieldKindTests.Device>;

namespace Godwit.Wire.Tests.Declarations;

/// <summary>What each kind of field is on the wire, how it is described, and that it comes back.</summary>
public sealed class FieldKindTests
{
    private const ulong Bits = 0xfedc_ba98_7654_3210;

    public static TheoryData<string, string, int, string> Integers => new()
    {
        { "u8", "uint8", 1, "10" },
        { "u16", "uint16", 2, "3210" },
        { "u32", "uint32", 4, "76543210" },
        { "u64", "uint64", 8, "FEDCBA9876543210" },
        { "i8", "int8", 1, "10" },
        { "i32", "int32", 4, "76543210" },
        { "i64", "int64", 8, "FEDCBA9876543210" },
        { "timer", "timer", 8, "FEDCBA9876543210" },
        { "bool", "bool", 1, "01" },
        { "le", "int32 le", 4, "76543210" },
        { "u32 equal", "uint32 equal", 4, "76543210" },
        { "i32 equal", "int32 equal", 4, "76543210" },
    };

    [Theory]
    [MemberData(nameof(Integers))]
    public void A_single_value(string name, string type, int size, string hex)
    {
        var declaration = Of(Single(name));
        // A timer is never before the beginning of time.
        var value = name == "timer" ? Bits & long.MaxValue : Bits;
        var expected = name == "timer" ? "7EDCBA9876543210" : hex;

        var body = declaration.Save(new Device { Value = value });

        Assert.Equal(expected, Convert.ToHexString(body));
        Assert.Equal($$"""{"vmsd_name":"device","version":1,"fields":[{"name":"{{name}}","type":"{{type}}","size":{{size}}}]}""", declaration.Describe(new Device { Value = value }).ToJsonString());
        var loaded = Fresh(name, value);
        Assert.Equal(size, declaration.Load(body, loaded));
        Assert.Equal(expected, Convert.ToHexString(declaration.Save(loaded)));
    }

    [Theory]
    [InlineData("i8", "FF", -1L)]
    [InlineData("i8", "80", -128L)]
    [InlineData("i8", "7F", 127L)]
    [InlineData("i32", "FFFFFFFF", -1L)]
    [InlineData("i32", "80000000", int.MinValue)]
    [InlineData("i64", "8000000000000000", long.MinValue)]
    [InlineData("i64", "7FFFFFFFFFFFFFFF", long.MaxValue)]
    [InlineData("timer", "FFFFFFFFFFFFFFFF", -1L)]
    [InlineData("timer", "0000000000000000", 0L)]
    public void A_sign_is_kept(string name, string hex, long value)
    {
        var device = new Device();
        Of(Single(name)).Load(Convert.FromHexString(hex), device);

        Assert.Equal(value, device.Signed);
        Assert.Equal(hex, Convert.ToHexString(Of(Single(name)).Save(device)));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(255, true)]
    public void Anything_but_0_is_true(byte came, bool value)
    {
        var device = new Device { Value = value ? 0UL : 1 };
        Of(Single("bool")).Load([came], device);

        Assert.Equal(value, device.Value != 0);
    }

    public static TheoryData<string, string, int, string, string> Arrays => new()
    {
        { "u8s", "uint8", 1, "010203", "array" },
        { "u16s", "uint16", 2, "000100020003", "array" },
        { "u32s", "uint32", 4, "000000010000000200000003", "array" },
        { "u64s", "uint64", 8, "000000000000000100000000000000020000000000000003", "array" },
        { "i32s", "int32", 4, "000000010000000200000003", "array" },
        { "timers", "timer", 8, "000000000000000100000000000000020000000000000003", "array" },
        { "buffer", "buffer", 3, "010203", "" },
        { "var", "buffer", 2, "0102", "" },
        { "bitmap", "bitmap", 24, "000000000000000100000000000000020000000000000003", "" },
        { "unused", "unused_buffer", 5, "0000000000", "" },
        { "own", "a device's own", 3, "030201", "" },
    };

    [Theory]
    [MemberData(nameof(Arrays))]
    public void More_than_one_value(string name, string type, int size, string hex, string form)
    {
        var declaration = Of(Many(name));
        var length = form == "array" ? "\"array_len\":3," : "";

        var body = declaration.Save(new Device { Values = [1, 2, 3] });

        Assert.Equal(hex, Convert.ToHexString(body));
        Assert.Equal($$"""{"vmsd_name":"device","version":1,"fields":[{"name":"{{name}}",{{length}}"type":"{{type}}","size":{{size}}}]}""".Replace("'", "\\u0027", StringComparison.Ordinal),
            declaration.Describe(new Device { Values = [1, 2, 3] }).ToJsonString());
        var loaded = new Device { Values = [9, 9, 9] };
        Assert.Equal(body.Length, declaration.Load(body, loaded));
        Assert.Equal(hex, Convert.ToHexString(declaration.Save(loaded)));
        if (name != "unused")
            Assert.Equal(name == "var" ? [1, 2, 9] : [1, 2, 3], loaded.Values);
        declaration.LoadsOnlyWhole(body, () => new Device { Values = [9, 9, 9] });
    }

    [Theory]
    [MemberData(nameof(Arrays))]
    public void None_of_them_takes_nothing(string name, string type, int size, string hex, string form)
    {
        Assert.NotEmpty(hex + type + form + size);
        if (name is "unused" or "own" or "var")
            return;
        var device = new Device { Values = [] };

        Assert.Empty(Of(Many(name)).Save(device));
        Assert.Equal(0, Of(Many(name)).Load([0xff], device));
        // Elements that aren't there aren't described; a buffer is, as one of no bytes.
        Assert.Equal(form == "array" ? 0 : 1, Of(Many(name)).Describe(device)["fields"]!.AsArray().Count);
    }

    [Fact]
    public void What_comes_in_unused_bytes_does_not_matter()
    {
        var device = new Device();

        Assert.Equal(5, Of(Many("unused")).Load([1, 2, 3, 4, 5], device));
        Assert.Equal(new byte[5], Of(Many("unused")).Save(device));
    }

    [Theory]
    [InlineData("u32 equal", 0, "1985229329 came, but it is 1985229328 here")]
    [InlineData("i32 equal", 0, "1985229329 came, but it is 1985229328 here")]
    [InlineData("le", 0, "1985229329 came, but at most 1985229328 is known here")]
    public void A_value_that_must_be_known_here_is_refused_otherwise(string name, int at, string reason)
    {
        var device = new Device { Value = Bits };
        Of(Single(name)).Refuses([0x76, 0x54, 0x32, 0x11], device, at, name, reason);

        Assert.Equal(Bits, device.Value);
    }

    [Fact]
    public void A_value_that_may_be_less_takes_what_comes()
    {
        var device = new Device { Value = 5 };
        Assert.Equal(4, Of(Single("le")).Load([0, 0, 0, 3], device));

        Assert.Equal(3UL, device.Value);
        Of(Single("le")).Refuses([0xff, 0xff, 0xff, 0xff], device, 0, "le", "-1 came");
    }

    [Theory]
    [InlineData("FFFFFFFFFFFFFFFE", "a timer at -2 ns")]
    [InlineData("8000000000000000", "a timer at -9223372036854775808 ns")]
    public void A_timer_before_the_beginning_is_refused(string hex, string reason)
    {
        Of(Single("timer")).Refuses(Convert.FromHexString(hex), new Device(), 0, "timer", reason);
        Of(Many("timers")).Refuses([.. new byte[8], .. Convert.FromHexString(hex)], new Device { Values = [0, 0, 0] }, 8, "timers[1]", reason);
    }

    [Fact]
    public void More_bytes_than_there_is_room_for_are_refused()
    {
        var declaration = Of(Field.VarBuffer("var", d => d.Values, d => (int)d.Value));
        declaration.Refuses([0, 0, 0, 0], new Device { Values = [1, 2, 3], Value = 4 }, 0, "var", "-1 bytes");
        declaration.Refuses([0, 0, 0, 0], new Device { Values = [1, 2, 3], Value = uint.MaxValue }, 0, "var", "-1 bytes");

        Assert.Equal(3, declaration.Load([5, 6, 7, 8], new Device { Values = [1, 2, 3], Value = 3 }));
    }

    /// <summary>A field whose length another one brought is as long as that.</summary>
    [Fact]
    public void A_length_that_came_is_checked_before_it_is_used()
    {
        var declaration = Of(
            Field.UInt32("length", d => (uint)d.Value, (d, v) => d.Value = v).Check(d => d.Value <= 3, "more than there is room for"),
            Field.VarBuffer("bytes", d => d.Values, d => (int)d.Value));
        var device = new Device { Values = [0, 0, 0] };

        Assert.Equal(6, declaration.Load([0, 0, 0, 2, 7, 8], device));
        Assert.Equal([7, 8, 0], device.Values);
        declaration.Refuses([0, 0, 0, 4, 1, 2, 3, 4], new Device { Values = [0, 0, 0] }, 0, "length", "more than there is room for");
        declaration.Refuses([0xff, 0xff, 0xff, 0xff], new Device { Values = [0, 0, 0] }, 0, "length", "more than there is room for");
    }

    private static VmStateDescription<Device> Of(params VmStateField<Device>[] fields) => new("device", 1, 1) { Fields = fields };

    private static Device Fresh(string name, ulong value) => new() { Value = name is "le" or "u32 equal" or "i32 equal" ? value : 0 };

    private static VmStateField<Device> Single(string name) => name switch
    {
        "u8" => Field.UInt8(name, d => (byte)d.Value, (d, v) => d.Value = v),
        "u16" => Field.UInt16(name, d => (ushort)d.Value, (d, v) => d.Value = v),
        "u32" => Field.UInt32(name, d => (uint)d.Value, (d, v) => d.Value = v),
        "u64" => Field.UInt64(name, d => d.Value, (d, v) => d.Value = v),
        "i8" => Field.Int8(name, d => (sbyte)d.Value, (d, v) => d.Signed = v),
        "i32" => Field.Int32(name, d => (int)d.Value, (d, v) => d.Signed = v),
        "i64" => Field.Int64(name, d => d.Signed, (d, v) => d.Signed = v),
        "timer" => Field.Timer(name, d => d.Signed, (d, v) => d.Signed = v),
        "bool" => Field.Bool(name, d => d.Value != 0, (d, v) => d.Value = v ? 1UL : 0),
        "le" => Field.Int32LessEqual(name, d => (int)d.Value, (d, v) => d.Signed = v),
        "u32 equal" => Field.UInt32Equal(name, d => (uint)d.Value),
        _ => Field.Int32Equal(name, d => (int)d.Value),
    };

    private static VmStateField<Device> Many(string name) => name switch
    {
        "u8s" => Field.UInt8Array(name, d => d.Values),
        "u16s" => Field.UInt16Array(name, d => d.Shorts),
        "u32s" => Field.UInt32Array(name, d => d.Words),
        "u64s" => Field.UInt64Array(name, d => d.Longs),
        "i32s" => Field.Int32Array(name, d => d.Numbers),
        "timers" => Field.TimerArray(name, d => d.Times),
        "buffer" => Field.Buffer(name, d => d.Values),
        "var" => Field.VarBuffer(name, d => d.Values, d => 2),
        "bitmap" => Field.Bitmap(name, d => d.Longs),
        "unused" => Field.Unused(5, name),
        _ => Field.Custom(name, "a device's own", d => d.Values.Length, (d, b) => Reverse(d.Values, b), (d, b) => Reverse(b, d.Values)),
    };

    private static void Reverse(ReadOnlySpan<byte> from, Span<byte> to)
    {
        for (var i = 0; i < from.Length; i++)
            to[i] = from[from.Length - 1 - i];
    }

    /// <summary>One value, or a few, seen as numbers of every kind.</summary>
    internal sealed class Device
    {
        private readonly Dictionary<Type, Array> _views = [];

        public ulong Value { get; set; }

        public long Signed
        {
            get => (long)Value;
            set => Value = (ulong)value;
        }

        public byte[] Values
        {
            get
            {
                foreach (var view in _views.Values)
                    return [.. view.Cast<object>().Select(v => Convert.ToByte(v, System.Globalization.CultureInfo.InvariantCulture))];
                return field;
            }
            set;
        } = [];

        public ushort[] Shorts => View(v => (ushort)v);

        public uint[] Words => View(v => (uint)v);

        public ulong[] Longs => View(v => (ulong)v);

        public int[] Numbers => View(v => (int)v);

        public long[] Times => View(v => (long)v);

        private T[] View<T>(Func<byte, T> convert)
        {
            if (!_views.TryGetValue(typeof(T), out var view))
            {
                view = Values.Select(convert).ToArray();
                _views[typeof(T)] = view;
            }

            return (T[])view;
        }
    }
}

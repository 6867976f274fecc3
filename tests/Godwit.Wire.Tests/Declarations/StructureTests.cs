using System.Text;
using Godwit.Wire.VmState;

namespace Godwit.Wire.Tests.Declarations;

/// <summary>Versions, conditions, structs, subsections and hooks of a declaration.</summary>
public sealed class StructureTests
{
    private const byte Mark = 5;

    private static readonly byte[] Least = [1, 0, 0, 0, 9, .. Sector(3), .. Sector(4)];

    [Fact]
    public void What_is_not_needed_is_not_there()
    {
        var body = Controller.Declaration.Save(Sample());

        Assert.Equal(Least, body);
        // Whether a subsection follows only the next byte tells.
        Assert.Equal(-1, Controller.Declaration.Load(body, new Controller()));
        Controller.Declaration.LoadsOnlyWhole(body, () => new Controller());
    }

    [Fact]
    public void Subsections_follow_the_part_that_they_belong_to()
    {
        var device = Full();
        byte[] expected =
        [
            1, 0, 0, 0, 9, .. Sector(3), .. Sub("disk/error", 1), 0x55, .. Sector(4),
            .. Sub("controller/first", 2), 0, 0, 0, 11,
            .. Sub("controller/second", 2), 0, 0, 0, 12,
            .. Sub("controller/second/inner", 2), 0, 0, 0, 13, .. Sub("controller/second/inner/most", 2), 0, 0, 0, 14,
        ];

        Assert.Equal(expected, Controller.Declaration.Save(device));
        var loaded = new Controller();
        Assert.Equal(expected.Length, Controller.Declaration.Load([.. expected, 0x7e], loaded));
        Assert.Equal([11u, 12, 13, 14], loaded.Extra);
        Assert.Equal([(3UL, (byte)0x55), (4UL, (byte)0)], loaded.Disks.Select(d => (d.Sector, d.Error)));
        Controller.Declaration.LoadsOnlyWhole(expected, () => new Controller());
    }

    [Fact]
    public void A_part_that_does_not_come_is_what_pre_load_made_it()
    {
        var device = Full();

        Assert.Equal(Least.Length, Controller.Declaration.Load([.. Least, 0x7e], device));

        Assert.Equal(new uint[4], device.Extra);
        Assert.Equal(0, device.Disks[0].Error);
    }

    [Fact]
    public void The_description_shows_each_struct_that_can_have_a_part_and_the_parts_that_are_there()
    {
        const string Expected =
            """
            {"vmsd_name":"controller","version":4,"fields":[
            {"name":"mode","type":"uint8","size":1},{"name":"new","type":"uint32","size":4},
            {"name":"disks","index":0,"type":"struct","struct":{"vmsd_name":"disk","version":3,"fields":[{"name":"sector","type":"uint64","size":8}],
            "subsections":[{"vmsd_name":"disk/error","version":1,"fields":[{"name":"error","type":"uint8","size":1}]}]},"size":25},
            {"name":"disks","index":1,"type":"struct","struct":{"vmsd_name":"disk","version":3,"fields":[{"name":"sector","type":"uint64","size":8}]},"size":8}],
            "subsections":[{"vmsd_name":"controller/first","version":2,"fields":[{"name":"extra0","type":"uint32","size":4}]}]}
            """;
        var device = Sample();
        device.Disks[0].Error = 0x55;
        device.Extra[0] = 11;

        Assert.Equal(Expected.Replace("\n", "", StringComparison.Ordinal), Controller.Declaration.Describe(device).ToJsonString());
    }

    [Theory]
    [InlineData(2, "0100090000000000000003", 9, 0)]
    [InlineData(3, "01000000090000000000000003", 0, 9)]
    [InlineData(4, "01000000090000000000000003", 0, 9)]
    [InlineData(4, "0700000009000000080000000000000003", 0, 8)]
    public void A_field_is_there_in_its_versions_and_under_its_condition(int version, string hex, int old, int current)
    {
        byte[] body = [.. Convert.FromHexString(hex), .. Sector(4)];
        var device = new Controller();

        Assert.Equal(body.Length, Controller.Declaration.Load([.. body, 0], device, (uint)version));
        Assert.Equal((old, current, 3UL, 4UL), (device.Old, (int)device.New, device.Disks[0].Sector, device.Disks[1].Sector));
        Controller.Declaration.LoadsOnlyWhole(body, () => new Controller(), (uint)version);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(int.MaxValue)]
    [InlineData(uint.MaxValue)]
    public void Another_version_is_refused_before_anything_is_read(uint version)
    {
        var device = new Controller();

        Controller.Declaration.Refuses([], device, 0, "version", $"controller: version {version}, but 2 to 4 are known", version);
        Assert.Empty(device.Log);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void Another_version_of_a_subsection_is_refused(byte version)
    {
        Controller.Declaration.Refuses([.. Least, .. Sub("controller/first", version)], new Controller(), Least.Length + 22, "controller/first.version", $"version {version}, but 1 to 2 are known");
        Controller.Declaration.Refuses([.. Least, .. Sub("controller/second", 1), 0, 0, 0, 1, .. Sub("controller/second/inner", version)], new Controller(),
            Least.Length + 23 + 4 + 29, "controller/second.controller/second/inner.version", $"version {version}");
        Assert.Equal(Least.Length + 26, Controller.Declaration.Load([.. Least, .. Sub("controller/first", 1), 0, 0, 0, 1, 0], new Controller()));
    }

    [Fact]
    public void A_subsection_that_nobody_knows_is_refused()
    {
        Controller.Declaration.Refuses([.. Least, .. Sub("controller/third", 1), 1], new Controller(), Least.Length, "controller", "subsection 'controller/third' isn't known");
        // Nor is one of another part: the outer one can't be the inner one's.
        Controller.Declaration.Refuses([.. Least, .. Sub("controller/second", 1), 0, 0, 0, 1, .. Sub("controller/second/outer", 1)], new Controller(),
            Least.Length + 27, "controller/second.controller/second", "isn't known");
        // A name that isn't text doesn't break the error.
        Controller.Declaration.Refuses([.. Least, Mark, 12, .. "controller"u8, 0xff, 0x00, 0, 0, 0, 1], new Controller(), Least.Length, "controller", "isn't known");
    }

    /// <summary>What begins like a subsection but has another's name is the next thing in the stream: QEMU tells them apart by name alone.</summary>
    [Fact]
    public void Bytes_that_only_begin_like_a_subsection_are_left()
    {
        foreach (var next in new byte[][] { [Mark, 3, .. "con"u8], [Mark, 10, .. "controller"u8], [Mark, 20, .. "kontroller/first...."u8], [Mark, 0], [Mark, 255, (byte)'x'], [0x7e], [4] })
            Assert.Equal(Least.Length, Controller.Declaration.Load([.. Least, .. next], new Controller()));
    }

    /// <summary>A disk that is asked whether its error follows is over when the controller's own subsection does.</summary>
    [Fact]
    public void A_struct_leaves_the_subsections_of_what_it_is_in()
    {
        var device = new Controller();
        byte[] body = [.. Least, .. Sub("controller/first", 2), 0, 0, 0, 11];

        Assert.Equal(body.Length, Controller.Declaration.Load([.. body, 0x7e], device));
        Assert.Equal((11u, 0), (device.Extra[0], device.Disks[1].Error));
    }

    [Fact]
    public void Hooks_run_in_their_order()
    {
        var log = new List<string>();
        var source = Full(log);
        var body = Controller.Declaration.Save(source);
        Assert.Equal(["save controller", "save controller/first", "save controller/second", "save controller/second/inner", "save controller/second/inner/most"], source.Log);
        Assert.Equal(["save disk", "save disk"], log);
        log.Clear();

        var target = Full(log);
        // What comes too early starts over: nothing is called loaded before all is.
        Assert.Equal(-1, Controller.Declaration.Load(body, target));
        Assert.DoesNotContain(target.Log.Concat(log), l => l.StartsWith("loaded", StringComparison.Ordinal));
        target.Log.Clear();
        log.Clear();
        Controller.Declaration.Load([.. body, 0x7e], target);

        Assert.Equal(
            [
                "load controller", "mode", "load controller/first 2", "load controller/second 2", "load controller/second/inner 2", "load controller/second/inner/most 2",
                "loaded controller/first 2", "loaded controller/second/inner/most 2", "loaded controller/second/inner 2", "loaded controller/second 2", "loaded controller 4",
            ], target.Log);
        Assert.Equal(["load disk 3", "load disk 3", "loaded disk 3", "loaded disk 3"], log);
    }

    public static TheoryData<string, string, int> Refusing => new()
    {
        { "load controller", "pre-load", 0 },
        { "mode", "mode", 0 },
        { "load controller/second 2", "controller/second.pre-load", Least.Length + 17 + 26 + 23 },
        { "loaded controller 4", "controller", 0 },
        { "loaded controller/second 2", "controller/second", Least.Length + 17 + 26 + 23 },
        { "loaded controller/second/inner/most 2", "controller/second/inner/most", Least.Length + 17 + 26 + 27 + 33 + 34 },
    };

    [Theory]
    [MemberData(nameof(Refusing))]
    public void A_hook_that_refuses_says_where(string hook, string field, int at)
    {
        Controller.Declaration.Refuses([.. Controller.Declaration.Save(Full()), 0x7e], new Controller { Refusing = hook }, at, field, $"not {hook}");
    }

    [Fact]
    public void A_value_that_is_refused_is_named_with_its_place()
    {
        Controller.Declaration.Refuses([8, 0, 0, 0, 0], new Controller(), 0, "mode", "no such mode");
        Controller.Declaration.Refuses([1, 0, 0, 0, 9, .. Sector(3), 0, 0, 0, 0, 1, 0, 0, 0], new Controller(), 13, "disks[1].sector", "past its end");
        Controller.Declaration.Refuses([.. Least, .. Sub("controller/first", 2), 255, 255, 255, 255], new Controller(), Least.Length + 22, "controller/first.extra0", "too much");
    }

    [Fact]
    public void A_section_that_is_not_needed_says_so()
    {
        var declaration = new VmStateDescription<Controller>("maybe", 1, 1) { Needed = c => c.Mode != 0 };

        Assert.True(declaration.IsNeeded(new Controller { Mode = 1 }));
        Assert.False(declaration.IsNeeded(new Controller()));
        Assert.True(Controller.Declaration.IsNeeded(new Controller()));
    }

    [Fact]
    public void Fields_of_one_name_are_numbered()
    {
        var declaration = new VmStateDescription<Controller>("twice", 2, 1)
        {
            Fields =
            [
                Field<Controller>.UInt8("x", _ => 1, (_, _) => { }).When((_, version) => version == 1),
                Field<Controller>.UInt8("y", _ => 2, (_, _) => { }),
                Field<Controller>.UInt16("x", _ => 3, (_, _) => { }).Since(2),
            ],
        };

        Assert.Equal(["y", "x[1]"], declaration.Describe(new Controller())["fields"]!.AsArray().Select(f => (string?)f!["name"]));
    }

    private static byte[] Sector(byte value) => [0, 0, 0, 0, 0, 0, 0, value];

    private static byte[] Sub(string name, byte version) => [Mark, (byte)name.Length, .. Encoding.ASCII.GetBytes(name), 0, 0, 0, version];

    private static Controller Sample(List<string>? log = null)
    {
        var device = new Controller { Mode = 1, New = 9, Disks = [new() { Log = log }, new() { Log = log }] };
        (device.Disks[0].Sector, device.Disks[1].Sector) = (3, 4);
        return device;
    }

    private static Controller Full(List<string>? log = null)
    {
        var device = Sample(log);
        device.Disks[0].Error = 0x55;
        ((uint[])[11, 12, 13, 14]).CopyTo(device.Extra, 0);
        return device;
    }
}

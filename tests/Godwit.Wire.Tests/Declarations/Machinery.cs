using Godwit.Wire.VmState;
using DiskField = Godwit.Wire.VmState.Field<Godwit.Wire.Tests.Declarations.Disk>;
using Field = Godwit.Wire.VmState.Field<Godwit.Wire.Tests.Declarations.Controller>;

namespace Godwit.Wire.Tests.Declarations;

/// <summary>A device that nests: a controller with disks, and subsections three deep.</summary>
internal sealed class Controller
{
    public const int Version = 4, MinimumVersion = 2;

    public byte Mode { get; set; }

    public ushort Old { get; set; }

    public uint New { get; set; }

    public IReadOnlyList<Disk> Disks { get; init; } = [new(), new()];

    /// <summary>Saved in a subsection each, where they aren't 0; the third within the second's, the fourth within the third's.</summary>
    public uint[] Extra { get; } = new uint[4];

    /// <summary>What the hooks did, in order.</summary>
    public List<string> Log { get; } = [];

    /// <summary>A hook that has no value to its liking.</summary>
    public string? Refusing { get; init; }

    public static VmStateDescription<Controller> Declaration { get; } = new("controller", Version, MinimumVersion)
    {
        PreSave = c => c.Hook("save controller"),
        PreLoad = (c, _) => c.Clear(),
        PostLoad = (c, version) => c.Hook($"loaded controller {version}"),
        Fields =
        [
            Field.UInt8("mode", c => c.Mode, (c, v) => c.Mode = v).Check(c => c.Mode < 8, "no such mode").Check(c => c.Hook("mode")),
            Field.UInt16("old", c => c.Old, (c, v) => c.Old = v).When((_, version) => version < 3),
            Field.UInt32("new", c => c.New, (c, v) => c.New = v).Since(3),
            Field.UInt32("by mode", c => c.New, (c, v) => c.New = v).When((c, version) => version == 4 && c.Mode == 7),
            Field.StructArray("disks", Disk.Declaration, c => c.Disks),
        ],
        Subsections = [Extended(0, "controller/first"), Extended(1, "controller/second", Extended(2, "controller/second/inner", Extended(3, "controller/second/inner/most")))],
    };

    public void Hook(string what)
    {
        Log.Add(what);
        if (what == Refusing)
            throw new InvalidDataException($"not {what}");
    }

    private static VmStateDescription<Controller> Extended(int index, string name, params VmStateDescription<Controller>[] inner) => new(name, 2, 1)
    {
        Needed = c => c.Extra[index] != 0,
        PreSave = c => c.Hook($"save {name}"),
        PreLoad = (c, version) => c.Hook($"load {name} {version}"),
        PostLoad = (c, version) => c.Hook($"loaded {name} {version}"),
        Fields = [Field.UInt32($"extra{index}", c => c.Extra[index], (c, v) => c.Extra[index] = v).Check(c => c.Extra[index] != uint.MaxValue, "too much")],
        Subsections = inner,
    };

    private void Clear()
    {
        Hook("load controller");
        Array.Clear(Extra);
    }
}

/// <summary>A struct with an optional part.</summary>
internal sealed class Disk
{
    public ulong Sector { get; set; }

    public byte Error { get; set; }

    /// <summary>Where the hooks of the controller that has it are noted.</summary>
    public List<string>? Log { get; init; }

    public static VmStateDescription<Disk> Declaration { get; } = new("disk", 3, 3)
    {
        PreSave = d => d.Log?.Add("save disk"),
        PreLoad = (d, version) =>
        {
            d.Log?.Add($"load disk {version}");
            d.Error = 0;
        },
        PostLoad = (d, version) => d.Log?.Add($"loaded disk {version}"),
        Fields = [DiskField.UInt64("sector", d => d.Sector, (d, v) => d.Sector = v).Check(d => d.Sector < 1 << 20, "past its end")],
        Subsections = [new("disk/error", 1, 1) { Needed = d => d.Error != 0, Fields = [DiskField.UInt8("error", d => d.Error, (d, v) => d.Error = v)] }],
    };
}

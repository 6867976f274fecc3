using System.Buffers;
using System.Text.Json;

namespace Godwit.Wire.VmState;

/// <summary>
/// The saved state of a device, a subsection or a struct, as one declaration (QEMU: <c>VMStateDescription</c>, migration/vmstate.c).
/// It drives save, load, the description at the end of a stream and the static dump.
/// </summary>
/// <param name="name">QEMU's name of the description.</param>
/// <param name="version">What is saved; nothing newer is loaded.</param>
/// <param name="minimumVersion">Nothing older is loaded.</param>
/// <typeparam name="T">What the fields' values are taken from and put into.</typeparam>
public sealed class VmStateDescription<T>(string name, uint version, uint minimumVersion)
{
    public string Name => name;

    public uint Version => version;

    public uint MinimumVersion => minimumVersion;

    /// <summary>For the static dump: what QEMU takes at least, where older versions are loaded here.</summary>
    public uint? QemuMinimumVersion { get; init; }

    /// <summary>In wire order.</summary>
    public IReadOnlyList<VmStateField<T>> Fields { get; init; } = [];

    /// <summary>In wire order. Their names begin with this one's.</summary>
    public IReadOnlyList<VmStateDescription<T>> Subsections { get; init; } = [];

    /// <summary>Of a subsection or section: whether it is saved. Null: always.</summary>
    public Func<T, bool>? Needed { get; init; }

    /// <summary>Before the fields are saved.</summary>
    public Action<T>? PreSave { get; init; }

    /// <summary>Before the fields are loaded, with the version that came; again when a load starts over with more bytes.</summary>
    public Action<T, uint>? PreLoad { get; init; }

    /// <summary>With the version that came, once the whole section is there, inner ones first.</summary>
    /// <remarks><see cref="InvalidDataException"/> says that the values can't be such a device's.</remarks>
    public Action<T, uint>? PostLoad { get; init; }

    public bool IsNeeded(T state) => Needed is null || Needed(state);

    /// <param name="description">Stands within an object, which gets <c>vmsd_name</c>, <c>version</c>, <c>fields</c> and <c>subsections</c>.</param>
    public void Save(T state, IBufferWriter<byte> body, Utf8JsonWriter? description)
    {
        Save(state, new VmStateOutput(body), description);
    }

    /// <summary>Loads a section, or says that it isn't there yet. Fields that came are stored all the same.</summary>
    /// <param name="body">From the section's first byte on; may be longer than the section. One that can have subsections isn't over before
    /// the byte after it, which a stream always has.</param>
    /// <param name="sectionVersion">As the section's header has it.</param>
    /// <param name="label">The section, for errors.</param>
    /// <param name="offset">Of <paramref name="body"/> in the stream, for errors.</param>
    /// <returns>Bytes taken; -1 where <paramref name="body"/> ends within the section.</returns>
    /// <exception cref="MigrationStreamException">It can't be such a device's.</exception>
    public int Load(ReadOnlySpan<byte> body, uint sectionVersion, T state, string label, long offset)
    {
        var input = new VmStateInput(body, label, offset);
        if (!Load(state, sectionVersion, ref input))
            return -1;
        input.RunPostLoads();
        return input.Position;
    }

    internal void Save(T state, VmStateOutput output, Utf8JsonWriter? description)
    {
        PreSave?.Invoke(state);
        description?.WriteString("vmsd_name", Name);
        description?.WriteNumber("version", Version);
        description?.WriteStartArray("fields");
        foreach (var field in Fields)
        {
            if (field.ExistsIn(state, Version))
                field.Save(state, output, description, NameOf(field));
        }

        description?.WriteEndArray();
        var any = false;
        foreach (var subsection in Subsections)
        {
            if (!subsection.IsNeeded(state))
                continue;
            if (!any)
                description?.WriteStartArray("subsections");
            any = true;
            description?.WriteStartObject();
            output.SubsectionHeader(subsection.Name, subsection.Version);
            subsection.Save(state, output, description);
            description?.WriteEndObject();
        }

        if (any)
            description?.WriteEndArray();
    }

    internal bool Load(T state, uint version, ref VmStateInput input)
    {
        if (version > Version || version < MinimumVersion)
            throw input.Error(input.Position, "version", $"{Name}: version {version}, but {MinimumVersion} to {Version} are known");
        var start = input.Position;
        if (PreLoad is { } preLoad)
            Hook(s => preLoad(s, version), state, start, ref input);
        foreach (var field in Fields)
        {
            if (!field.ExistsIn(state, version))
                continue;
            var at = input.Position;
            if (!field.Load(state, ref input))
                return false;
            Hook(field.Checking, state, at, ref input, field.Name);
        }

        if (!LoadSubsections(state, ref input))
            return false;
        if (PostLoad is { } postLoad)
            input.AddPostLoad(start, Name, () => postLoad(state, version));
        return true;
    }

    private bool LoadSubsections(T state, ref VmStateInput input)
    {
        // QEMU asks each description for subsections, also one that has none; then what follows can't be one of its own.
        while (Subsections.Count > 0)
        {
            var at = input.Position;
            if (!input.TryPeekSubsection(Name, out var subsectionName))
                return false;
            if (subsectionName is null)
                return true;
            var subsection = Find(subsectionName) ?? throw input.Error(at, Name, $"subsection '{subsectionName}' isn't known");
            if (!input.TrySubsectionHeader(out var version))
                return false;
            var prefix = input.Enter(subsectionName);
            if (!subsection.Load(state, version, ref input))
                return false;
            input.Leave(prefix);
        }

        return true;
    }

    private VmStateDescription<T>? Find(string subsectionName)
    {
        foreach (var subsection in Subsections)
        {
            if (subsection.Name == subsectionName)
                return subsection;
        }

        return null;
    }

    private static void Hook(Action<T>? hook, T state, int at, ref VmStateInput input, string field = "pre-load")
    {
        try
        {
            hook?.Invoke(state);
        }
        catch (InvalidDataException e)
        {
            throw input.Error(at, field, e.Message);
        }
    }

    /// <summary>Names that come more than once are numbered.</summary>
    private string NameOf(VmStateField<T> field)
    {
        int same = 0, index = 0;
        foreach (var other in Fields)
        {
            if (ReferenceEquals(other, field))
                index = same;
            if (other.Name == field.Name)
                same++;
        }

        return same > 1 ? $"{field.Name}[{index}]" : field.Name;
    }
}

using System.Collections.Immutable;

namespace Godwit.Machine.Cpu;

/// <summary>The deepest page tables that satp takes; the lesser ones work as well. The value is satp.MODE.</summary>
public enum SatpMode
{
    Sv39 = 8,
    Sv48 = 9,
    Sv57 = 10,
}

/// <summary>What the harts are, as the device tree says it and as <c>-cpu</c> asks for it.</summary>
public sealed record CpuModel
{
    private const string Name = "rv64";

    /// <summary>Every extension of more than one letter that our harts have, in QEMU's order (<c>isa_edata_arr</c> in target/riscv/cpu.c).</summary>
    private static readonly ImmutableArray<string> Implemented =
    [
        "zic64b", "zicbom", "zicbop", "zicboz", "ziccamoa", "ziccif", "zicclsm", "ziccrse", "zicntr", "zicsr", "zifencei", "zihintntl",
        "zihintpause", "zihpm", "zmmul", "za64rs", "zaamo", "zalrsc", "zawrs", "zfa", "zca", "zcd", "zba", "zbb", "zbc", "zbs",
        "ssccptr", "sscounterenw", "ssstrict", "sstc", "sstvala", "sstvecd", "ssu64xl", "svadu", "svvptc",
    ];

    private static readonly ImmutableHashSet<string> Optional = ImmutableHashSet.Create(StringComparer.Ordinal,
        "zicbom", "zicbop", "zicboz", "zihintntl", "zihintpause", "zawrs", "zfa", "zba", "zbb", "zbc", "zbs", "sstc", "svadu", "svvptc");

    /// <summary>Extensions that QEMU's rv64 has as properties and our harts don't have: they can be off, not on.</summary>
    private static readonly ImmutableHashSet<string> Absent = ImmutableHashSet.Create(StringComparer.Ordinal,
        "h", "v", "b", "e", "g", "sdtrig", "debug", "zicond", "zicfilp", "zicfiss", "zimop", "zcmop", "zacas", "zama16b", "zabha", "zfbfmin", "zfh", "zfhmin",
        "zve32f", "zve32x", "zve64f", "zve64d", "zve64x", "zvfbfmin", "zvfbfwma", "zvfh", "zvfhmin", "zbkb", "zbkc", "zbkx", "zk", "zkn", "zknd", "zkne", "zknh",
        "zkr", "zks", "zksed", "zksh", "zkt", "ztso", "zdinx", "zfinx", "zhinx", "zhinxmin", "zcb", "zce", "zcf", "zcmp", "zcmt", "zvbb", "zvbc", "zvkb", "zvkg",
        "zvkned", "zvknha", "zvknhb", "zvksed", "zvksh", "zvkt", "zvkn", "zvknc", "zvkng", "zvks", "zvksc", "zvksg", "sscofpmf", "smcntrpmf", "smcsrind",
        "smcdeleg", "sscsrind", "ssccfg", "smctr", "ssctr", "ssnpm", "sspm", "supm", "smaia", "smdbltrp", "smepmp", "smrnmi", "smmpm", "smnpm", "smstateen",
        "ssaia", "ssdbltrp", "svade", "svinval", "svnapot", "svpbmt");

    /// <summary>QEMU's <c>rv64</c>, less what our harts don't have.</summary>
    public static CpuModel Default { get; } = new();

    /// <summary>Extensions of one letter, in their usual order.</summary>
    public string Letters { get; init; } = "imafdc";

    /// <summary>Extensions of more than one letter, in the device tree's order.</summary>
    public ImmutableArray<string> Extensions { get; init; } = Implemented;

    public SatpMode MaxSatpMode { get; init; } = SatpMode.Sv57;

    /// <summary>In bytes, of cbo.clean, cbo.flush and cbo.inval.</summary>
    public uint CbomBlockSize { get; init; } = 64;

    /// <summary>In bytes, of prefetch.i, prefetch.r and prefetch.w.</summary>
    public uint CbopBlockSize { get; init; } = 64;

    /// <summary>In bytes, of cbo.zero.</summary>
    public uint CbozBlockSize { get; init; } = 64;

    /// <summary>The base instruction set, as property <c>riscv,isa-base</c> has it.</summary>
    public static string IsaBase => "rv64i";

    /// <summary>The whole of it in one string, as property <c>riscv,isa</c> has it.</summary>
    public string Isa => string.Join('_', ["rv64" + Letters, .. Extensions]);

    /// <summary>The extensions one by one, as property <c>riscv,isa-extensions</c> has them.</summary>
    public IEnumerable<string> IsaExtensions => Letters.Select(l => l.ToString()).Concat(Extensions);

    /// <summary>The page tables, as property <c>mmu-type</c> has them.</summary>
    public string MmuType => MaxSatpMode switch
    {
        SatpMode.Sv39 => "riscv,sv39",
        SatpMode.Sv48 => "riscv,sv48",
        _ => "riscv,sv57",
    };

    /// <param name="extension">In lower case: a letter, or a name such as <c>zba</c>.</param>
    public bool Has(string extension) => extension.Length == 1 ? Letters.Contains(extension[0], StringComparison.Ordinal) : Extensions.Contains(extension, StringComparer.Ordinal);

    /// <summary>Whether satp takes this mode; 0 is bare.</summary>
    public bool HasTranslation(int satpMode) => satpMode == 0 || (satpMode >= (int)SatpMode.Sv39 && satpMode <= (int)MaxSatpMode);

    /// <summary>Reads <c>-cpu</c>'s value: <c>rv64[,EXTENSION=on|off…]</c>.</summary>
    /// <exception cref="ArgumentException">Another model, or a property that isn't known or can't have that value; the message is one line.</exception>
    public static CpuModel Parse(string text)
    {
        var parts = text.Split(',');
        if (!string.Equals(parts[0], Name, StringComparison.Ordinal))
            throw new ArgumentException($"CPU model '{parts[0]}' is not implemented; {Name} is", nameof(text));
        var off = new HashSet<string>(StringComparer.Ordinal);
        var pageTables = new Dictionary<SatpMode, bool>();
        foreach (var part in parts.Skip(1))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
                throw new ArgumentException($"CPU property '{part}' has no value: say {part}=on or {part}=off", nameof(text));
            var name = part[..equals];
            var on = Bool(name, part[(equals + 1)..]);
            if (PageTables(name) is { } mode)
                pageTables[mode] = on;
            else if (!IsOptional(name, on))
                continue;
            else if (on)
                off.Remove(name);
            else
                off.Add(name);
        }

        return Default with { Extensions = [.. Implemented.Where(e => !off.Contains(e))], MaxSatpMode = Deepest(pageTables) };
    }

    /// <summary>Whether it is one of those that can be on or off; refuses what can't be as asked.</summary>
    private static bool IsOptional(string name, bool on)
    {
        if (Optional.Contains(name))
            return true;
        if (Absent.Contains(name))
            return on ? throw new ArgumentException($"CPU property '{name}': the extension is not implemented", nameof(name)) : false;
        if (Implemented.Contains(name, StringComparer.Ordinal) || (name.Length == 1 && Default.Has(name)))
            return on ? false : throw new ArgumentException($"CPU property '{name}': the extension can't be turned off", nameof(name));
        throw new ArgumentException($"CPU property '{name}' is not known", nameof(name));
    }

    /// <summary>QEMU's rule: the deepest that was asked for; else what lies below the least that was turned off.</summary>
    private static SatpMode Deepest(Dictionary<SatpMode, bool> asked)
    {
        var on = asked.Where(p => p.Value).Select(p => p.Key).DefaultIfEmpty().Max();
        var off = asked.Where(p => !p.Value).Select(p => p.Key).ToList();
        if (off.Contains(SatpMode.Sv39))
            throw new ArgumentException("CPU property 'sv39': the page tables can't be turned off", nameof(asked));
        if (on != default && off.Exists(m => m < on))
            throw new ArgumentException($"CPU property '{off.Min()}': it can't be off while {on} is on".Replace("Sv", "sv", StringComparison.Ordinal), nameof(asked));
        if (on != default)
            return on;
        return off.Count == 0 ? SatpMode.Sv57 : off.Min() - 1;
    }

    private static SatpMode? PageTables(string name) => name switch
    {
        "sv39" => SatpMode.Sv39,
        "sv48" => SatpMode.Sv48,
        "sv57" => SatpMode.Sv57,
        _ => null,
    };

    private static bool Bool(string name, string value) => value switch
    {
        "on" or "true" or "yes" or "y" => true,
        "off" or "false" or "no" or "n" => false,
        _ => throw new ArgumentException($"CPU property '{name}' is on or off, not '{value}'", nameof(value)),
    };
}

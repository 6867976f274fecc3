using System.Globalization;
using Godwit.Linux;
using Godwit.Machine.Cpu;
using Godwit.Machine.Virt;
using Godwit.Memory;
using Godwit.Migration.Channels;
using Godwit.Migration.Control;
using Microsoft.Win32.SafeHandles;

namespace Godwit.Cli.Run;

/// <summary>Gathers options as they come. A later one replaces what an earlier one said, as in QEMU; what has to fit together is checked
/// at the end.</summary>
internal sealed class RunOptionsBuilder
{
    private const ulong MaxMemory = 1UL << 40;

    private readonly List<MemoryBackend> _backends = [];
    private readonly List<SerialBackend> _serials = [];
    private CpuModel _cpu = CpuModel.Default;
    private int _harts = 1;
    private ulong? _memory;
    private string? _backend;
    private string? _name;
    private string? _incoming;
    private readonly List<SecurityObject> _objects = [];
    private Parameters _migration = new();
    private Guid _uuid;

    public string? Firmware { get; set; }

    public List<string> DataFolders { get; } = [];

    public string? Kernel { get; set; }

    public string? Initrd { get; set; }

    public string? CommandLine { get; set; }

    public string? DeviceTree { get; set; }

    public string? DumpDeviceTree { get; set; }

    public string? DumpVmState { get; set; }

    public string? PidFile { get; set; }

    public List<QmpOption> Qmp { get; } = [];

    public bool NoGraphic { get; set; }

    public bool NoDefaults { get; set; }

    public bool StartPaused { get; set; }

    public bool NoReboot { get; set; }

    public bool NoShutdown { get; set; }

    public bool ShowHelp { get; set; }

    private bool NoDisplay { get; set; }

    public void Machine(string text)
    {
        var keys = new KeyValueList("-machine", text, "type");
        keys.Require("type", "virt");
        keys.Require("aia", "none");
        keys.Require("aclint", "off", "false", "no");
        keys.Require("acpi", "auto", "off");
        keys.Require("iommu-sys", "auto", "off");
        keys.Require("usb", "off", "false", "no");
        keys.Require("accel", "tcg");
        _backend = keys.Take("memory-backend") ?? _backend;
        DumpDeviceTree = keys.Take("dumpdtb") ?? DumpDeviceTree;
        Firmware = keys.Take("firmware") ?? Firmware;
        Kernel = keys.Take("kernel") ?? Kernel;
        Initrd = keys.Take("initrd") ?? Initrd;
        CommandLine = keys.Take("append") ?? CommandLine;
        DeviceTree = keys.Take("dtb") ?? DeviceTree;
        keys.Finish();
    }

    public void Cpu(string text)
    {
        try
        {
            _cpu = CpuModel.Parse(text);
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"-cpu {text}: {e.Message.Split(" (Parameter", 2)[0]}");
        }
    }

    public void Smp(string text)
    {
        var keys = new KeyValueList("-smp", text, "cpus");
        var cpus = keys.Take("cpus");
        keys.Finish();
        if (!int.TryParse(cpus, NumberStyles.None, CultureInfo.InvariantCulture, out _harts) || _harts is < 1 or > MemoryMap.MaxHarts)
            throw new UsageException($"-smp: '{cpus}' is not a number of harts from 1 to {MemoryMap.MaxHarts}");
    }

    public void Memory(string text)
    {
        var keys = new KeyValueList("-m", text, "size");
        var size = keys.Take("size") ?? throw new UsageException($"-m: '{text}' has no size");
        keys.Finish();
        _memory = Checked("-m", size, SizeOption.Parse("-m", size, 1 << 20));
    }

    public void Object(string text)
    {
        if (SecurityObject.TryParse(text) is { } security)
        {
            _objects.Add(security);
            return;
        }

        var backend = MemoryBackend.Parse(text);
        if (_backends.Exists(b => string.Equals(b.Id, backend.Id, StringComparison.Ordinal)) || _objects.Exists(o => string.Equals(o.Id, backend.Id, StringComparison.Ordinal)))
            throw new UsageException($"-object: there are two with id={backend.Id}");
        _backends.Add(backend with { Size = Checked("-object", $"{backend.Size}", backend.Size) });
    }

    /// <summary>Source of the rules: QEMU system/vl.c, parse_add_fd.</summary>
    public static void AddDescriptor(string text)
    {
        var keys = new KeyValueList("-add-fd", text, null);
        if (!int.TryParse(keys.Take("fd"), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            throw new UsageException("-add-fd: fd option is required and must be non-negative");
        if (number <= 2)
            throw new UsageException("-add-fd: fd cannot be a standard I/O stream");
        if (!Descriptor.IsInherited(number))
            throw new UsageException("-add-fd: fd is not valid or already in use");
        if (!long.TryParse(keys.Take("set"), NumberStyles.None, CultureInfo.InvariantCulture, out var set))
            throw new UsageException("-add-fd: set option is required and must be non-negative");
        var opaque = keys.Take("opaque");
        keys.Finish();
        using var file = new SafeFileHandle(number, ownsHandle: false);
        DescriptorSets.Add(Descriptor.Duplicate(file), set, opaque);
    }

    /// <summary>QEMU has many of these properties; those here say how an older destination is spoken to, and with what TLS.</summary>
    public void Global(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var value = text[(equals + 1)..];
        _migration = (equals < 0 ? "" : text[..equals]) switch
        {
            "migration.multifd-flush-after-each-section" when value is "on" or "off" => _migration with { MultifdFlushAfterEachSection = value == "on" },
            "migration.tls-creds" => _migration with { TlsCreds = value },
            "migration.tls-hostname" => _migration with { TlsHostname = value },
            "migration.tls-authz" => _migration with { TlsAuthz = value },
            _ => throw new UsageException($"-global: '{text}' is not supported; migration.tls-creds=, tls-hostname=, tls-authz= and multifd-flush-after-each-section=on|off are"),
        };
    }

    public void Serial(string text) => _serials.Add(SerialBackend.Parse(text));

    public void OnlyNone(string option, string value)
    {
        if (!string.Equals(value, "none", StringComparison.Ordinal))
            throw new UsageException($"{option}: '{value}' is not supported; none is");
        NoDisplay |= string.Equals(option, "-display", StringComparison.Ordinal);
    }

    public static void Rtc(string text)
    {
        var keys = new KeyValueList("-rtc", text, null);
        keys.Require("base", "utc");
        keys.Finish();
    }

    public static void Accelerator(string text)
    {
        var keys = new KeyValueList("-accel", text, "accel");
        keys.Require("accel", "tcg");
        foreach (var key in (ReadOnlySpan<string>)["thread", "tb-size", "one-insn-per-tb", "split-wx"])
            _ = keys.Take(key);
        keys.Finish();
    }

    public void SetName(string text)
    {
        var keys = new KeyValueList("-name", text, "guest");
        _name = keys.Take("guest") ?? _name;
        _ = keys.TakeBool("debug-threads");
        keys.Finish();
    }

    public void SetIncoming(string text)
    {
        try
        {
            if (text != "defer")
                _ = MigrationUri.Parse(text);
            _incoming = text;
        }
        catch (FormatException e)
        {
            throw new UsageException($"-incoming: {e.Message}");
        }
    }

    public void SetUuid(string text) => _uuid = Guid.TryParseExact(text, "D", out var uuid) ? uuid : throw new UsageException($"-uuid: '{text}' is no UUID");

    /// <exception cref="UsageException">What was said doesn't fit together.</exception>
    public RunOptions Build()
    {
        if (!ShowHelp && Kernel is null && CommandLine is not null)
            throw new UsageException("-append: it goes with -kernel");
        if (!ShowHelp && Kernel is null && Initrd is not null)
            throw new UsageException("-initrd: it goes with -kernel");
        if (_serials.Skip(1).Any(s => s.Kind != SerialKind.Null))
            throw new UsageException("-serial: the board has one serial port");
        var backend = Backend();
        return new RunOptions
        {
            Migration = _migration,
            Objects = _objects,
            MemorySize = _memory ?? backend?.Size ?? RunOptions.DefaultMemory,
            Harts = _harts,
            Cpu = _cpu,
            Firmware = Firmware,
            DataFolders = DataFolders,
            Kernel = Kernel,
            Initrd = Initrd,
            CommandLine = CommandLine,
            DeviceTree = DeviceTree,
            DumpDeviceTree = DumpDeviceTree,
            DumpVmState = DumpVmState,
            MemoryBackend = backend,
            Serial = _serials.Count > 0 ? _serials[0] : DefaultSerial(),
            StartPaused = StartPaused,
            NoReboot = NoReboot,
            NoShutdown = NoShutdown,
            Name = _name,
            Qmp = Qmp,
            Incoming = _incoming is not null,
            IncomingUri = _incoming is null or "defer" ? null : MigrationUri.Parse(_incoming),
            Uuid = _uuid,
            PidFile = PidFile,
            ShowHelp = ShowHelp,
        };
    }

    /// <summary>Where QEMU would open a window, the terminal stands in for it; where it would show nothing, neither do we.</summary>
    private SerialBackend DefaultSerial() => NoDefaults || (NoDisplay && !NoGraphic) ? SerialBackend.Null : SerialBackend.Terminal;

    private MemoryBackend? Backend()
    {
        if (_backend is null)
            return null;
        var backend = _backends.Find(b => string.Equals(b.Id, _backend, StringComparison.Ordinal))
            ?? throw new UsageException($"-machine: memory-backend={_backend}: there is no -object with that id");
        if (_memory is { } memory && memory != backend.Size)
            throw new UsageException($"-m: {memory} bytes differ from the {backend.Size} of memory-backend={_backend}");
        return backend;
    }

    private static ulong Checked(string option, string text, ulong bytes)
    {
        if (bytes == 0 || bytes > MaxMemory || (bytes & GuestPage.OffsetMask) != 0)
            throw new UsageException($"{option}: '{text}' is no whole number of {GuestPage.Size / 1024} KiB pages up to {MaxMemory >> 40} TiB");
        return bytes;
    }
}

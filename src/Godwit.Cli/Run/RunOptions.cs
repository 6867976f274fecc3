using Godwit.Machine.Cpu;
using Godwit.Machine.Virt;
using Godwit.Machine.Virt.Loading;
using Godwit.Migration.Channels;
using Godwit.Migration.Control;

namespace Godwit.Cli.Run;

/// <summary>What <c>godwit run</c> was asked to do.</summary>
internal sealed record RunOptions
{
    public const ulong DefaultMemory = 128 << 20;

    /// <summary>In bytes, whole pages.</summary>
    public ulong MemorySize { get; init; } = DefaultMemory;

    /// <summary>From 1 to <see cref="MemoryMap.MaxHarts"/>.</summary>
    public int Harts { get; init; } = 1;

    public CpuModel Cpu { get; init; } = CpuModel.Default;

    /// <summary>As <see cref="LoadRequest.Firmware"/>.</summary>
    public string? Firmware { get; init; }

    public IReadOnlyList<string> DataFolders { get; init; } = [];

    public string? Kernel { get; init; }

    public string? Initrd { get; init; }

    public string? CommandLine { get; init; }

    public string? DeviceTree { get; init; }

    /// <summary>Write the device tree there and end; null: run.</summary>
    public string? DumpDeviceTree { get; init; }

    /// <summary>Write the declarations of the devices' saved state there and end; null: run.</summary>
    public string? DumpVmState { get; init; }

    /// <summary>Null: anonymous memory under the board's own name.</summary>
    public MemoryBackend? MemoryBackend { get; init; }

    public SerialBackend Serial { get; init; } = SerialBackend.Terminal;

    /// <summary>The harts wait to be told to start (QEMU: <c>-S</c>).</summary>
    public bool StartPaused { get; init; }

    /// <summary>A guest that resets the machine ends it.</summary>
    public bool NoReboot { get; init; }

    /// <summary>A guest that powers off only stops the harts.</summary>
    public bool NoShutdown { get; init; }

    /// <summary>The machine's, for people.</summary>
    public string? Name { get; init; }

    /// <summary>Parameters of migrations, as a monitor may change them.</summary>
    public Parameters Migration { get; init; } = new();

    /// <summary>In the order of the command line: one may use those before it.</summary>
    public IReadOnlyList<SecurityObject> Objects { get; init; } = [];

    public IReadOnlyList<QmpOption> Qmp { get; init; } = [];

    /// <summary>The machine's state comes from another (QEMU: <c>-incoming</c>).</summary>
    public bool Incoming { get; init; }

    /// <summary>Where from; null while that is for <c>migrate-incoming</c> to say.</summary>
    public MigrationUri? IncomingUri { get; init; }

    public Guid Uuid { get; init; }

    /// <summary>Where the number of this process is to be written.</summary>
    public string? PidFile { get; init; }

    /// <summary>Print <see cref="RunOptionTable.Help"/> and end.</summary>
    public bool ShowHelp { get; init; }

    public LoadRequest ToLoadRequest() => new(Cpu, Harts, MemorySize)
    {
        Firmware = Firmware,
        DataFolders = DataFolders,
        Kernel = Kernel,
        Initrd = Initrd,
        CommandLine = CommandLine,
        DeviceTree = DeviceTree,
    };

    /// <summary>Reads the words after <c>godwit run</c>.</summary>
    /// <exception cref="UsageException">One of them isn't known, or has a value that isn't supported.</exception>
    public static RunOptions Parse(IReadOnlyList<string> words)
    {
        var builder = new RunOptionsBuilder();
        for (var i = 0; i < words.Count; i++)
        {
            var option = RunOptionTable.Find(words[i]);
            var value = "";
            if (option.Argument is not null)
                value = ++i < words.Count ? words[i] : throw new UsageException($"{words[i - 1]} needs an argument: {option.Argument}");
            option.Apply(builder, value);
        }

        return builder.Build();
    }
}

using Godwit.Devices.Character;
using Godwit.Machine.Cpu;
using Godwit.Machine.Lifecycle;
using Godwit.Machine.Virt;
using Godwit.Machine.Virt.Loading;
using Godwit.Testing;

namespace Godwit.Machine.Tests.Lifecycle;

/// <summary>A machine in this process, with its serial port in the test's hands.</summary>
internal sealed class TestMachine : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private const ulong MtimeAddress = 0x200_bff8;

    private readonly TemporaryFolder _folder = new();
    private TextBackend? _serial;

    private TestMachine(Func<TemporaryFolder, VirtOptions> options, Func<Lock, ICharacterBackend>? serial)
    {
        Machine = new VirtMachine(options(_folder) with { Serial = serial ?? (deviceLock => _serial = new TextBackend(deviceLock)) });
        Machine.StateChanged = state =>
        {
            lock (States)
                States.Add(state);
        };
    }

    public VirtMachine Machine { get; }

    /// <summary>As they were told of.</summary>
    public List<RunState> States { get; } = [];

    public TextBackend Serial => _serial ?? throw new InvalidOperationException("the serial port is another's");

    /// <summary>mtime, in units of 100 ns.</summary>
    public ulong Time => Machine.Memory.TryLoadDevice(MtimeAddress, sizeof(ulong), out var time) ? time : throw new InvalidOperationException("no mtime");

    /// <summary>The guest of guests/heartbeat.</summary>
    public static TestMachine Heartbeat(string options, int harts = 1, int memory = 16, Func<Lock, ICharacterBackend>? serial = null) =>
        new(_ => Options(Repository.Path("guests", "heartbeat", "heartbeat.elf"), harts, memory, options), serial);

    public static TestMachine Elf(string path, int harts) => new(_ => Options(path, harts, 64, null), null);

    /// <summary>A program at the start of RAM, in machine mode.</summary>
    public static TestMachine Raw(ReadOnlySpan<byte> code, Func<VirtOptions, VirtOptions>? change = null, int harts = 1, Func<Lock, ICharacterBackend>? serial = null)
    {
        var bytes = code.ToArray();
        return new TestMachine(folder =>
        {
            File.WriteAllBytes(folder.File("kernel"), bytes);
            var options = Options(folder.File("kernel"), harts, 16, null);
            return change is null ? options : change(options);
        }, serial);
    }

    public static TestMachine Of(VirtOptions options) => new(_ => options, null);

    public ulong ReadRam(ulong offset) =>
        BitConverter.ToUInt64(Machine.Blocks.First(b => string.Equals(b.IdStr, MemoryMap.RamName, StringComparison.Ordinal)).Read(offset, sizeof(ulong)));

    public Task<int> EndedAsync() => Machine.Ended.WaitAsync(Patience);

    /// <summary>Waits for a state; a guest's own wishes take a moment.</summary>
    public async Task WaitForAsync(RunState state)
    {
        for (var end = Environment.TickCount64 + 30_000; Machine.State != state; await Task.Delay(1))
        {
            if (Environment.TickCount64 > end)
                throw new TimeoutException($"{Machine.State} is not going to be {state}");
        }
    }

    /// <summary>What the guest of guests/heartbeat printed: one beat after the other, none with errors, and its clock only goes forward.</summary>
    public List<Heartbeat> CheckedBeats()
    {
        var lines = Serial.Lines;
        Assert.StartsWith("heartbeat start ", lines[0], StringComparison.Ordinal);
        Assert.Equal("heartbeat ready", lines[1]);
        var beats = lines.Skip(2).Select(l => Testing.Heartbeat.Parse(l) ?? throw new InvalidDataException(l)).ToList();
        Assert.Equal(Enumerable.Range(1, beats.Count).Select(n => (long)n), beats.Select(b => b.Beat));
        Assert.All(beats, b => Assert.Equal(0, b.Errors));
        Assert.All(beats.Zip(beats.Skip(1)), p => Assert.True(p.First.Time < p.Second.Time && p.First.Writes <= p.Second.Writes, $"{p}"));
        return beats;
    }

    public void Dispose()
    {
        Machine.Dispose();
        _folder.Dispose();
    }

    private static VirtOptions Options(string kernel, int harts, int memory, string? commandLine) =>
        new(new LoadRequest(CpuModel.Default, harts, (ulong)memory << 20) { Firmware = "none", Kernel = kernel, CommandLine = commandLine });
}

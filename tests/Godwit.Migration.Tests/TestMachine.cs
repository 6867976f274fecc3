using System.Buffers;
using System.Text.Json;
using Godwit.Linux;
using Godwit.Memory;
using Godwit.Wire;

namespace Godwit.Migration.Tests;

/// <summary>A machine of memory and two devices, with a thread that writes like a hart. It goes both ways.</summary>
internal sealed class TestMachine : IMigratableMachine, IDisposable
{
    private readonly Lock _hart = new();
    private readonly Thread _thread;
    private readonly List<string> _calls = [];
    private volatile bool _runs;
    private volatile bool _ends;
    private volatile bool _held;
    private long _stores;

    /// <param name="busy">Its guest runs, and stores all the while.</param>
    /// <param name="empty">It has no guest yet: memory is zero.</param>
    /// <param name="stale">It has had another guest: no byte of memory is zero.</param>
    public TestMachine(int pages, bool busy = false, bool empty = false, bool stale = false)
    {
        RamBlocks = [RamBlock.CreateShared("board.ram", (ulong)pages * GuestPage.Size), RamBlock.Create("flash", 8 * GuestPage.Size)];
        var random = new Random(pages);
        for (var page = 0; page < pages && !empty && !stale; page += 3)
            random.NextBytes(RamBlocks[0].Write((ulong)page * GuestPage.Size, GuestPage.Size));
        foreach (var block in RamBlocks.Where(_ => stale))
            block.Write(0, (int)block.Length).Fill(0xee);
        Devices = [new Device("early", 3, [1, 2, 3]), new Device("0000:00/late", 1, new byte[70000])];
        _runs = busy;
        _thread = new Thread(Store) { IsBackground = true };
        _thread.Start();
    }

    public string MachineType { get; set; } = "virt";

    public Guid Uuid { get; set; }

    public IReadOnlyList<RamBlock> RamBlocks { get; private set; }

    public IReadOnlyList<IDeviceSection> Devices { get; set; }

    public IReadOnlyList<ILiveSection> LiveSections { get; set; } = [];

    /// <summary>Of the run state and of the throttle, in order.</summary>
    public string[] Calls
    {
        get
        {
            lock (_calls)
                return [.. _calls];
        }
    }

    public bool Runs => _runs;

    public bool IsGuestRunning => _runs;

    /// <summary>Done when the guest is stopped.</summary>
    public Action? OnStop { get; set; }

    /// <summary>How often the guest was asked to stand for the dirty bits' sake.</summary>
    public int Synchronizations { get; private set; }

    /// <summary>Pages that are stored to between any two synchronizations, unless the guest is held back, however seldom its thread gets to run.</summary>
    public int AlwaysStored { get; set; }

    public void SynchronizeWriters()
    {
        Synchronizations++;
        lock (_hart)
        {
            for (var page = 0; _runs && !_held && page < AlwaysStored; page++)
                BitConverter.TryWriteBytes(RamBlocks[0].Write((ulong)page * GuestPage.Size, GuestPage.Size), ++_stores);
        }
    }

    /// <summary>Done when the guest is held back.</summary>
    public Action? OnThrottle { get; set; }

    public void Throttle(int percent)
    {
        Note($"throttle {percent}");
        _held = percent > 50;
        OnThrottle?.Invoke();
    }

    /// <summary>Replaces the first block, of the same length, by one that is a shared file's.</summary>
    public void Share(ulong address) =>
        Replace(new RamBlock(RamBlocks[0].IdStr, MemoryMapping.CreateMemfd("shared", RamBlocks[0].Length)) { IsSharedFile = true, Address = address });

    /// <summary>Replaces the block of that name.</summary>
    public void Replace(RamBlock block)
    {
        var old = RamBlocks.Single(b => b.IdStr == block.IdStr);
        RamBlocks = [.. RamBlocks.Select(b => b == old ? block : b)];
        old.Dispose();
    }

    /// <summary>One that takes only the very bytes that it has.</summary>
    public static IDeviceSection CreateDevice(string name, uint version, byte[] body) => new Device(name, version, body);

    public void StopForSwitchover()
    {
        lock (_hart)
            _runs = false;
        Note("stop");
        OnStop?.Invoke();
    }

    public void TakeBack()
    {
        Note("take back");
        _runs = true;
    }

    public void HandOver() => Note("hand over");

    public void StartIncoming() => Note("start");

    public void HoldIncoming() => Note("hold");

    public void LoseIncoming() => Note("lose");

    public void DiscardIncoming() => Note("discard");

    public void Dispose()
    {
        _ends = true;
        _thread.Join();
        foreach (var block in RamBlocks)
            block.Dispose();
    }

    private void Note(string call)
    {
        lock (_calls)
            _calls.Add(call);
    }

    /// <summary>A counter walks over a sixteenth of memory, and clears a page now and then.</summary>
    private void Store()
    {
        var pages = RamBlocks[0].Dirty.Pages / 16;
        while (!_ends)
        {
            lock (_hart)
            {
                for (var i = 0; _runs && !_held && i < 8; i++)
                {
                    var page = RamBlocks[0].Write((ulong)(_stores % pages) * GuestPage.Size, GuestPage.Size);
                    if (_stores % 5 == 0)
                        page.Clear();
                    else
                        BitConverter.TryWriteBytes(page[(int)(_stores % 500 * 8)..], _stores);
                    _stores++;
                }
            }

            Thread.Yield();
        }
    }

    private sealed class Device(string name, uint version, byte[] body) : IDeviceSection
    {
        public string IdStr => name;

        public uint InstanceId => 0;

        public uint Version => version;

        public uint MinimumVersion => 1;

        public bool IsNeeded => true;

        public void Save(IBufferWriter<byte> writer, Utf8JsonWriter description)
        {
            writer.Write(body);
            description.WriteStartObject();
            description.WriteString("name", name);
            description.WriteNumber("instance_id", 0);
            description.WriteString("vmsd_name", name);
            description.WriteNumber("version", version);
            description.WriteStartArray("fields");
            description.WriteStartObject();
            description.WriteString("name", "bytes");
            description.WriteString("type", "buffer");
            description.WriteNumber("size", body.Length);
            description.WriteEndObject();
            description.WriteEndArray();
            description.WriteEndObject();
        }

        public int Load(ReadOnlySpan<byte> bytes, uint v, long offset)
        {
            if (bytes.Length < body.Length)
                return -1;
            return bytes.StartsWith(body) ? body.Length : throw new MigrationStreamException(offset, name, "bytes", "not what this device has");
        }
    }
}

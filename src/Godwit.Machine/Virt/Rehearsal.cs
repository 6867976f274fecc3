using System.Buffers;
using System.Text.Json;
using Godwit.Machine.Cpu;
using Godwit.Machine.Virt.Loading;
using Godwit.Wire.Stream;

namespace Godwit.Machine.Virt;

/// <summary>A small machine runs, is saved, and is loaded and run by another: what the runtime compiles when it is first called is compiled before a
/// guest comes live, who would stand for as long.</summary>
internal static class Rehearsal
{
    private const int Enough = 1000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static int _begun;

    /// <summary>Once in a process, on a thread of its own, while nothing runs yet.</summary>
    public static void Begin()
    {
        if (Interlocked.Exchange(ref _begun, 1) == 0)
            new Thread(Prepare) { IsBackground = true, Name = "prepare" }.Start();
    }

    /// <returns>Whether both have run, and all was loaded.</returns>
    public static bool Run()
    {
        using var source = Make(incoming: false);
        source.Harts[0].State.Pc = MemoryMap.RamBase;
        source.Continue();
        var loaded = Watch(source);
        source.StopForSwitchover();
        using var destination = Make(incoming: true);
        foreach (var (from, to) in source.Devices.Zip(destination.Devices))
        {
            var body = new ArrayBufferWriter<byte>();
            using (var description = new Utf8JsonWriter(Stream.Null))
                from.Save(body, description);
            // What follows a section tells that nothing more of it comes.
            body.Write([(byte)SectionType.Footer]);
            loaded &= to.Load(body.WrittenSpan, from.Version, 0) == body.WrittenCount - 1;
        }

        source.HandOver();
        destination.StartIncoming();
        return Watch(destination) && loaded;
    }

    private static void Prepare()
    {
        try
        {
            Run();
        }
        catch (Exception)
        {
            // The play itself needs no rehearsal, it begins slower without.
        }

        HartCode.Compile();
    }

    private static VirtMachine Make(bool incoming)
    {
        var machine = new VirtMachine(new VirtOptions(new LoadRequest(CpuModel.Default, 1, 16 << 20) { Firmware = "none" }) { Incoming = incoming });
        var code = machine.Blocks.Single(b => b.IdStr == MemoryMap.RamName).Write(0, 64);
        var at = 0;
        foreach (var instruction in Program())
            BitConverter.TryWriteBytes(code[(at++ * sizeof(uint))..], instruction);
        return machine;
    }

    /// <summary>Until it has done something.</summary>
    private static bool Watch(VirtMachine machine)
    {
        var state = machine.Harts[0].State;
        var before = state.Retired;
        return SpinWait.SpinUntil(() => state.Retired - before > Enough, Patience);
    }

    /// <summary>Loads and stores of every size, over and over.</summary>
    private static IEnumerable<uint> Program()
    {
        const uint Base = 10 << 15, Value = 11, Offset = 128;
        yield return 0x517; // auipc a0, 0
        for (uint size = 0; size < 4; size++)
        {
            yield return (Offset << 20) | Base | (size << 12) | (Value << 7) | 0x03;
            yield return (Offset >> 5 << 25) | (Value << 20) | Base | (size << 12) | 0x23;
        }

        yield return (4 << 20) | Base | 0x67; // jr 4(a0)
    }
}

using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using Godwit.Machine.Lifecycle;
using Godwit.Machine.Tests.Saved;
using Godwit.Machine.Virt;

namespace Godwit.Machine.Tests.Hostile;

/// <summary>A board that is loaded with a saved state again and again, and let run for a moment.</summary>
internal sealed class ReloadedMachine(SavedStream stream, VirtMachine machine) : IDisposable
{
    private const ulong Enough = 1000;
    private static readonly TimeSpan Budget = TimeSpan.FromMilliseconds(1), Patience = TimeSpan.FromSeconds(60);

    /// <summary>Memory, and every section, one of them changed.</summary>
    public void Load(SavedChange change)
    {
        foreach (var (block, offset, bytes) in stream.Pages)
            bytes.CopyTo(machine.RamBlocks[block].Write(offset, bytes.Length));
        foreach (var (section, device) in stream.Sections.Zip(machine.Devices))
        {
            Assert.Equal((section.Device.Name, section.Device.InstanceId), (device.IdStr, device.InstanceId));
            byte[] body = [.. section.Body, SavedStream.Footer];
            if (section == change.Section)
                body[change.At] = change.Value;
            // A length that changed leaves bytes, or wants more: the engine finds no footer, or the stream's end.
            var taken = device.Load(body, (uint)section.Device.Version!.Value, section.Start);
            if (taken < 0 || body[taken] != SavedStream.Footer)
                throw new Wire.MigrationStreamException(section.Start + section.Body.Length, section.Label, "footer", "no footer where the device ends");
        }
    }

    /// <summary>Whatever it was doing.</summary>
    public void Run(string what)
    {
        machine.StartIncoming();
        if (machine.State == RunState.Shutdown)
            machine.Reset();
        var hart = machine.Harts[0].State;
        var before = hart.Retired;
        machine.Continue();
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < Budget && hart.Retired - before < Enough;)
            Thread.SpinWait(50);
        var pause = Task.Run(machine.Pause);
        Assert.True(pause.Wait(Patience), $"{what}: it can't be paused");
        Assert.False(machine.Ended.IsFaulted, $"{what}: {machine.Ended.Exception}");
    }

    /// <summary>What it says of itself, it understands.</summary>
    public void SaveAndLoad(string what)
    {
        var bodies = new List<ArrayBufferWriter<byte>>();
        using (var description = new Utf8JsonWriter(Stream.Null))
        {
            description.WriteStartArray();
            foreach (var device in machine.Devices)
            {
                var body = new ArrayBufferWriter<byte>();
                device.Save(body, description);
                bodies.Add(body);
            }

            description.WriteEndArray();
        }

        foreach (var (device, body) in machine.Devices.Zip(bodies))
        {
            // Saved while it stands: a machine that nothing moved yet has no run state to tell.
            try
            {
                Assert.Equal(body.WrittenCount, device.Load([.. body.WrittenSpan, SavedStream.Footer], device.Version, 0));
            }
            catch (Wire.MigrationStreamException e)
            {
                Assert.Fail($"{what}: what it saves of {device.IdStr} can't be loaded: {e.Message}");
            }
        }
    }

    public void Dispose() => machine.Dispose();
}

using System.Net.Sockets;
using Godwit.Memory;
using Godwit.Migration.Channels;
using Godwit.Migration.Control;
using Godwit.Testing;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Tests;

/// <summary>Where the destination fails, its error is told here and there, and at most one side has the guest.</summary>
public sealed class DestinationFailureTests
{
    public enum Fault
    {
        MachineType,
        Block,
        Device,
        DeviceBody,
    }

    public static TheoryData<Fault, string> Faults => new()
    {
        { Fault.MachineType, "section 'configuration', field 'name'" },
        { Fault.Block, "section 'ram', field 'block length'" },
        { Fault.Device, "section 'early', field 'idstr'" },
        { Fault.DeviceBody, "section 'early', field 'bytes'" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void The_source_is_told_and_keeps_its_guest(Fault fault, string error)
    {
        using var pair = new MachinePair();
        Break(pair.Destination, fault);
        pair.Set("return-path");

        pair.Run();

        Assert.EndsWith("failing failed", pair.SourceStates, StringComparison.Ordinal);
        Assert.Equal("setup active failed", pair.DestinationStates);
        Assert.True(pair.Source.Runs);
        Assert.DoesNotContain("hand over", pair.Source.Calls);
        Assert.Contains("the destination failed (it says 1)", pair.Error, StringComparison.Ordinal);
        Assert.Contains(error, pair.IncomingError, StringComparison.Ordinal);
        Assert.Contains("at byte ", pair.IncomingError, StringComparison.Ordinal);
        Assert.Equal(["discard"], pair.Destination.Calls);
        Assert.Equal(ReturnPathType.Shut, pair.Answers[^1]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_process_ends_on_an_error_where_it_is_to(bool exit)
    {
        using var pair = new MachinePair { ExitOnError = exit };
        Break(pair.Destination, Fault.Device);
        pair.Set("return-path");

        pair.Run();

        Assert.Equal(exit, pair.To.IncomingFailed.IsCompleted);
        Assert.Contains("section 'early'", exit ? await pair.To.IncomingFailed : pair.IncomingError, StringComparison.Ordinal);
        Assert.Equal(MigrationStatus.Failed, pair.To.Query().Status);
        Assert.Equal(["discard"], pair.Destination.Calls);
    }

    [Fact]
    public void A_part_of_the_machine_that_breaks_is_an_error_like_any()
    {
        using var pair = new MachinePair();
        pair.Destination.Devices = [new Breaking("early"), .. pair.Destination.Devices.Skip(1)];
        pair.Set("return-path");

        pair.Run();

        LiveSectionTests.AssertRunsAtSource(pair);
        Assert.Contains("a part of the machine failed to load: InvalidOperationException: broken", pair.IncomingError, StringComparison.Ordinal);
        Assert.Equal(["discard"], pair.Destination.Calls);
    }

    /// <summary>It has the guest, whole; whether the source runs it still it can't know.</summary>
    [Fact]
    public void A_destination_that_cannot_tell_the_source_holds_the_guest()
    {
        var stream = Golden.Stream("virt-10.0-xbzrle");
        using var folder = new TemporaryFolder();
        using var machine = new RecordedMachine(stream);
        using var migrator = new Migrator(machine);
        using var ended = new ManualResetEventSlim();
        migrator.StatusChanged = s =>
        {
            if (s is MigrationStatus.Completed or MigrationStatus.Failed)
                ended.Set();
        };
        migrator.Incoming(new MigrationUri(MigrationScheme.Unix, Path: folder.File("in")), exitOnError: true);
        using var source = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        source.Connect(new UnixDomainSocketEndPoint(folder.File("in")));
        source.Send(stream.AsSpan(..^1));
        ReadPongs(source, stream);
        // What it says from now on can't be said.
        source.Shutdown(SocketShutdown.Receive);
        source.Send(stream.AsSpan(^1..));

        Assert.True(ended.Wait(TimeSpan.FromSeconds(60)));
        Assert.Equal((0, 1, 0), (machine.Started, machine.Held, machine.Discarded));
        Assert.Contains("the guest came whole and is held: the source could not be told, and may still run it", migrator.Query().ErrorDescription, StringComparison.Ordinal);
        Assert.False(migrator.IncomingFailed.IsCompleted);
    }

    [Fact]
    public void A_connection_that_breaks_is_told_of_on_both_sides()
    {
        using var pair = new MachinePair(busy: false);
        pair.Set("return-path");
        pair.OnSource = s =>
        {
            if (s == MigrationStatus.Active)
                pair.Cut();
        };

        pair.Run();

        LiveSectionTests.AssertEndsAtSource(pair);
        // It reads the end of the stream, or can no longer answer a PING.
        Assert.Equal("setup active failed", pair.DestinationStates);
        Assert.NotEqual("", pair.IncomingError);
    }

    private static void Break(TestMachine machine, Fault fault)
    {
        switch (fault)
        {
            case Fault.MachineType:
                machine.MachineType = "spike";
                break;
            case Fault.Block:
                machine.Replace(RamBlock.Create("flash", 4 * GuestPage.Size));
                break;
            case Fault.Device:
                machine.Devices = [.. machine.Devices.Skip(1)];
                break;
            default:
                machine.Devices = [TestMachine.CreateDevice("early", 3, [1, 2, 4]), .. machine.Devices.Skip(1)];
                break;
        }
    }

    private static void ReadPongs(Socket source, byte[] stream)
    {
        var pings = 0;
        var reader = new MigrationStreamReader();
        for (var at = 0; reader.Read(stream.AsSpan(at), true, out var element, out _); at += (int)element.Length)
            pings += element.Kind == StreamElementKind.Command && element.Command == CommandType.Ping ? 1 : 0;
        var buffer = new byte[4096];
        for (var filled = 0; pings > 0;)
        {
            filled += source.Receive(buffer, filled, buffer.Length - filled, SocketFlags.None);
            int at = 0, taken, pongs = 0;
            for (; (taken = ReturnPathMessage.Read(buffer.AsSpan(at, filled - at), at, out var message)) > 0; at += taken)
                pongs += message.Type == ReturnPathType.Pong ? 1 : 0;
            if (pongs == pings)
                return;
        }
    }

    private sealed class Breaking(string name) : IDeviceSection
    {
        public string IdStr => name;

        public uint InstanceId => 0;

        public uint Version => 3;

        public uint MinimumVersion => 1;

        public bool IsNeeded => true;

        public void Save(System.Buffers.IBufferWriter<byte> body, System.Text.Json.Utf8JsonWriter description) => throw new NotSupportedException();

        public int Load(ReadOnlySpan<byte> body, uint version, long offset) => throw new InvalidOperationException("broken");
    }
}

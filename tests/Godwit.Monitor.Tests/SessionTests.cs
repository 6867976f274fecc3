using System.Net.Sockets;
using System.Text.Json.Nodes;
using Godwit.Memory;
using Godwit.Migration;
using Godwit.Migration.Control;
using Godwit.Monitor.Server;
using Godwit.Testing;

namespace Godwit.Monitor.Tests;

/// <summary>Clients of a monitor, over a real socket, and a machine that is none.</summary>
public sealed class SessionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly NoMachine _machine = new();
    private readonly Migrator _migrator;
    private readonly QmpServer _server;

    public SessionTests()
    {
        _migrator = new Migrator(_machine);
        _server = new QmpServer(_machine, _migrator, "0");
        _server.Listen(QmpAddress.OfPath(Socket), wait: false);
    }

    private string Socket => _folder.File("qmp");

    public void Dispose()
    {
        _server.Dispose();
        _migrator.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_client_is_greeted_negotiates_and_has_its_ids_back()
    {
        using var client = new Client(Socket);
        Assert.StartsWith("{\"QMP\": {\"version\": {\"qemu\": ", client.Read(), StringComparison.Ordinal);
        Assert.Equal("CommandNotFound", (string?)client.Ask("""{"execute":"query-status"}""")["error"]!["class"]);
        Assert.Equal("""{"return":{},"id":[1,"x"]}""", client.Ask("""{"execute":"qmp_capabilities","id":[1,"x"]}""").ToJsonString());
        Assert.Equal("paused", (string?)client.Ask("""{"execute":"query-status"}""")["return"]!["status"]);
        Assert.Equal("The command nope has not been found", (string?)client.Ask("""{"execute":"nope"}""")["error"]!["desc"]);
    }

    [Fact]
    public async Task A_second_client_waits_until_the_first_has_gone()
    {
        using var first = new Client(Socket);
        first.Read();
        using var second = new Client(Socket);
        var greeting = Task.Run(second.Read);
        first.Negotiate();
        Assert.False(greeting.IsCompleted);
        first.Dispose();
        Assert.Contains("QMP", await greeting.WaitAsync(TimeSpan.FromSeconds(30)), StringComparison.Ordinal);
    }

    [Fact]
    public void Commands_that_come_at_once_are_answered_in_order()
    {
        using var client = Client.Negotiated(Socket);
        client.Write(string.Concat(Enumerable.Range(0, 200).Select(i => $$"""{"execute":"query-name","id":{{i}}}""")));
        for (var i = 0; i < 200; i++)
            Assert.Equal(i, (int)JsonNode.Parse(client.Read()!)!["id"]!);
    }

    [Fact]
    public void Quitting_tells_then_answers_then_ends()
    {
        using var client = Client.Negotiated(Socket);
        _machine.Told = name => _server.Tell(name);
        client.Write("""{"execute":"quit"}{"execute":"query-name"}""");
        Assert.Equal("SHUTDOWN", (string?)JsonNode.Parse(client.Read()!)!["event"]);
        Assert.Equal("{\"return\": {}}", client.Read());
        Assert.Null(client.Read());
        Assert.True(_machine.HasQuit);
    }

    [Fact]
    public void A_command_that_fails_by_a_defect_is_answered_and_the_next_one_too()
    {
        using var client = Client.Negotiated(Socket);
        Assert.Contains("a defect of godwit", (string?)client.Ask("""{"execute":"system_reset"}""")["error"]!["desc"], StringComparison.Ordinal);
        Assert.NotNull(client.Ask("""{"execute":"query-status"}""")["return"]);
    }

    [Fact]
    public void Events_are_for_those_who_have_negotiated_and_one_that_never_reads_is_let_go()
    {
        using var client = new Client(Socket);
        client.Read();
        _server.Tell("EARLY");
        client.Negotiate();
        _server.Tell("LATE");
        Assert.Equal("LATE", (string?)JsonNode.Parse(client.Read()!)!["event"]);
        for (var i = 0; i < 200_000; i++)
            _server.Tell("FLOOD");
        var read = 0;
        while (client.Read() is not null)
            read++;
        Assert.InRange(read, 1, 199_999);
    }

    [Fact]
    public void The_socket_goes_with_the_server()
    {
        Assert.True(File.Exists(Socket));
        _server.Dispose();
        Assert.False(File.Exists(Socket));
    }

    private sealed class Client : IDisposable
    {
        private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 30_000 };
        private readonly StreamReader _reader;
        private readonly StreamWriter _writer;

        public Client(string path)
        {
            _socket.Connect(new UnixDomainSocketEndPoint(path));
            var stream = new NetworkStream(_socket, ownsSocket: true);
            _reader = new StreamReader(stream);
            _writer = new StreamWriter(stream) { AutoFlush = true };
        }

        public static Client Negotiated(string path)
        {
            var client = new Client(path);
            client.Read();
            client.Negotiate();
            return client;
        }

        public void Negotiate() => Ask("""{"execute":"qmp_capabilities"}""");

        public string? Read() => _reader.ReadLine();

        public void Write(string text) => _writer.Write(text);

        public JsonNode Ask(string command)
        {
            Write(command);
            return JsonNode.Parse(Read()!)!;
        }

        public void Dispose() => _socket.Dispose();
    }

    private sealed class NoMachine : IMonitoredMachine, IMigratableMachine
    {
        public Action<string>? Told { get; set; }

        public bool HasQuit { get; private set; }

        public string? Name => null;

        public Guid Uuid => Guid.Empty;

        public int HartCount => 1;

        public string Status => "paused";

        public string MachineType => "none";

        public IReadOnlyList<RamBlock> RamBlocks => [];

        public IReadOnlyList<IDeviceSection> Devices => [];

        public IReadOnlyList<ILiveSection> LiveSections => [];

        public bool IsGuestRunning => false;

        public void HoldIncoming()
        {
        }

        public void Continue()
        {
        }

        public void Stop()
        {
        }

        public void Reset() => throw new InvalidOperationException("as a defect would");

        public void PowerDown()
        {
        }

        public void TellQuit() => Told?.Invoke("SHUTDOWN");

        public void Quit() => HasQuit = true;

        public void SynchronizeWriters()
        {
        }

        public void Throttle(int percent)
        {
        }

        public void StopForSwitchover()
        {
        }

        public void TakeBack()
        {
        }

        public void HandOver()
        {
        }

        public void StartIncoming()
        {
        }

        public void LoseIncoming()
        {
        }

        public void DiscardIncoming()
        {
        }
    }
}

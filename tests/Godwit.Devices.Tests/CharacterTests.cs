using System.IO.Pipes;
using System.Net.Sockets;
using System.Text;
using Godwit.Devices.Character;
using Godwit.Testing;

namespace Godwit.Devices.Tests;

public sealed class CharacterTests
{
    private readonly Lock _lock = new();

    [Fact]
    public void A_file_has_each_byte_when_the_write_returns_and_nothing_of_before()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("log"), "older and longer than the rest");
        using var backend = new FileBackend(folder.File("log"));

        backend.TryWrite("new"u8);

        Assert.Equal("new", File.ReadAllText(folder.File("log")));
    }

    [Fact]
    public void A_socket_serves_one_client_after_another_and_drops_what_nobody_hears()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("serial");
        var device = new Device { Room = int.MaxValue };
        using (var backend = new UnixSocketBackend(_lock, path, server: true, wait: false))
        {
            backend.Attach(device);
            backend.TryWrite("nobody hears"u8);
            for (var round = 0; round < 3; round++)
            {
                using var client = Connect(path);
                client.Send(Encoding.ASCII.GetBytes($"in{round}"));
                // Its input is there, so it has been accepted.
                device.WaitFor($"in{round}");
                backend.TryWrite(Encoding.ASCII.GetBytes($"out{round}"));
                var bytes = new byte[100];
                Assert.Equal($"out{round}", Encoding.ASCII.GetString(bytes, 0, client.Receive(bytes)));
            }

            Assert.Equal("in0in1in2", device.Text);
        }

        Assert.False(File.Exists(path));
    }

    [Fact]
    public void What_was_written_before_the_end_still_arrives()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("serial");
        var device = new Device { Room = int.MaxValue };
        var backend = new UnixSocketBackend(_lock, path, server: true, wait: false);
        backend.Attach(device);
        using var client = Connect(path);
        client.Send("x"u8);
        device.WaitFor("x");
        backend.TryWrite(new byte[50_000]);
        backend.Dispose();

        var total = 0;
        var bytes = new byte[4096];
        for (int count; (count = client.Receive(bytes)) > 0;)
            total += count;
        Assert.Equal(50_000, total);
    }

    [Fact]
    public void A_client_backend_connects_and_a_missing_server_is_an_error()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("serial");
        Assert.Throws<IOException>(() => new UnixSocketBackend(_lock, path, server: false, wait: false));
        using var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        server.Bind(new UnixDomainSocketEndPoint(path));
        server.Listen();
        using var backend = new UnixSocketBackend(_lock, path, server: false, wait: false);
        using var peer = server.Accept();
        var device = new Device { Room = int.MaxValue };
        backend.Attach(device);
        peer.Send("hello"u8);

        device.WaitFor("hello");
    }

    /// <summary>A device that takes a few bytes at a time gets all of them, in order.</summary>
    [Fact]
    public void Input_waits_until_the_device_has_room()
    {
        using var input = new AnonymousPipeServerStream(PipeDirection.Out);
        using var output = new MemoryStream();
        using var backend = new StdioBackend(_lock, mux: false, input: new AnonymousPipeClientStream(PipeDirection.In, input.ClientSafePipeHandle), output: output);
        var device = new Device { Room = 3 };
        backend.Attach(device);
        var text = string.Concat(Enumerable.Range(0, 2500).Select(i => $"{i},"));
        input.Write(Encoding.ASCII.GetBytes(text));

        device.WaitFor("0,1");
        while (device.Text.Length < text.Length)
        {
            lock (_lock)
            {
                Assert.InRange(device.Largest, 0, 3);
                device.Room = 3;
                backend.AcceptInput();
            }
        }

        Assert.Equal(text, device.Text);
    }

    [Fact]
    public void Control_A_commands_are_taken_out_of_the_input()
    {
        using var input = new AnonymousPipeServerStream(PipeDirection.Out);
        var output = new MemoryStream();
        using var quit = new ManualResetEventSlim();
        var backend = new StdioBackend(_lock, mux: true, quit.Set, new AnonymousPipeClientStream(PipeDirection.In, input.ClientSafePipeHandle), output);
        var device = new Device { Room = int.MaxValue };
        backend.Attach(device);

        input.Write("a\u0001\u0001b\u0001hc\u0001bd\u0001ce\u0001zf"u8);
        device.WaitFor("f");
        Assert.Equal("a\u0001bc<break>def", device.Text);
        input.Write("\u0001"u8);
        input.Write("x"u8);
        Assert.True(quit.Wait(TimeSpan.FromSeconds(30)));
        backend.Dispose();

        var said = Encoding.ASCII.GetString(output.ToArray());
        Assert.Contains("Ctrl-A x", said, StringComparison.Ordinal);
        Assert.Contains("no monitor", said, StringComparison.Ordinal);
    }

    [Fact]
    public void A_guest_that_takes_no_input_can_still_be_quit()
    {
        using var input = new AnonymousPipeServerStream(PipeDirection.Out);
        using var quit = new ManualResetEventSlim();
        using var backend = new StdioBackend(_lock, mux: true, quit.Set, new AnonymousPipeClientStream(PipeDirection.In, input.ClientSafePipeHandle), new MemoryStream());
        backend.Attach(new Device { Room = 0 });

        input.Write("nobody reads this\u0001x"u8);

        Assert.True(quit.Wait(TimeSpan.FromSeconds(30)));
    }

    private static Socket Connect(string path)
    {
        var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(new UnixDomainSocketEndPoint(path));
        return client;
    }

    [Fact]
    public void A_reader_that_stalls_holds_up_nobody_and_loses_nothing_when_it_goes_on()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("serial");
        var device = new Device { Room = int.MaxValue };
        using var backend = new UnixSocketBackend(_lock, path, server: true, wait: false);
        backend.Attach(device);
        using var client = Connect(path);
        client.Send("in"u8);
        device.WaitFor("in");
        // More than socket and queue hold: at some point it says no, and comes back when the client reads.
        var line = new byte[1000];
        var sent = new List<byte>();
        for (var n = 0; ; n++)
        {
            Array.Fill(line, (byte)n);
            lock (_lock)
            {
                if (!backend.TryWrite(line))
                    break;
            }

            sent.AddRange(line);
        }

        var received = new List<byte>();
        var bytes = new byte[1 << 16];
        while (received.Count < sent.Count)
            received.AddRange(bytes.AsSpan(0, client.Receive(bytes)));

        Assert.Equal(sent, received);
        device.WaitFor("<ready>");
    }

    [Fact]
    public void Ctrl_A_c_takes_the_keys_to_the_monitor_and_back()
    {
        using var input = new AnonymousPipeServerStream(PipeDirection.Out);
        var theirs = new AnonymousPipeClientStream(PipeDirection.In, input.ClientSafePipeHandle);
        using var output = new MemoryStream();
        var device = new Device { Room = int.MaxValue };
        var commands = new List<string>();
        var backend = new StdioBackend(_lock, mux: true, input: theirs, output: output, monitor: line =>
        {
            commands.Add(line);
            return $"answer to {line}\n";
        });
        backend.Attach(device);

        input.Write("guest\u0001cinfo statuz\u007fs\rstop\r\u0001cagain"u8);
        device.WaitFor("guestagain");
        backend.Dispose();

        Assert.Equal(["info status", "stop"], commands);
        Assert.Contains("answer to info status\n", Encoding.ASCII.GetString(output.ToArray()), StringComparison.Ordinal);
    }

    /// <summary>A device with so much room, which is used up.</summary>
    private sealed class Device : ICharacterFrontend
    {
        private readonly StringBuilder _text = new();

        public int Room { get; set; }

        public int Largest { get; private set; }

        public int CanReceive => Room;

        public string Text
        {
            get
            {
                lock (_text)
                    return _text.ToString();
            }
        }

        public void Receive(ReadOnlySpan<byte> bytes)
        {
            Largest = Math.Max(Largest, bytes.Length);
            if (Room != int.MaxValue)
                Room -= bytes.Length;
            Append(Encoding.ASCII.GetString(bytes));
        }

        public void ReceiveBreak() => Append("<break>");

        public void WriteReady() => Append("<ready>");

        public void WaitFor(string text)
        {
            lock (_text)
            {
                while (!_text.ToString().Contains(text, StringComparison.Ordinal))
                    Assert.True(System.Threading.Monitor.Wait(_text, TimeSpan.FromSeconds(30)), $"'{text}' in '{_text}'");
            }
        }

        private void Append(string text)
        {
            lock (_text)
            {
                _text.Append(text);
                System.Threading.Monitor.PulseAll(_text);
            }
        }
    }
}

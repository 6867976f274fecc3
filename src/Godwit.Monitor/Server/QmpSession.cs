using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Godwit.Linux;
using Microsoft.Win32.SafeHandles;

namespace Godwit.Monitor.Server;

/// <summary>A client, from the greeting to its leaving. Source: QEMU docs/interop/qmp-spec.rst, monitor/qmp.c.</summary>
internal sealed class QmpSession : IDisposable
{
    /// <summary>Answers that a client hasn't fetched; it is read on only when there is room.</summary>
    private const int MaxWaiting = 64;

    /// <summary>Events for a client that fetches none, before it is let go.</summary>
    private const int MaxEvents = 65536;

    private readonly QmpCommands _commands;
    private readonly NetworkStream _stream;
    private readonly Socket _socket;
    private readonly Channel<byte[]> _lines = Channel.CreateUnbounded<byte[]>(new UnboundedChannelOptions { SingleReader = true });
    private readonly SemaphoreSlim _written = new(0);
    private readonly List<SafeFileHandle> _descriptors = [];
    private int _waiting;
    private volatile bool _negotiated;
    private bool _outOfBand;
    private bool _quits;

    public QmpSession(QmpCommands commands, Socket socket)
    {
        _commands = commands;
        _socket = socket;
        _stream = new NetworkStream(socket, ownsSocket: false);
    }

    /// <summary>Serves the client until it leaves.</summary>
    public void Run()
    {
        Add(JsonOutput.Line(new JsonObject { ["QMP"] = new JsonObject { ["version"] = _commands.Version(), ["capabilities"] = new JsonArray("oob") } }));
        var writer = new Thread(Write) { IsBackground = true, Name = "QMP output" };
        writer.Start();
        try
        {
            using var input = new JsonInput(Take);
            var bytes = new byte[4096];
            int count;
            while ((count = Read(bytes)) > 0)
            {
                input.Feed(bytes.AsSpan(0, count));
                if (_quits)
                    break;
                while (Volatile.Read(ref _waiting) > MaxWaiting && _socket.Connected)
                    _written.Wait(TimeSpan.FromSeconds(1));
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // It has gone.
        }

        _lines.Writer.TryComplete();
        writer.Join();
    }

    public void Dispose()
    {
        CloseDescriptors();
        _written.Dispose();
        _stream.Dispose();
    }

    /// <summary>For any thread; never waits.</summary>
    public void Tell(byte[] line)
    {
        if (!_negotiated)
            return;
        if (Volatile.Read(ref _waiting) > MaxEvents)
            Close();
        else
            Add(line);
    }

    /// <summary>Ends the session once what was said has been sent.</summary>
    public void Finish() => _lines.Writer.TryComplete();

    public void Close()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It has gone already.
        }
    }

    private int Read(Span<byte> bytes)
    {
        if (_socket.AddressFamily != AddressFamily.Unix)
            return _stream.Read(bytes);
        var came = new List<SafeFileHandle>();
        var count = DescriptorPassing.Receive(_socket.SafeHandle, bytes, came, "the monitor");
        if (came.Count > 0)
        {
            // Those that no command took are in nobody's way.
            CloseDescriptors();
            _descriptors.AddRange(came);
        }

        return count;
    }

    private SafeFileHandle? TakeDescriptor()
    {
        if (_descriptors.Count == 0)
            return null;
        var first = _descriptors[0];
        _descriptors.RemoveAt(0);
        CloseDescriptors();
        return first;
    }

    private void CloseDescriptors()
    {
        _descriptors.ForEach(d => d.Dispose());
        _descriptors.Clear();
    }

    private void Add(byte[] line)
    {
        Interlocked.Increment(ref _waiting);
        if (!_lines.Writer.TryWrite(line))
            Interlocked.Decrement(ref _waiting);
    }

    private void Write()
    {
        try
        {
            while (_lines.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
            {
                while (_lines.Reader.TryRead(out var line))
                {
                    _stream.Write(line);
                    Interlocked.Decrement(ref _waiting);
                    if (_written.CurrentCount == 0)
                        _written.Release();
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // It has gone; the thread that reads notices too.
        }

        Close();
    }

    private void Take(JsonNode? value, string? error)
    {
        // Nothing is followed after that.
        if (_quits)
            return;
        JsonNode? id = null;
        var hasId = false;
        var answer = new JsonObject();
        try
        {
            if (error is not null)
                throw new QmpError(error);
            if (value is not JsonObject request)
                throw new QmpError("QMP input must be a JSON object");
            hasId = request.TryGetPropertyValue("id", out id);
            answer["return"] = Follow(request);
        }
        catch (QmpError e)
        {
            answer["error"] = new JsonObject { ["class"] = e.ErrorClass, ["desc"] = e.Message };
        }

        if (hasId)
            answer["id"] = id?.DeepClone();
        Add(JsonOutput.Line(answer));
        if (_quits)
            _commands.Quit();
    }

    private JsonNode Follow(JsonObject request)
    {
        string? name = null;
        var outOfBand = false;
        foreach (var (key, value) in request)
        {
            if (key == "execute" || (key == "exec-oob" && _outOfBand))
            {
                if (value is not JsonValue text || !text.TryGetValue(out string? command))
                    throw new QmpError($"QMP input member '{key}' must be a string");
                if (name is not null)
                    throw new QmpError("QMP input member 'execute' clashes with 'exec-oob'");
                name = command;
                outOfBand = key == "exec-oob";
            }
            else if (key == "arguments" && value is not JsonObject)
            {
                throw new QmpError("QMP input member 'arguments' must be an object");
            }
            else if (key is not ("arguments" or "id"))
            {
                throw new QmpError($"QMP input member '{key}' is unexpected");
            }
        }

        if (name is null)
            throw new QmpError("QMP input lacks member 'execute'");
        var negotiates = name == "qmp_capabilities";
        if (!_negotiated && !negotiates)
            throw new QmpError("Expecting capabilities negotiation with 'qmp_capabilities'", QmpError.CommandNotFound);
        if (_negotiated && negotiates)
            throw new QmpError("Capabilities negotiation is already complete, command ignored", QmpError.CommandNotFound);
        if (!_commands.Knows(name))
            throw new QmpError($"The command {name} has not been found", QmpError.CommandNotFound);
        if (outOfBand && !QmpCommands.MayBeOutOfBand(name))
            throw new QmpError($"The command {name} does not support OOB");
        var arguments = new QmpArguments(request["arguments"] as JsonObject ?? [], descriptor: TakeDescriptor);
        if (!negotiates)
        {
            var result = _commands.Execute(name, arguments);
            _quits = name == "quit";
            return result;
        }

        Negotiate(arguments);
        return new JsonObject();
    }

    private void Negotiate(QmpArguments arguments)
    {
        var wanted = arguments.Has("enable") ? arguments.Strings("enable") : [];
        arguments.Finish();
        if (wanted.Find(w => w != "oob") is { } unknown)
            throw new QmpError($"Parameter 'null' does not accept value '{unknown}'");
        _outOfBand = wanted.Count > 0;
        _negotiated = true;
    }
}

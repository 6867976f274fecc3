using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Godwit.Linux;
using Microsoft.Win32.SafeHandles;

namespace Godwit.Monitor;

/// <param name="Data">The event's members; undefined for an event without.</param>
public sealed record QmpEvent(string Name, JsonElement Data);

/// <summary>
/// Speaks QMP to a machine: commands with ids, and the events between their answers. Source: QEMU docs/interop/qmp-spec.rst.
/// </summary>
public sealed class QmpClient : IAsyncDisposable
{
    private static readonly TimeSpan GreetingPatience = TimeSpan.FromSeconds(10);

    private readonly Stream _stream;
    private readonly StreamReader _reader;
    private readonly SemaphoreSlim _writing = new(1);
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonElement>> _waiting = new();
    private readonly Channel<QmpEvent> _events = Channel.CreateUnbounded<QmpEvent>();
    private readonly Task _reading;
    private int _lastId;

    private QmpClient(Stream stream, StreamReader reader)
    {
        _stream = stream;
        _reader = reader;
        _reading = Task.Run(ReadAsync);
    }

    /// <summary>Events in the order they came. Completes when the machine closes the connection.</summary>
    public ChannelReader<QmpEvent> Events => _events.Reader;

    /// <summary>Connects to the monitor that listens on a unix socket, and leaves its negotiation mode.</summary>
    /// <exception cref="IOException">Nobody listens there, or it isn't a monitor.</exception>
    public static Task<QmpClient> ConnectAsync(string path, CancellationToken cancellation = default) => ConnectAsync(QmpAddress.OfPath(path), cancellation);

    /// <summary>Connects to a monitor and leaves its negotiation mode.</summary>
    /// <exception cref="IOException">Nobody listens there, or it isn't a monitor, or somebody else has it.</exception>
    public static async Task<QmpClient> ConnectAsync(QmpAddress address, CancellationToken cancellation = default)
    {
        var stream = await address.OpenAsync(cancellation);
        var reader = new StreamReader(stream);
        string? greeting;
        try
        {
            greeting = await reader.ReadLineAsync(cancellation).AsTask().WaitAsync(GreetingPatience, cancellation);
        }
        catch (TimeoutException e)
        {
            await stream.DisposeAsync();
            throw new IOException($"{address}: no greeting; a monitor serves one client at a time, and another may have it", e);
        }

        if (greeting is null || !greeting.Contains("\"QMP\"", StringComparison.Ordinal))
        {
            await stream.DisposeAsync();
            throw new IOException($"{address}: what listens there doesn't greet as a QMP monitor does");
        }

        var client = new QmpClient(stream, reader);
        await client.ExecuteAsync("qmp_capabilities", null, cancellation);
        return client;
    }

    /// <returns>The command's return value.</returns>
    /// <exception cref="QmpException">The machine refused.</exception>
    /// <exception cref="IOException">The connection is gone.</exception>
    public Task<JsonElement> ExecuteAsync(string command, JsonObject? arguments = null, CancellationToken cancellation = default) =>
        ExecuteAsync(command, arguments, null, cancellation);

    /// <param name="descriptor">An open file that goes with the command (add-fd, getfd); the monitor must be on a unix socket.</param>
    /// <returns>The command's return value.</returns>
    /// <exception cref="QmpException">The machine refused.</exception>
    /// <exception cref="IOException">The connection is gone.</exception>
    public async Task<JsonElement> ExecuteAsync(string command, JsonObject? arguments, SafeFileHandle? descriptor, CancellationToken cancellation = default)
    {
        var id = Interlocked.Increment(ref _lastId);
        var answer = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[id] = answer;
        var request = new JsonObject { ["execute"] = command, ["id"] = id };
        if (arguments is not null)
            request["arguments"] = arguments;
        await _writing.WaitAsync(cancellation);
        try
        {
            var bytes = System.Text.Encoding.UTF8.GetBytes(request.ToJsonString() + "\n");
            if (descriptor is null)
                await _stream.WriteAsync(bytes, cancellation);
            else
                DescriptorPassing.Send(((NetworkStream)_stream).Socket.SafeHandle, bytes, descriptor, command);
        }
        finally
        {
            _writing.Release();
        }

        if (_reading.IsCompleted)
            Abandon();
        var reply = await answer.Task.WaitAsync(cancellation);
        if (reply.TryGetProperty("error", out var error))
            throw new QmpException(command, error.GetProperty("class").GetString()!, error.GetProperty("desc").GetString()!);
        return reply.GetProperty("return");
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        await _reading;
        _reader.Dispose();
        _writing.Dispose();
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await _reader.ReadLineAsync() is { } line)
                Take(line);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or JsonException)
        {
            // The machine is gone; whoever still waits is told below.
        }

        _events.Writer.TryComplete();
        Abandon();
    }

    private void Take(string line)
    {
        using var document = JsonDocument.Parse(line);
        var root = document.RootElement;
        if (root.TryGetProperty("event", out var name))
            _events.Writer.TryWrite(new QmpEvent(name.GetString()!, root.TryGetProperty("data", out var data) ? data.Clone() : default));
        else if (root.TryGetProperty("id", out var id) && _waiting.TryRemove(id.GetInt32(), out var answer))
            answer.SetResult(root.Clone());
    }

    private void Abandon()
    {
        foreach (var id in _waiting.Keys)
        {
            if (_waiting.TryRemove(id, out var answer))
                answer.TrySetException(new IOException("the machine closed its monitor"));
        }
    }
}

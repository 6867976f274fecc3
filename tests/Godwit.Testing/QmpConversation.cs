using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Godwit.Linux;

namespace Godwit.Testing;

/// <summary>A machine's QMP monitor, spoken to in bytes: nothing is negotiated, nothing is left out.</summary>
public sealed class QmpConversation : IDisposable
{
    /// <summary>What stands for the end of the connection among the messages.</summary>
    public const string Closed = "(closed)";

    private const int PatienceMilliseconds = 60_000;

    private readonly TemporaryFolder _folder = new();
    private readonly Process _process;
    private readonly StringBuilder _errors = new();
    private readonly StreamReader _reader;
    private readonly NetworkStream _stream;
    private int _marks;

    private QmpConversation(MachineCommand machine, IEnumerable<string> options)
    {
        var start = new ProcessStartInfo(machine.Program) { RedirectStandardError = true, RedirectStandardOutput = true, RedirectStandardInput = true, UseShellExecute = false };
        var path = _folder.File("qmp");
        foreach (var argument in machine.Arguments.Concat(options).Append("-qmp").Append($"unix:{path},server=on,wait=off"))
            start.ArgumentList.Add(argument.Replace("{folder}", Folder, StringComparison.Ordinal));
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, e) =>
        {
            lock (_errors)
                _errors.AppendLine(e.Data);
        };
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        _stream = Connect(path);
        _reader = new StreamReader(_stream);
        Greeting = _reader.ReadLine() ?? Closed;
    }

    public string Folder => _folder.Path;

    public string Greeting { get; }

    public string Errors
    {
        get
        {
            lock (_errors)
                return _errors.ToString().Trim();
        }
    }

    public static QmpConversation Start(MachineCommand machine, params IEnumerable<string> options) => new(machine, options);

    /// <summary>Says something, and after it a command whose answer marks the end of what it is answered with.</summary>
    /// <returns>Answers and events in the order they came.</returns>
    public List<string> Say(ReadOnlySpan<byte> bytes)
    {
        var mark = $"mark-{++_marks}";
        Write(bytes);
        Write(Encoding.ASCII.GetBytes($$"""{"execute":"query-name","id":"{{mark}}"}""" + "\n"));
        return ReadUntil(mark).Before;
    }

    /// <summary>Says something that an open file goes with.</summary>
    /// <param name="access"><c>r</c>, <c>w</c> or <c>rw</c>.</param>
    public List<string> SayWith(string access, string path, ReadOnlySpan<byte> bytes)
    {
        using var file = File.OpenHandle(path, FileMode.OpenOrCreate, access switch { "r" => FileAccess.Read, "w" => FileAccess.Write, _ => FileAccess.ReadWrite }, FileShare.ReadWrite);
        DescriptorPassing.Send(_stream.Socket.SafeHandle, bytes, file, path);
        return Say([]);
    }

    public List<string> Say(string text) => Say(Encoding.UTF8.GetBytes(text + "\n"));

    /// <summary>Asks until the answer's status is the one that is waited for.</summary>
    /// <returns>Events that came meanwhile.</returns>
    public List<string> WaitFor(string query, string status) => WaitFor(query, status, s => s == status);

    /// <summary>Asks until no migration is under way.</summary>
    /// <returns>Events that came meanwhile.</returns>
    public List<string> Settle() => WaitFor("query-migrate", "an end", s => s is null or "none" or "failed" or "completed" or "cancelled");

    private List<string> WaitFor(string query, string awaited, Func<string?, bool> isAwaited)
    {
        var watch = Stopwatch.StartNew();
        var messages = new List<string>();
        while (true)
        {
            var mark = $"mark-{++_marks}";
            Write(Encoding.ASCII.GetBytes($$"""{"execute":"{{query}}","id":"{{mark}}"}""" + "\n"));
            var (before, answer) = ReadUntil(mark);
            messages.AddRange(before);
            var now = answer is null ? Closed : (string?)JsonNode.Parse(answer)!["return"]?["status"];
            if (isAwaited(now))
                return messages.Concat(Say(" ")).ToList();
            if (now == Closed || watch.ElapsedMilliseconds > PatienceMilliseconds)
                throw new InvalidOperationException($"{query} says {now}, and not {awaited}: {answer}; {Errors}");
        }
    }

    /// <summary>Reads until the machine closes the connection.</summary>
    public List<string> ReadToEnd() => ReadUntil("").Before;

    public void Dispose()
    {
        _reader.Dispose();
        if (!_process.HasExited)
            _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _folder.Dispose();
    }

    private NetworkStream Connect(string path)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = PatienceMilliseconds };
            try
            {
                socket.Connect(new UnixDomainSocketEndPoint(path));
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException e)
            {
                socket.Dispose();
                if (_process.HasExited || watch.ElapsedMilliseconds > PatienceMilliseconds)
                    throw new InvalidOperationException($"{_process.StartInfo.FileName} opened no monitor: {e.Message}; {Errors}", e);
                Thread.Yield();
            }
        }
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _stream.Write(bytes);
        }
        catch (IOException)
        {
            // It has closed the connection; what it said last can still be read.
        }
    }

    private (List<string> Before, string? Answer) ReadUntil(string mark)
    {
        var before = new List<string>();
        while (true)
        {
            string? line;
            try
            {
                line = _reader.ReadLine();
            }
            catch (IOException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset })
            {
                line = null;
            }

            if (line is null)
            {
                before.Add(Closed);
                return (before, null);
            }

            if (line.Contains($"\"id\": \"{mark}\"", StringComparison.Ordinal))
                return (before, line);
            before.Add(line);
        }
    }
}

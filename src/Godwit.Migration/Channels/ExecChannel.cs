using System.Diagnostics;
using System.IO.Pipes;
using Godwit.Linux;

namespace Godwit.Migration.Channels;

/// <summary>A shell command: its input and output are the channel. It is ended with the channel.</summary>
internal sealed class ExecChannel : Channel
{
    private readonly Process _process;
    private readonly Stream _input;
    private readonly Stream? _output;
    private bool _disposed;

    /// <param name="command">For <c>/bin/sh -c</c>.</param>
    /// <param name="readOutput">False lets the command write to our own standard output.</param>
    public ExecChannel(string command, bool readOutput)
        : base($"exec:{command}")
    {
        var start = new ProcessStartInfo("/bin/sh")
        {
            ArgumentList = { "-c", command },
            RedirectStandardInput = true,
            RedirectStandardOutput = readOutput,
            UseShellExecute = false,
        };
        _process = Process.Start(start) ?? throw new IOException($"{Name}: the shell could not be started");
        _input = _process.StandardInput.BaseStream;
        _output = readOutput ? _process.StandardOutput.BaseStream : null;
    }

    public override bool IsBidirectional => _output is not null;

    public override int Read(Span<byte> buffer) => _output?.Read(buffer) ?? 0;

    public override void Write(ReadOnlySpan<byte> bytes)
    {
        _input.Write(bytes);
        _input.Flush();
    }

    public override void Write(GatherBuffer bytes)
    {
        if (_input is not PipeStream pipe)
        {
            base.Write(bytes);
            return;
        }

        try
        {
            bytes.WriteTo(pipe.SafePipeHandle, -1, Name);
        }
        catch (ObjectDisposedException e)
        {
            throw new IOException($"{Name}: {e.Message}", e);
        }
    }

    public override void CloseWrite() => _input.Dispose();

    public override void Shutdown()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has ended, or the channel was disposed.
        }
    }

    public override void WaitForPeer()
    {
        _input.Dispose();
        _process.WaitForExit();
        if (_process.ExitCode != 0)
            throw new IOException($"{Name}: the command ended with exit code {_process.ExitCode}");
    }

    protected override void Dispose(bool disposing)
    {
        if (!disposing || _disposed)
            return;
        _disposed = true;
        _input.Dispose();
        _output?.Dispose();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(1)))
            Shutdown();
        _process.Dispose();
    }
}

using System.Runtime.InteropServices;

namespace Godwit.Linux;

/// <summary>A terminal that hands every key to the guest: no echo, no lines, no signals. Disposing gives it back as it was.</summary>
public sealed unsafe partial class RawTerminal : IDisposable
{
    // struct termios of glibc on Linux: c_iflag, c_oflag, c_cflag, c_lflag (4 bytes each), c_line, c_cc[32], two speeds: 60 bytes.
    private const int TermiosSize = 60;
    private const int InputFlags = 0, OutputFlags = 1, ControlFlags = 2, LocalFlags = 3;
    private const int MinimumCharacters = 17 + 6, Time = 17 + 5;

    private const uint IgnoreBreak = 1, BreakInterrupt = 2, MarkParity = 8, StripBit8 = 0x20, NewlineToReturn = 0x40,
        IgnoreReturn = 0x80, ReturnToNewline = 0x100, OutputControl = 0x400;

    private const uint PostProcess = 1, SizeMask = 0x30, Size8 = 0x30, ParityEnable = 0x100;
    private const uint Echo = 8, EchoNewline = 0x40, Canonical = 2, Extended = 0x8000, Signals = 1;
    private const int Now = 0;

    private readonly int _file;
    private readonly byte[] _before;
    private bool _disposed;

    private RawTerminal(int file, byte[] before)
    {
        _file = file;
        _before = before;
    }

    /// <summary>Null when the file isn't a terminal.</summary>
    /// <param name="keepSignals">Ctrl-C and its like stay signals to this process.</param>
    public static RawTerminal? TryEnter(int file, bool keepSignals = false)
    {
        var before = new byte[TermiosSize];
        var raw = new byte[TermiosSize];
        // Sound: both calls read or write TermiosSize bytes at most, and the arrays are pinned for as long.
        fixed (byte* p = before)
        {
            if (isatty(file) == 0 || tcgetattr(file, p) != 0)
                return null;
        }

        before.CopyTo(raw, 0);
        Span<uint> flags = MemoryMarshal.Cast<byte, uint>(raw.AsSpan());
        flags[InputFlags] &= ~(IgnoreBreak | BreakInterrupt | MarkParity | StripBit8 | NewlineToReturn | IgnoreReturn | ReturnToNewline | OutputControl);
        flags[OutputFlags] |= PostProcess;
        flags[LocalFlags] &= ~(Echo | EchoNewline | Canonical | Extended | (keepSignals ? 0 : Signals));
        flags[ControlFlags] = (flags[ControlFlags] & ~(SizeMask | ParityEnable)) | Size8;
        raw[MinimumCharacters] = 1;
        raw[Time] = 0;
        fixed (byte* p = raw)
            _ = tcsetattr(file, Now, p);
        return new RawTerminal(file, before);
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        fixed (byte* p = _before)
            _ = tcsetattr(_file, Now, p);
    }

    [LibraryImport("libc")]
    private static partial int isatty(int file);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcgetattr(int file, byte* settings);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcsetattr(int file, int when, byte* settings);
}

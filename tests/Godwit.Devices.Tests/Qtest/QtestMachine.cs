using System.Diagnostics;
using System.Globalization;
using Godwit.Testing;

namespace Godwit.Devices.Tests.Qtest;

/// <summary>Real QEMU's board without harts running: its devices are driven over the qtest protocol (QEMU: <c>system/qtest.c</c>).</summary>
public sealed class QtestMachine : IDisposable
{
    private readonly Process _process;

    /// <param name="accelerator">With qtest the clock stands, and the harts have no S mode; with tcg they have, and are stopped.</param>
    /// <param name="arguments">More of the command line.</param>
    public QtestMachine(string accelerator, params string[] arguments)
    {
        string[] all =
        [
            "-machine", $"virt,accel={accelerator},acpi=off,aclint=on", "-m", "64M", "-smp", "2", "-bios", "none", "-nographic", "-monitor", "none", "-nodefaults", "-qtest", "stdio",
            "-qtest-log", "none", .. arguments,
        ];
        // Without harts that run nothing moves the clock, and a stopped machine's timers wouldn't fire.
        if (!string.Equals(accelerator, "qtest", StringComparison.Ordinal))
            all = [.. all, "-S"];
        _process = Process.Start(new ProcessStartInfo(Peers.Path("qemu-newest-system-riscv64"), all)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;
    }

    /// <param name="size">1, 2, 4 or 8.</param>
    public ulong Read(ulong address, int size) => Number(Ask($"read{Suffix(size)} 0x{address:x}"));

    public void Write(ulong address, int size, ulong value) => Ask($"write{Suffix(size)} 0x{address:x} 0x{value & Mask(size):x}");

    public byte[] ReadBytes(ulong address, int length) => Convert.FromHexString(Ask($"read 0x{address:x} 0x{length:x}")[2..]);

    public void WriteBytes(ulong address, ReadOnlySpan<byte> bytes) => Ask($"write 0x{address:x} 0x{bytes.Length:x} 0x{Convert.ToHexStringLower(bytes)}");

    /// <summary>Moves the virtual clock; timers fire.</summary>
    public void ClockStep(long nanoseconds) => Ask($"clock_step {nanoseconds}");

    /// <summary>Raises or lowers an input of the interrupt controller.</summary>
    public void SetInterrupt(int source, bool level) => Ask($"set_irq_in /machine/soc0 unnamed-gpio-in {source} {(level ? 1 : 0)}");

    /// <summary>Any command of the protocol.</summary>
    /// <returns>What comes after OK.</returns>
    public string Ask(string command)
    {
        _process.StandardInput.Write(command + "\n");
        _process.StandardInput.Flush();
        while (true)
        {
            var line = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"QEMU ended at '{command}'");
            if (line.StartsWith("IRQ ", StringComparison.Ordinal))
            {
                Interrupts.Add(line);
                continue;
            }

            if (!line.StartsWith("OK", StringComparison.Ordinal))
                throw new InvalidOperationException($"'{command}': {line}");
            return line.Length > 3 ? line[3..] : "";
        }
    }

    /// <summary>What intercepted lines did, as QEMU tells it.</summary>
    public List<string> Interrupts { get; } = [];

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static ulong Mask(int size) => size == 8 ? ulong.MaxValue : (1UL << (8 * size)) - 1;

    private static char Suffix(int size) => size switch { 1 => 'b', 2 => 'w', 4 => 'l', _ => 'q' };

    private static ulong Number(string answer) => ulong.Parse(answer.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}

using System.Buffers.Binary;
using Godwit.Testing;

namespace Godwit.Interop.Tests.Qmp;

/// <summary>What clients are told when the guest, or a signal, ends or resets the machine.</summary>
public sealed class PowerTests : IDisposable
{
    private const uint PowerOff = 0x5555, Reset = 0x7777, FailWithCode3 = 0x33333;

    private readonly TemporaryFolder _folder = new();

    /// <summary>What the guest writes into the test device when it starts and when it starts again, the machine's options, and whether it ends.</summary>
    public static TheoryData<uint, uint, string, bool> Ends => new()
    {
        { Reset, PowerOff, "", true },
        { Reset, PowerOff, "-no-shutdown", false },
        { Reset, PowerOff, "-no-reboot", true },
        { Reset, PowerOff, "-no-reboot -no-shutdown", false },
        { FailWithCode3, PowerOff, "", true },
    };

    [Theory]
    [MemberData(nameof(Ends))]
    public void Clients_of_both_are_told_the_same(uint first, uint second, string options, bool ends)
    {
        var kernel = Guest(first, second);
        Assert.Equal(Run("qemu", kernel, options, ends), Run("godwit", kernel, options, ends));
    }

    [Fact]
    public void A_reset_of_a_machine_that_was_powered_off_lets_it_start_again()
    {
        var kernel = Guest(PowerOff, PowerOff);
        string[] Steps(string name)
        {
            using var machine = Start(name, kernel, "-no-shutdown");
            return [.. machine.Say("""{"execute":"cont"}"""), .. machine.WaitFor("query-status", "shutdown"), .. machine.Say("""{"execute":"cont"}"""),
                .. machine.Say("""{"execute":"system_reset"}"""), .. machine.WaitFor("query-status", "prelaunch"), .. machine.Say("""{"execute":"cont"}"""),
                .. machine.WaitFor("query-status", "shutdown"), .. machine.Say("""{"execute":"quit"}""")];
        }

        var expected = Steps("qemu").Select(m => Comparable.Of(m, _folder.Path)).ToList();
        Assert.Equal(expected.Where(Comparable.IsEvent), Steps("godwit").Select(m => Comparable.Of(m, _folder.Path)).Where(Comparable.IsEvent));
    }

    public void Dispose() => _folder.Dispose();

    private static string Run(string name, string kernel, string options, bool ends)
    {
        using var machine = Start(name, kernel, options);
        var messages = machine.Say("""{"execute":"cont"}""");
        messages.AddRange(ends ? machine.ReadToEnd() : machine.WaitFor("query-status", "shutdown"));
        return string.Join('\n', messages.Select(m => Comparable.Of(m, machine.Folder)).Where(Comparable.IsEvent));
    }

    private static QmpConversation Start(string name, string kernel, string options)
    {
        string[] usual = ["-M", "virt", "-m", "64M", "-bios", "none", "-S", "-display", "none", "-serial", "null", "-monitor", "none", "-kernel", kernel];
        var machine = QmpConversation.Start(MachineCommand.Live(name), usual.Concat(options.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        machine.Say("""{"execute":"qmp_capabilities"}""");
        return machine;
    }

    /// <summary>A kernel of a few instructions, which leaves a mark in memory to know that it has started before.</summary>
    private string Guest(uint first, uint second)
    {
        const uint Device = 5, Mark = 6, Seen = 7, One = 28, Value = 29;
        uint[] code =
        [
            Lui(Device, 0x100),
            (0x400u << 12) | (Mark << 7) | 0x17, // auipc: 4 MiB from here
            (Mark << 15) | (2 << 12) | (Seen << 7) | 0x03, // lw
            AddImmediate(One, 0, 1),
            Store(One, Mark),
            (Seen << 15) | (1 << 12) | (20 << 7) | 0x63, // bnez: five instructions on
            Lui(Value, first >> 12),
            AddImmediate(Value, Value, first & 0xFFF),
            Store(Value, Device),
            0x6F, // j .
            Lui(Value, second >> 12),
            AddImmediate(Value, Value, second & 0xFFF),
            Store(Value, Device),
            0x6F,
        ];
        var bytes = new byte[code.Length * 4];
        for (var i = 0; i < code.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(i * 4), code[i]);
        var path = _folder.File("guest");
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static uint Lui(uint register, uint value) => (value << 12) | (register << 7) | 0x37;

    private static uint AddImmediate(uint register, uint from, uint value) => (value << 20) | (from << 15) | (register << 7) | 0x13;

    private static uint Store(uint register, uint at) => (register << 20) | (at << 15) | (2 << 12) | 0x23;
}

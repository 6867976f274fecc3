using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Godwit.Testing;

namespace Godwit.Interop.Tests;

/// <summary><c>godwit run</c> as a process: its files, its signals, its terminal and its guest's exit code.</summary>
public sealed class RunCommandTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    // lui a2, 0x10000; 1: lbu t0, 5(a2); andi t0, t0, 1; beqz t0, 1b; lbu t1, 0(a2); sb t1, 0(a2); j 1b
    private static readonly uint[] Echo = [0x10000637, 0x00564283, 0x0012f293, 0xfe028ce3, 0x00064303, 0x00660023, 0xfedff06f];

    // lui t0, 0x100; lui t1, 7; addiw t1, t1, 0x777; sw t1, 0(t0): a reset.
    private static readonly uint[] Resets = [0x001002b7, 0x00007337, 0x7773031b, 0x0062a023, 0x0000006f];

    private static readonly string[] Board = ["run", "-M", "virt", "-m", "64M", "-bios", "none", "-display", "none"];

    private static readonly string[] HeartbeatKernel = ["-kernel", Repository.Path("guests", "heartbeat", "heartbeat.elf")];

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task Help_lists_the_options()
    {
        var result = await GodwitCommand.RunAsync("run", "--help");

        Assert.Equal((0, ""), (result.ExitCode, result.Errors));
        foreach (var option in new[] { "-M|-machine", "-kernel", "-append", "-serial", "-nographic", "-no-reboot" })
            Assert.Contains(option, result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_device_tree_is_written_instead_of_running()
    {
        var result = await GodwitCommand.RunAsync([.. Board, "-smp", "2", "-dumpdtb", _folder.File("dtb")]);

        Assert.Equal(new CommandResult(0, "", ""), result);
        var tree = File.ReadAllBytes(_folder.File("dtb"));
        Assert.Equal(0xd00dfeed, BinaryPrimitives.ReadUInt32BigEndian(tree));
        Assert.Equal((uint)tree.Length, BinaryPrimitives.ReadUInt32BigEndian(tree.AsSpan(4)));
        Assert.Contains("cpu@1\0", Encoding.Latin1.GetString(tree), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("random")]
    [InlineData("sparse")]
    [InlineData("zero")]
    [InlineData("counter")]
    public async Task Heartbeat_prints_the_same_as_under_QEMU(string pattern)
    {
        string[] options =
        [
            "-M", "virt", "-m", "64M", "-bios", "none", "-nographic", .. HeartbeatKernel,
            "-append", $"pages=128 rate=2000 pattern={pattern} beat=20 exit=5 fill=random:100k",
        ];
        var theirs = await RunAsync(MachineCommand.Qemu, options);
        var ours = await RunAsync(MachineCommand.Godwit, options);

        Assert.StartsWith($"heartbeat start pages=128 rate=2000 pattern={pattern} beat=20 ram=67108864 fill=102400", theirs[0], StringComparison.Ordinal);
        Assert.Equal(theirs[0], ours[0]);
        Assert.Equal(["heartbeat exit beat=5 errors=0", ""], ours[^2..]);
        Assert.Equal(Numberless(theirs), Numberless(ours));
        Assert.Equal([1L, 2, 3, 4, 5], ours.Select(Heartbeat.Parse).OfType<Heartbeat>().Select(b => b.Beat));

        static string[] Numberless(string[] lines) =>
            [.. lines.Select(l => string.Join(' ', l.Split(' ').Select(w => w.StartsWith("beat=", StringComparison.Ordinal) ? w : w.Split('=')[0])))];
    }

    [Theory]
    [InlineData("nonsense=1", 2)]
    [InlineData("corrupt=1 exit=3 beat=10 pages=16", 1)]
    [InlineData("exit=3 beat=10 pages=16", 0)]
    public async Task The_exit_code_is_the_guest_s(string append, int exitCode)
    {
        var result = await GodwitCommand.RunAsync([.. Board, "-serial", $"file:{_folder.File("serial")}", .. HeartbeatKernel, "-append", append]);

        Assert.Equal(new CommandResult(exitCode, "", ""), result);
        Assert.Contains("heartbeat ", File.ReadAllText(_folder.File("serial")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("HUP")]
    public async Task A_signal_ends_a_running_machine_and_takes_its_pidfile_away(string signal)
    {
        using var command = GodwitCommand.Start([.. Board, "-serial", $"file:{_folder.File("serial")}", "-pidfile", _folder.File("pid"), .. HeartbeatKernel, "-append", "beat=5"]);
        await WaitForTextAsync("serial", "beat=3 ");
        Assert.Equal(command.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n", File.ReadAllText(_folder.File("pid")));

        command.Signal(signal);

        Assert.Equal(new CommandResult(0, "", ""), await command.WaitAsync());
        Assert.Equal(["serial"], _folder.Names);
    }

    [Fact]
    public async Task Told_to_wait_nothing_runs_and_a_signal_ends_it()
    {
        using var command = GodwitCommand.Start([.. Board, "-S", "-serial", $"file:{_folder.File("serial")}", "-pidfile", _folder.File("pid"), .. HeartbeatKernel, "-append", "beat=5"]);
        await WaitForTextAsync("pid", "\n");
        await Task.Delay(300);
        Assert.Equal(0, new FileInfo(_folder.File("serial")).Length);

        command.Signal("TERM");

        Assert.Equal(new CommandResult(0, "", ""), await command.WaitAsync());
        Assert.Equal(0, new FileInfo(_folder.File("serial")).Length);
    }

    [Fact]
    public async Task Without_reboot_a_reset_ends_it()
    {
        var result = await GodwitCommand.RunAsync([.. Board, "-serial", "null", "-no-reboot", "-kernel", Kernel(Resets)]);

        Assert.Equal(new CommandResult(0, "", ""), result);
    }

    [Fact]
    public async Task A_serial_port_that_is_null_says_nothing()
    {
        var result = await GodwitCommand.RunAsync([.. Board, "-serial", "null", .. HeartbeatKernel, "-append", "exit=2 beat=10"]);

        Assert.Equal(new CommandResult(0, "", ""), result);
    }

    [Fact]
    public async Task Clients_of_a_serial_socket_come_type_and_go()
    {
        var path = _folder.File("serial");
        using var command = GodwitCommand.Start([.. Board, "-serial", $"unix:{path},server=on,wait=off", "-kernel", Kernel(Echo)]);
        for (var n = 0; n < 5; n++)
        {
            using var client = await ConnectAsync(path);
            var typed = $"client {n} types\n";
            await client.SendAsync(Encoding.ASCII.GetBytes(typed));
            Assert.Equal(typed, await ReceiveAsync(client, typed.Length));
        }

        command.Signal("TERM");
        Assert.Equal(0, (await command.WaitAsync()).ExitCode);
        Assert.Equal(["kernel"], _folder.Names);
    }

    [Fact]
    public async Task A_machine_waits_for_the_client_that_it_is_told_to_wait_for()
    {
        var path = _folder.File("serial");
        using var command = GodwitCommand.Start([.. Board, "-serial", $"unix:{path},server=on", .. HeartbeatKernel, "-append", "exit=3 beat=10"]);
        using var client = await ConnectAsync(path);

        const string First = "heartbeat start ";
        Assert.Equal(First, await ReceiveAsync(client, First.Length));
        await ReceiveAsync(client, int.MaxValue);
        Assert.Equal(0, (await command.WaitAsync()).ExitCode);
    }

    [Fact]
    public async Task Shared_memory_in_a_file_is_what_the_guest_sees()
    {
        const int WorkingSet = 0x40_0000, Pages = 64;
        using var command = GodwitCommand.Start(
        [
            "run", "-M", "virt,memory-backend=mem", "-object", $"memory-backend-file,id=mem,size=64M,share=on,mem-path={_folder.File("ram")}", "-bios", "none",
            "-display", "none", "-serial", $"file:{_folder.File("serial")}", .. HeartbeatKernel, "-append", $"pages={Pages} rate=0 pattern=counter beat=10",
        ]);
        await WaitForTextAsync("serial", "beat=2 ");

        var ram = File.ReadAllBytes(_folder.File("ram"));
        Assert.Equal(64 << 20, ram.Length);
        var kernel = File.ReadAllBytes(HeartbeatKernel[1]);
        var segment = BinaryPrimitives.ReadUInt64LittleEndian(kernel.AsSpan((int)BinaryPrimitives.ReadUInt64LittleEndian(kernel.AsSpan(32)) + 8));
        Assert.Equal(kernel.AsSpan((int)segment, 1024).ToArray(), ram[..1024]);
        for (var page = 0; page < Pages; page++)
        {
            // The first word is the page's number; most others are their own addresses.
            var at = WorkingSet + (page * 4096);
            Assert.Equal((ulong)page, BinaryPrimitives.ReadUInt64LittleEndian(ram.AsSpan(at)));
            Assert.Equal(0x8000_0000UL + (ulong)at + 0x800, BinaryPrimitives.ReadUInt64LittleEndian(ram.AsSpan(at + 0x800)));
        }
    }

    [Fact]
    public async Task Private_memory_leaves_its_file_as_it_was()
    {
        File.WriteAllBytes(_folder.File("ram"), new byte[64 << 20]);
        var result = await GodwitCommand.RunAsync(
            "run", "-M", "virt,memory-backend=mem", "-object", $"memory-backend-file,id=mem,size=64M,share=off,mem-path={_folder.File("ram")}", "-bios", "none",
            "-display", "none", HeartbeatKernel[0], HeartbeatKernel[1], "-append", "pages=64 exit=2 beat=10");

        Assert.Equal(new CommandResult(0, "", ""), result);
        Assert.False(File.ReadAllBytes(_folder.File("ram")).AsSpan().ContainsAnyExcept((byte)0));
    }

    [Fact]
    public async Task Control_A_is_the_machine_s_and_twice_the_guest_s()
    {
        await using var guest = GuestConsole.Start(MachineCommand.Godwit, ["-M", "virt", "-bios", "none", "-nographic", "-kernel", Kernel(Echo)]);

        await guest.TypeAsync("hello");
        await guest.WaitForAsync("hello\n", Patience);
        await guest.TypeAsync("\u0001h");
        await guest.WaitForAsync("Ctrl-A x", Patience);
        await guest.TypeAsync("a\u0001\u0001b");
        await guest.WaitForAsync("a\u0001b\n", Patience);
        await guest.TypeAsync("\u0001x");

        Assert.Equal(0, await guest.WaitForExitAsync(Patience));
    }

    [Fact]
    public async Task On_plain_stdio_control_A_is_the_guest_s()
    {
        await using var guest = GuestConsole.Start(MachineCommand.Godwit, ["-M", "virt", "-bios", "none", "-display", "none", "-serial", "stdio", "-kernel", Kernel(Echo)]);

        await guest.TypeAsync("\u0001x\u0001h");

        await guest.WaitForAsync("\u0001x\u0001h\n", Patience);
    }

    /// <summary>Raw while it runs, and afterwards as it was, whoever ends the machine.</summary>
    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("guest")]
    public async Task The_terminal_is_given_back(string end)
    {
        var append = end == "guest" ? "beat=20 exit=40" : "beat=20";
        File.WriteAllText(_folder.File("session"), $"""
            cd {_folder.Path}
            stty -g >before
            (
              while ! [ -s pid ]; do sleep 0.05; done
              stty -g </dev/tty >during
              [ {end} = guest ] || kill -{end} $(cat pid)
            ) &
            $GODWIT run -M virt -bios none -nographic -pidfile pid -kernel {HeartbeatKernel[1]} -append '{append}'
            echo $? >code
            stty -g >after
            wait
            """);

        await GodwitCommand.RunShellAsync($"script -qec 'bash {_folder.File("session")}' /dev/null");

        Assert.Equal("0\n", File.ReadAllText(_folder.File("code")));
        Assert.Equal(File.ReadAllText(_folder.File("before")), File.ReadAllText(_folder.File("after")));
        Assert.NotEqual(File.ReadAllText(_folder.File("before")), File.ReadAllText(_folder.File("during")));
    }

    public void Dispose() => _folder.Dispose();

    private static async Task<string[]> RunAsync(MachineCommand machine, string[] options)
    {
        await using var guest = GuestConsole.Start(machine, options);
        Assert.Equal(0, await guest.WaitForExitAsync(Patience));
        return guest.Lines;
    }

    private string Kernel(uint[] code)
    {
        var bytes = new byte[code.Length * sizeof(uint)];
        for (var n = 0; n < code.Length; n++)
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(n * sizeof(uint)), code[n]);
        File.WriteAllBytes(_folder.File("kernel"), bytes);
        return _folder.File("kernel");
    }

    private async Task WaitForTextAsync(string file, string text)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!File.Exists(_folder.File(file)) || !File.ReadAllText(_folder.File(file)).Contains(text, StringComparison.Ordinal))
            await Task.Delay(5, patience.Token);
    }

    private static async Task<Socket> ConnectAsync(string path)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), patience.Token);
                return socket;
            }
            catch (SocketException)
            {
                socket.Dispose();
                await Task.Delay(10, patience.Token);
            }
        }
    }

    /// <summary>That many bytes, or all until the other side closes.</summary>
    private static async Task<string> ReceiveAsync(Socket socket, int length)
    {
        using var patience = new CancellationTokenSource(Patience);
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (text.Length < length && await socket.ReceiveAsync(buffer.AsMemory(0, Math.Min(buffer.Length, length - text.Length)), patience.Token) is > 0 and var count)
            text.Append(Encoding.ASCII.GetString(buffer, 0, count));
        return text.ToString();
    }
}

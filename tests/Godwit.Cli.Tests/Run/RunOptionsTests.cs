using Godwit.Cli.Run;
using Godwit.Machine.Cpu;

namespace Godwit.Cli.Tests.Run;

/// <summary>The command line of <c>godwit run</c>: what QEMU's habits and scripts may ask, and what is refused.</summary>
public sealed class RunOptionsTests
{
    [Fact]
    public void Nothing_said_is_a_machine_like_QEMUs()
    {
        var options = RunOptions.Parse([]);

        Assert.Equal(128UL << 20, options.MemorySize);
        Assert.Equal(1, options.Harts);
        Assert.Equal(CpuModel.Default.Isa, options.Cpu.Isa);
        Assert.Equal(SerialBackend.Terminal, options.Serial);
        Assert.Null(options.Firmware);
        Assert.Null(options.MemoryBackend);
    }

    [Fact]
    public void A_usual_command_line_is_understood()
    {
        var options = Parse("-M virt -m 512M -smp 4 -cpu rv64,zfa=off -kernel Image -initrd initrd.gz -nographic -S -no-reboot -no-shutdown -name guest=one -pidfile pid -rtc base=utc -accel tcg,thread=multi -bios none -dtb t -L here -L there -monitor none -display none -nodefaults -no-user-config",
            "-append", "console=ttyS0 a,b");

        Assert.Equal(512UL << 20, options.MemorySize);
        Assert.Equal(4, options.Harts);
        Assert.False(options.Cpu.Has("zfa"));
        Assert.True(options.StartPaused && options.NoReboot && options.NoShutdown);
        Assert.Equal("one", options.Name);
        Assert.Equal("pid", options.PidFile);
        var load = options.ToLoadRequest();
        Assert.Equal(("none", "Image", "initrd.gz", "console=ttyS0 a,b", "t"), (load.Firmware, load.Kernel, load.Initrd, load.CommandLine, load.DeviceTree));
        Assert.Equal((4, 512UL << 20, options.Cpu), (load.Harts, load.MemorySize, load.Cpu));
        Assert.Equal(["here", "there"], load.DataFolders);
    }

    [Theory]
    [InlineData("512", 512UL << 20)]
    [InlineData("512M", 512UL << 20)]
    [InlineData("size=1G", 1UL << 30)]
    [InlineData("1.5g", 3UL << 29)]
    [InlineData("131072k", 128UL << 20)]
    [InlineData("8192b", 8192UL)]
    [InlineData("size=1G,size=2G", 2UL << 30)]
    public void Sizes_are_QEMUs(string text, ulong bytes) => Assert.Equal(bytes, RunOptions.Parse(["-m", text]).MemorySize);

    [Fact]
    public void Machine_options_merge_and_the_last_word_counts()
    {
        var options = Parse("-machine virt,aclint=off,aia=none -M acpi=off,dumpdtb=one -machine type=virt,dumpdtb=a,,b -machine kernel=k -append x -append y -m 1G -m 2G");

        Assert.Equal("a,b", options.DumpDeviceTree);
        Assert.Equal("k", options.Kernel);
        Assert.Equal("y", options.CommandLine);
        Assert.Equal(2UL << 30, options.MemorySize);
    }

    [Fact]
    public void Two_dashes_are_as_good_as_one() => Assert.Equal(2, Parse("--smp cpus=2 --machine virt").Harts);

    [Fact]
    public void A_memory_backend_brings_its_size()
    {
        var options = Parse("-object memory-backend-file,id=m,size=256M,mem-path=/dev/shm/x,share=on -object memory-backend-ram,id=other,size=4096 -M virt,memory-backend=m");

        Assert.Equal(256UL << 20, options.MemorySize);
        Assert.Equal(new MemoryBackend(MemoryBackendKind.File, "m", 256 << 20, Share: true, "/dev/shm/x"), options.MemoryBackend);
        Assert.True(Parse("-object memory-backend-memfd,id=m,size=1M -M memory-backend=m -m 1M").MemoryBackend!.Share);
        Assert.False(Parse("-object memory-backend-ram,id=m,size=1M -M memory-backend=m").MemoryBackend!.Share);
    }

    [Fact]
    public void Serial_ports_are_where_they_are_put()
    {
        Assert.Equal(new SerialBackend(SerialKind.Stdio), Parse("-serial stdio").Serial);
        Assert.Equal(SerialBackend.Terminal, Parse("-serial mon:stdio -display none").Serial);
        Assert.Equal(SerialBackend.Null, Parse("-serial none -nographic").Serial);
        Assert.Equal(new SerialBackend(SerialKind.File, "out"), Parse("-nographic -serial file:out -serial null").Serial);
        Assert.Equal(new SerialBackend(SerialKind.Unix, "s", Server: true), Parse("-serial unix:s,server=on,wait=off").Serial);
        Assert.Equal(new SerialBackend(SerialKind.Unix, "s", Server: true, Wait: true), Parse("-serial unix:s,server").Serial);
        Assert.Equal(SerialBackend.Null, Parse("-nodefaults -nographic").Serial);
        Assert.Equal(SerialBackend.Null, Parse("-display none").Serial);
        Assert.Equal(SerialBackend.Terminal, Parse("-display none -nographic").Serial);
    }

    [Theory]
    [InlineData("-hda disk", "-hda is not supported")]
    [InlineData("--drive x", "--drive is not supported")]
    [InlineData("disk.img", "'disk.img' is no option")]
    [InlineData("-", "'-' is no option")]
    [InlineData("--", "-- is not supported")]
    [InlineData("-kernel", "-kernel needs an argument: FILE")]
    [InlineData("-M pc", "type=pc is not supported; type=virt is")]
    [InlineData("-M virt,aia=aplic", "aia=aplic is not supported")]
    [InlineData("-M virt,aclint=on", "aclint=on is not supported")]
    [InlineData("-M virt,acpi=on", "acpi=on is not supported")]
    [InlineData("-M virt,nope=1", "-machine: 'nope' is not supported")]
    [InlineData("-M virt,,", "type=virt, is not supported")]
    [InlineData("-M virt,=x", "without a name")]
    [InlineData("-M memory-backend=m", "no -object with that id")]
    [InlineData("-m 0", "-m: '0' is no whole number")]
    [InlineData("-m 4097b", "-m: '4097b' is no whole number")]
    [InlineData("-m 2T", "-m: '2T' is no whole number")]
    [InlineData("-m 9999999999999E", "is no size")]
    [InlineData("-m x", "-m: 'x' is no size")]
    [InlineData("-m -1M", "is no size")]
    [InlineData("-m M", "is no size")]
    [InlineData("-m 1G,slots=2", "'slots' is not supported")]
    [InlineData("-smp 0", "from 1 to 8")]
    [InlineData("-smp 9", "from 1 to 8")]
    [InlineData("-smp 2,sockets=2", "'sockets' is not supported")]
    [InlineData("-cpu max", "-cpu max: CPU model 'max' is not implemented")]
    [InlineData("-cpu rv64,h=true", "CPU property 'h': the extension is not implemented")]
    [InlineData("-append x", "-append: it goes with -kernel")]
    [InlineData("-initrd x", "-initrd: it goes with -kernel")]
    [InlineData("-dump-vmstate a -dump-vmstate b", "only one '-dump-vmstate' option may be given")]
    [InlineData("-serial stdio -serial file:x", "one serial port")]
    [InlineData("-serial pty", "-serial: 'pty' is not supported")]
    [InlineData("-serial unix:", "not supported")]
    [InlineData("-serial unix:x,wait=off", "wait= goes with server=on")]
    [InlineData("-monitor stdio", "-monitor: 'stdio' is not supported")]
    [InlineData("-display gtk", "-display: 'gtk' is not supported")]
    [InlineData("-rtc base=localtime", "base=localtime is not supported")]
    [InlineData("-accel kvm", "accel=kvm is not supported")]
    [InlineData("-object rng-random,id=r", "'rng-random' is not supported")]
    [InlineData("-object memory-backend-ram,size=1M", "needs an id=")]
    [InlineData("-object memory-backend-ram,id=m", "needs a size=")]
    [InlineData("-object memory-backend-file,id=m,size=1M", "needs a mem-path=")]
    [InlineData("-object memory-backend-ram,id=m,size=1M,mem-path=x", "'mem-path' is not supported")]
    [InlineData("-object memory-backend-ram,id=m,size=1", "no whole number")]
    [InlineData("-object memory-backend-ram,id=m,size=1M,share=maybe", "share is on or off")]
    [InlineData("-object memory-backend-ram,id=m,size=1M -object memory-backend-ram,id=m,size=1M", "two with id=m")]
    [InlineData("-object memory-backend-ram,id=m,size=1M -M memory-backend=m -m 2M", "differ from the 1048576")]
    public void What_is_not_supported_is_named(string line, string words)
    {
        var error = Assert.Throws<UsageException>(() => Parse(line));

        Assert.Contains(words, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.DoesNotContain("Parameter", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Help_has_a_line_for_every_option()
    {
        Assert.True(Parse("--help").ShowHelp && Parse("-h").ShowHelp);
        var lines = RunOptionTable.Help().Split('\n');

        Assert.All(RunOptionTable.All, o =>
        {
            Assert.Contains(lines, l => l.StartsWith($"  -{string.Join("|-", o.Names)}", StringComparison.Ordinal));
            Assert.Contains(lines, l => l.EndsWith(o.Description, StringComparison.Ordinal));
        });
        Assert.Equal(RunOptionTable.All.Sum(o => o.Names.Length), RunOptionTable.All.SelectMany(o => o.Names).Distinct(StringComparer.Ordinal).Count());
    }

    private static RunOptions Parse(string line, params string[] more) => RunOptions.Parse([.. line.Split(' '), .. more]);
}

using Godwit.Testing;

namespace Godwit.Interop.Tests.Qmp;

/// <summary>Open files that a machine is started with (<c>-add-fd</c>).</summary>
public sealed class AddedDescriptorTests
{
    private const string Opened = "exec \"$0\" \"$@\" 9>/dev/null";

    [Fact]
    public void They_are_in_their_sets()
    {
        var answers = new List<string>();
        foreach (var name in new[] { "qemu", "godwit" })
        {
            var machine = MachineCommand.Live(name);
            using var conversation = QmpConversation.Start(
                machine with { Program = "/bin/bash", Arguments = ["-c", Opened, machine.Program, .. machine.Arguments] },
                "-M", "virt", "-m", "64M", "-bios", "none", "-S", "-display", "none", "-serial", "null", "-monitor", "none", "-add-fd", "fd=9,set=2,opaque=out", "-add-fd", "fd=9,set=4");
            conversation.Say("""{"execute":"qmp_capabilities"}""");
            answers.Add(Comparable.Of(conversation.Say("""{"execute":"query-fdsets"}""")[0], conversation.Folder));
        }

        Assert.Contains("\"opaque\":\"out\"", answers[0], StringComparison.Ordinal);
        Assert.Equal(answers[0], answers[1]);
    }

    [Theory]
    [InlineData("fd=1,set=2", "fd cannot be a standard I/O stream")]
    [InlineData("set=2", "fd option is required and must be non-negative")]
    [InlineData("fd=9", "set option is required and must be non-negative")]
    [InlineData("fd=77,set=2", "fd is not valid or already in use")]
    public async Task What_is_wrong_is_named_as_QEMU_names_it(string option, string error)
    {
        foreach (var name in new[] { "qemu", "godwit" })
        {
            var machine = MachineCommand.Live(name);
            var result = await GodwitCommand.RunProgramAsync("/bin/bash", ["-c", Opened, machine.Program, .. machine.Arguments, "-M", "virt", "-display", "none", "-S", "-add-fd", option]);
            Assert.NotEqual(0, result.ExitCode);
            Assert.Contains(error, result.Errors, StringComparison.Ordinal);
        }
    }
}

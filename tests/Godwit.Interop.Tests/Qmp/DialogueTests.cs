using Godwit.Testing;

namespace Godwit.Interop.Tests.Qmp;

/// <summary>The same words to QEMU's monitor and to Godwit's: the answers are the same, member for member, and the events.</summary>
public sealed class DialogueTests
{
    private static readonly string[] Machine = ["-M", "virt", "-m", "64M", "-bios", "none", "-S", "-display", "none", "-serial", "null", "-monitor", "none"];

    public static TheoryData<string> Dialogues => [.. Dialogue.Names];

    [Theory]
    [MemberData(nameof(Dialogues))]
    public void Both_monitors_answer_alike(string name)
    {
        var dialogue = Dialogue.Read(name);
        using var qemu = QmpConversation.Start(MachineCommand.Live("qemu"), Machine.Concat(dialogue.Options));
        using var godwit = QmpConversation.Start(MachineCommand.Live("godwit"), Machine.Concat(dialogue.Options));
        var events = (Qemu: new List<string>(), Godwit: new List<string>());
        foreach (var step in dialogue.Steps)
        {
            var expected = Take(step, qemu, dialogue.IsLoose ? events.Qemu : null);
            var found = Take(step, godwit, dialogue.IsLoose ? events.Godwit : null);
            if (step.Differs is null)
                Assert.Equal($"{step.Text}\n{expected}", $"{step.Text}\n{found}");
            else
                Assert.NotEqual($"{step.Text}\n{expected}", $"{step.Text}\n{found}");
        }

        Assert.Equal(string.Join('\n', events.Qemu), string.Join('\n', events.Godwit));
    }

    /// <param name="events">Where they go instead, if that isn't null.</param>
    private static string Take(Dialogue.Step step, QmpConversation machine, List<string>? events)
    {
        var messages = step.Run(machine).ConvertAll(m => Comparable.Of(m, machine.Folder));
        if (events is null)
            return string.Join('\n', messages);
        events.AddRange(messages.Where(Comparable.IsEvent));
        return string.Join('\n', messages.Where(m => !Comparable.IsEvent(m)));
    }
}

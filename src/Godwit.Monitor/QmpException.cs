namespace Godwit.Monitor;

/// <summary>A command that the machine answered with an error.</summary>
/// <param name="class">QEMU's error class, mostly <c>GenericError</c>.</param>
public sealed class QmpException(string command, string @class, string description)
    : IOException($"{command}: {description}")
{
    public string Command { get; } = command;

    public string Class { get; } = @class;

    public string Description { get; } = description;
}

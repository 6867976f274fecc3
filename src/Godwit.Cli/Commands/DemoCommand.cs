using System.CommandLine;

namespace Godwit.Cli.Commands;

internal static class DemoCommand
{
    public static Command Create()
    {
        var command = new Command("demo", "x");
        command.SetAction(_ => 0);
        return command;
    }
}

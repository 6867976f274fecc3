using System.CommandLine;
using System.Net.Sockets;
using Godwit.Cli.Commands;
using Godwit.Cli.Output;
using Godwit.Wire;

namespace Godwit.Cli;

internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        var root = new RootCommand("Live migration for virtual machines, wire-compatible with QEMU.")
        {
            RunCommand.CreateListing(),
            DemoCommand.Create(),
            ReceiveCommand.Create(),
            SendCommand.Create(),
            MigrateCommand.Create(),
            AnalyzeCommand.Create(),
            VerifyCommand.Create(),
            ConvertCommand.Create(),
        };
        if (args is [RunCommand.Name, ..])
            return await GuardedAsync(() => RunCommand.RunAsync(args[1..]));

        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
                Terminal.Error(error.Message);
            Terminal.Error($"see 'godwit {(parsed.CommandResult.Command is RootCommand ? "" : parsed.CommandResult.Command.Name + " ")}--help'");
            return ExitCode.Usage;
        }

        return await GuardedAsync(() => parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }));
    }

    private static async Task<int> GuardedAsync(Func<Task<int>> command)
    {
        try
        {
            return await command();
        }
        catch (OperationCanceledException)
        {
            Terminal.Error("cancelled");
            return ExitCode.Failed;
        }
        catch (Exception e) when (e is MigrationStreamException or IOException or UnauthorizedAccessException or NotSupportedException or SocketException or ArgumentException)
        {
            Terminal.Error(e.Message);
            return ExitCode.Failed;
        }
    }
}

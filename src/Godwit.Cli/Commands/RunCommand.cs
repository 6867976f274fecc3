using System.CommandLine;
using System.Runtime.InteropServices;
using Godwit.Cli.Output;
using Godwit.Cli.Run;
using Godwit.Machine.Lifecycle;
using Godwit.Machine.Virt;
using Godwit.Machine.Virt.Loading;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit run</c>: a machine in this process, by QEMU's options. The exit code is the guest's.</summary>
internal static class RunCommand
{
    public const string Name = "run";

    /// <summary>For the list of verbs. What follows <c>run</c> is QEMU's to spell, and read by <see cref="RunOptions"/>.</summary>
    public static Command CreateListing() => new(Name, "Run a machine: QEMU's RISC-V board virt, with QEMU's options.");

    public static async Task<int> RunAsync(IReadOnlyList<string> words)
    {
        try
        {
            var options = RunOptions.Parse(words);
            if (options.ShowHelp)
            {
                Console.Out.Write(RunOptionTable.Help());
                return ExitCode.Done;
            }

            if (options.DumpDeviceTree is not null)
            {
                DeviceTreeDump.Write(options);
                return ExitCode.Done;
            }

            return await RunAsync(options);
        }
        catch (UsageException e)
        {
            Terminal.Error(e.Message);
            return ExitCode.Usage;
        }
        catch (LoadException e)
        {
            Terminal.Error(e.Message);
            return ExitCode.Usage;
        }
        catch (HartFailedException e)
        {
            Terminal.Error($"{e.Message}; this is a defect of godwit");
            return ExitCode.Failed;
        }
    }

    private static async Task<int> RunAsync(RunOptions options)
    {
        var quit = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var interrupted = OnSignal(PosixSignal.SIGINT, quit);
        using var terminated = OnSignal(PosixSignal.SIGTERM, quit);
        using var hungUp = OnSignal(PosixSignal.SIGHUP, quit);
        VirtMachine? made = null;
        var monitor = new HumanMonitor(() => made, () => quit.TrySetResult());
        using var machine = made = new VirtMachine(new VirtOptions(options.ToLoadRequest())
        {
            Serial = options.Serial.Factory(() => quit.TrySetResult(), monitor),
            Ram = options.MemoryBackend?.Create(),
            NoReboot = options.NoReboot,
            NoShutdown = options.NoShutdown,
        });
        using var processFile = options.PidFile is { } path ? new ProcessFile(path) : null;
        if (!options.StartPaused)
            machine.Continue();
        await Task.WhenAny(machine.Ended, quit.Task);
        return quit.Task.IsCompleted ? ExitCode.Done : await machine.Ended;
    }

    private static PosixSignalRegistration OnSignal(PosixSignal signal, TaskCompletionSource quit) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            quit.TrySetResult();
        });
}

using System.CommandLine;
using System.Runtime.InteropServices;
using Godwit.Cli.Output;
using Godwit.Cli.Run;
using Godwit.Machine.Lifecycle;
using Godwit.Machine.Virt;
using Godwit.Machine.Virt.Loading;
using Godwit.Migration;
using Godwit.Migration.Control;
using Godwit.Monitor.Server;

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

            if (options.DumpVmState is { } path)
            {
                using var file = File.Create(path);
                VirtVmStateDump.Write(file);
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
        catch (MigrationRefusedException e)
        {
            Terminal.Error(e.Message);
            return ExitCode.Failed;
        }
        catch (HartFailedException e)
        {
            Terminal.Error($"{e.Message}; this is a defect of godwit");
            return ExitCode.Failed;
        }
    }

    private static async Task<int> RunAsync(RunOptions options)
    {
        // True: by a signal.
        var quit = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var interrupted = OnSignal(PosixSignal.SIGINT, quit);
        using var terminated = OnSignal(PosixSignal.SIGTERM, quit);
        using var hungUp = OnSignal(PosixSignal.SIGHUP, quit);
        (IMonitoredMachine, Migrator)? made = null;
        var monitor = new HumanMonitor(() => made);
        using var machine = new VirtMachine(new VirtOptions(options.ToLoadRequest())
        {
            Serial = options.Serial.Factory(() => quit.TrySetResult(false), monitor),
            Ram = options.MemoryBackend?.Create(),
            NoReboot = options.NoReboot,
            NoShutdown = options.NoShutdown,
            Incoming = options.Incoming,
            StartPaused = options.StartPaused,
            Uuid = options.Uuid,
        });
        using var processFile = options.PidFile is { } path ? new ProcessFile(path) : null;
        using var migrator = new Migrator(machine) { Parameters = options.Migration, Reported = Terminal.Error };
        foreach (var o in options.Objects)
            migrator.Objects.Add(o.Type, o.Id, o.Properties, o.IsWords);
        var monitored = new MonitoredMachine(machine, options.Name, () => quit.TrySetResult(false));
        using var qmp = new MachineMonitor(machine, monitored, migrator, endsAtShutdown: !options.NoShutdown);
        made = (monitored, migrator);
        foreach (var option in options.Qmp)
            qmp.Listen(option);
        if (options.IncomingUri is { } uri)
            migrator.Incoming(uri, exitOnError: true);
        else if (options.Incoming)
            migrator.PrepareIncoming();
        else if (!options.StartPaused)
            machine.Continue();
        await Task.WhenAny(machine.Ended, quit.Task, migrator.IncomingFailed);
        if (migrator.IncomingFailed.IsCompleted && !quit.Task.IsCompleted)
        {
            Terminal.Error(await migrator.IncomingFailed);
            return ExitCode.Failed;
        }

        if (quit.Task.IsCompletedSuccessfully && await quit.Task)
            monitored.TellSignal();
        return quit.Task.IsCompleted ? ExitCode.Done : await machine.Ended;
    }

    private static PosixSignalRegistration OnSignal(PosixSignal signal, TaskCompletionSource<bool> quit) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            quit.TrySetResult(true);
        });
}

using System.Collections.Concurrent;
using Godwit.Migration.Channels;
using Godwit.Migration.Control;
using Godwit.Testing;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Tests;

/// <summary>Plays a source over a real socket into a machine's migrator, and keeps what comes of it.</summary>
internal sealed record IncomingRun(List<MigrationStatus> States, MigrationInfo Info, byte[] Answered)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public MigrationStatus Status => States[^1];

    public string Error => Info.ErrorDescription ?? "";

    public List<ReturnPathMessage> Answers => SourceEnd.Messages(Answered);

    /// <param name="step">Bytes a write.</param>
    /// <param name="open">Leaves the connection open until the destination has said its last word, as a source with a return path does.</param>
    /// <param name="written">Called when all of it is on its way.</param>
    public static IncomingRun Play(IMigratableMachine machine, byte[] stream, int step = 65536, bool open = false, string[]? capabilities = null, Action? written = null)
    {
        using var folder = new TemporaryFolder();
        using var migrator = new Migrator(machine);
        migrator.SetCapabilities((capabilities ?? []).Concat(machine is RecordedMachine { IgnoresShared: true } ? ["x-ignore-shared"] : []).Select(c => KeyValuePair.Create(c, true)));
        var states = new List<MigrationStatus>();
        using var ended = new BlockingCollection<MigrationStatus>();
        migrator.StatusChanged = status =>
        {
            states.Add(status);
            if (status is MigrationStatus.Completed or MigrationStatus.Failed)
                ended.Add(status);
        };
        migrator.Incoming(new MigrationUri(MigrationScheme.Unix, Path: folder.File("in")), exitOnError: true);
        var answers = new List<byte>();
        using (var source = ChannelConnector.Connect(migrator.IncomingAddress!, returnPath: true))
        {
            var reading = new Thread(() => SourceEnd.Collect(source, answers));
            reading.Start();
            SourceEnd.Write(source, stream, step, close: !open);
            written?.Invoke();
            Assert.True(ended.TryTake(out _, Limit), "the migration doesn't end");
            source.CloseWrite();
            reading.Join();
        }

        var info = migrator.Query();
        Assert.Equal(states[^1], info.Status);
        if (states[^1] == MigrationStatus.Failed)
            Assert.True(migrator.IncomingFailed.Wait(Limit), "nobody is told of the failure");
        return new IncomingRun(states, info, [.. answers]);
    }
}

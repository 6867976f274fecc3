using Godwit.Migration.Channels;
using Godwit.Migration.Destination;
using Godwit.Testing;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Tests;

/// <summary>Which sources are told that they may switch over, and when.</summary>
public sealed class SwitchoverAckTests
{
    [Theory]
    [InlineData("pc-q35-10.0", SwitchoverAckMode.Auto, true)]
    [InlineData("pc-i440fx-11.0", SwitchoverAckMode.Auto, true)]
    [InlineData("pc-i440fx-8.1", SwitchoverAckMode.Auto, true)]
    [InlineData("pc-i440fx-8.0", SwitchoverAckMode.Auto, false)]
    [InlineData("pc-q35-11.1", SwitchoverAckMode.Auto, false)]
    [InlineData("virt", SwitchoverAckMode.Auto, false)]
    [InlineData("virt", SwitchoverAckMode.On, true)]
    [InlineData("pc-q35-10.0", SwitchoverAckMode.Off, false)]
    public void It_is_sent_with_the_return_path_to_those_that_take_it(string machine, SwitchoverAckMode mode, bool expected)
    {
        Assert.Equal(expected, Answers(machine, mode, rounds: 0).Contains(ReturnPathType.SwitchoverAck));
    }

    [Theory]
    [InlineData("virt", 99, 2000, false)]
    [InlineData("virt", 100, 2000, true)]
    [InlineData("virt", 500, 900, false)]
    [InlineData("pc-i440fx-8.0", 100, 2000, true)]
    [InlineData("pc-q35-11.1", 500, 2000, false)]
    public void It_is_sent_to_one_that_goes_round_after_round_without_need(string machine, int rounds, int milliseconds, bool expected)
    {
        Assert.Equal(expected, Answers(machine, SwitchoverAckMode.Auto, rounds, milliseconds).Contains(ReturnPathType.SwitchoverAck));
    }

    private static List<ReturnPathType> Answers(string machine, SwitchoverAckMode mode, int rounds, int milliseconds = 0)
    {
        var builder = new StreamBuilder(new ConfigurationSection(machine)).Command(CommandType.OpenReturnPath).Command(CommandType.Ping, 0, 0, 0, 1).RamStart(("a", 8));
        for (var i = 0; i < rounds; i++)
            builder.Ram(SectionType.Part).ZeroPage("a", 3).Eos();
        var stream = builder.ToArray();
        using var folder = new TemporaryFolder();
        using var listener = ChannelListener.Listen(new MigrationUri(MigrationScheme.Unix, Path: folder.File("s")));
        using var source = ChannelConnector.Connect(listener.Address, returnPath: true);
        using var destination = listener.Accept(CancellationToken.None);
        var migration = new IncomingMigration(destination, mode, time: new Clock(milliseconds));
        var reader = new MigrationStreamReader();
        for (var at = 0; at < stream.Length && reader.Read(stream.AsSpan(at), false, out var element, out _); at += (int)element.Length)
            migration.Handle(element, reader);
        migration.Complete();
        return Read(source);
    }

    /// <summary>Says one time first, and another from then on.</summary>
    private sealed class Clock(int milliseconds) : TimeProvider
    {
        private bool _asked;

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp()
        {
            var first = !_asked;
            _asked = true;
            return first ? 0 : milliseconds;
        }
    }

    private static List<ReturnPathType> Read(Channel source)
    {
        var types = new List<ReturnPathType>();
        var buffer = new byte[4096];
        var filled = 0;
        while (types.Count == 0 || types[^1] != ReturnPathType.Shut)
        {
            filled += source.Read(buffer.AsSpan(filled));
            types.Clear();
            int at = 0, taken;
            while ((taken = ReturnPathMessage.Read(buffer.AsSpan(at, filled - at), at, out var message)) > 0)
            {
                types.Add(message.Type);
                at += taken;
            }
        }

        return types;
    }
}

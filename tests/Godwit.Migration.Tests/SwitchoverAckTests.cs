using Godwit.Migration.Channels;
using Godwit.Migration.Destination;
using Godwit.Testing;
using Godwit.Wire;
using Godwit.Wire.Ram;
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

    // Memory's START is an empty round.
    [Theory]
    [InlineData("virt", 98, 1, 50, false)]
    [InlineData("virt", 99, 1, 50, true)]
    [InlineData("virt", 99, 4000, 50, true)]
    [InlineData("virt", 300, 1, 5, false)]
    [InlineData("virt", 500, 1, 5, true)]
    [InlineData("virt", 500, 1, 110, false)]
    [InlineData("virt", 99, 4096, 50, false)]
    [InlineData("pc-i440fx-8.0", 99, 1, 50, true)]
    [InlineData("pc-q35-11.1", 500, 1, 50, false)]
    public void It_is_sent_to_one_that_goes_round_after_round_without_need(string machine, int rounds, int pages, int milliseconds, bool expected)
    {
        Assert.Equal(expected, Answers(machine, SwitchoverAckMode.Auto, rounds, pages, milliseconds).Contains(ReturnPathType.SwitchoverAck));
    }

    [Theory]
    [InlineData(255, true)]
    [InlineData(256, false)]
    public void A_round_of_several_sections_is_a_long_one(int pages, bool expected)
    {
        // In front of each whole round comes the beginning of another.
        Assert.Equal(expected, Answers("virt", SwitchoverAckMode.Auto, rounds: 500, pages: 1, milliseconds: 10, before: pages).Contains(ReturnPathType.SwitchoverAck));
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void With_multifd_a_round_ends_with_MULTIFD_FLUSH(int sections, bool expected)
    {
        var builder = Begin();
        for (var i = 0; i < 500 * sections; i++)
        {
            builder.Ram(SectionType.Part);
            if (i % sections == 0)
                builder.Write((ref WireWriter w) => RamItem.WriteMultifdFlush(ref w));
            builder.Eos();
        }

        Assert.Equal(expected, Answers(builder, SwitchoverAckMode.Auto, milliseconds: 10, multifd: true).Contains(ReturnPathType.SwitchoverAck));
    }

    private const int Pages = 4100;

    private static StreamBuilder Begin(string machine = "virt") =>
        new StreamBuilder(new ConfigurationSection(machine)).Command(CommandType.OpenReturnPath).Command(CommandType.Ping, 0, 0, 0, 1).RamStart(("a", Pages));

    private static void AddSection(StreamBuilder builder, int first, int count)
    {
        builder.Ram(SectionType.Part);
        for (var page = first; page < first + count; page++)
            builder.ZeroPage("a", page);
        builder.Eos();
    }

    /// <param name="milliseconds">From round to round.</param>
    /// <param name="before">Pages of a section of its own before each round.</param>
    private static List<ReturnPathType> Answers(string machine, SwitchoverAckMode mode, int rounds, int pages = 0, int milliseconds = 0, int before = 0)
    {
        var builder = Begin(machine);
        for (var i = 0; i < rounds; i++)
        {
            if (before > 0)
                AddSection(builder, 1, before);
            AddSection(builder, 0, pages);
        }

        return Answers(builder, mode, milliseconds, multifd: false);
    }

    private static List<ReturnPathType> Answers(StreamBuilder builder, SwitchoverAckMode mode, int milliseconds, bool multifd)
    {
        var stream = builder.ToArray();
        using var folder = new TemporaryFolder();
        using var listener = ChannelListener.Listen(new MigrationUri(MigrationScheme.Unix, Path: folder.File("s")));
        using var source = ChannelConnector.Connect(listener.Address, returnPath: true);
        using var destination = listener.Accept(CancellationToken.None);
        var clock = new Clock();
        var migration = new IncomingMigration(destination, mode, time: clock) { TakesMultifd = multifd, HasMultifd = multifd };
        var reader = new MigrationStreamReader();
        for (var at = 0; at < stream.Length && reader.Read(stream.AsSpan(at), false, out var element, out _); at += (int)element.Length)
        {
            migration.Handle(element, reader);
            if (element.Kind == StreamElementKind.SectionFooter)
                clock.Milliseconds += milliseconds;
        }

        migration.Complete();
        return Read(source);
    }

    private sealed class Clock : TimeProvider
    {
        public long Milliseconds { get; set; }

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => Milliseconds;
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

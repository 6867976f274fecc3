using Godwit.Migration.Channels;
using Godwit.Testing;

namespace Godwit.Migration.Tests;

public sealed class ChannelTests
{
    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public void Bytes_go_both_ways_over_sockets(string scheme)
    {
        using var folder = new TemporaryFolder();
        using var listener = ChannelListener.Listen(MigrationUri.Parse(scheme == "tcp" ? "tcp:127.0.0.1:0" : $"unix:{folder.File("s")}"));
        using var source = ChannelConnector.Connect(listener.Address, returnPath: true);
        using var destination = listener.Accept(CancellationToken.None);

        source.Write([1, 2, 3]);
        source.CloseWrite();
        destination.Write([9]);

        Assert.Equal([1, 2, 3], ReadAll(destination));
        Assert.True(source.WaitReadable(1000));
        Assert.Equal(1, source.Read(new byte[8]));
    }

    [Fact]
    public void A_cancelled_listener_stops_waiting()
    {
        using var listener = ChannelListener.Listen(MigrationUri.Parse("tcp:127.0.0.1:0"));
        using var cancel = new CancellationTokenSource(100);

        Assert.ThrowsAny<OperationCanceledException>(() => listener.Accept(cancel.Token));
    }

    [Fact]
    public void A_socket_that_nobody_listens_on_any_more_is_replaced_and_one_in_use_is_not()
    {
        using var folder = new TemporaryFolder();
        var uri = MigrationUri.Parse($"unix:{folder.File("s")}");
        using (var stale = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified))
        {
            // .NET removes the name it bound; a second name of the same socket stays, as after a process that was killed.
            stale.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(uri.Path + "2"));
            System.Diagnostics.Process.Start("/bin/ln", [uri.Path + "2", uri.Path]).WaitForExit();
        }

        using var listener = ChannelListener.Listen(uri);

        Assert.Throws<IOException>(() => ChannelListener.Listen(uri));
        File.WriteAllText(folder.File("file"), "precious");
        Assert.Throws<IOException>(() => ChannelListener.Listen(MigrationUri.Parse($"unix:{folder.File("file")}")));
        Assert.Equal("precious", File.ReadAllText(folder.File("file")));
    }

    /// <summary>A machine that is ended while its stream's last bytes are read must not take the process with it.</summary>
    [Fact]
    public void A_file_that_was_shut_down_is_a_broken_connection()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("stream"), "bytes");
        using var listener = ChannelListener.Listen(MigrationUri.Parse($"file:{folder.File("stream")}"));
        using var channel = listener.Accept(CancellationToken.None);
        Assert.Equal(5, channel.Read(new byte[8]));

        channel.Shutdown();

        Assert.Throws<IOException>(() => channel.Read(new byte[8]));
        Assert.Throws<IOException>(() => channel.Write([1]));
    }

    [Fact]
    public async Task Shutdown_wakes_a_blocked_reader()
    {
        using var folder = new TemporaryFolder();
        using var listener = ChannelListener.Listen(MigrationUri.Parse($"unix:{folder.File("s")}"));
        using var source = ChannelConnector.Connect(listener.Address, returnPath: false);
        using var destination = listener.Accept(CancellationToken.None);
        var read = Task.Run(() => destination.Read(new byte[1]));

        await Task.Delay(50);
        Assert.False(read.IsCompleted);
        destination.Shutdown();

        Assert.Equal(0, await read.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public void A_command_is_read_and_written()
    {
        using var listener = ChannelListener.Listen(MigrationUri.Parse("exec:echo hello; cat >&2"));
        using var channel = listener.Accept(CancellationToken.None);

        channel.Write("to standard error"u8);
        channel.CloseWrite();
        Assert.Equal("hello\n"u8.ToArray(), ReadAll(channel));
        channel.WaitForPeer();
    }

    [Fact]
    public void What_cant_be_opened_names_its_address()
    {
        foreach (var uri in new[] { "tcp:127.0.0.1:1", "unix:/does/not/exist", "file:/does/not/exist" })
            Assert.Contains(uri[(uri.IndexOf(':', StringComparison.Ordinal) + 1)..], Assert.ThrowsAny<IOException>(() => ChannelConnector.Connect(MigrationUri.Parse(uri), false)).Message, StringComparison.Ordinal);
    }

    private static byte[] ReadAll(Channel channel)
    {
        var all = new List<byte>();
        var buffer = new byte[2];
        int count;
        while ((count = channel.Read(buffer)) > 0)
            all.AddRange(buffer.AsSpan(0, count));
        return [.. all];
    }
}

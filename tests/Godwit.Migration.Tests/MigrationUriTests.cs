using Godwit.Migration.Channels;

namespace Godwit.Migration.Tests;

public sealed class MigrationUriTests
{
    public static TheoryData<string, MigrationUri> Addresses => new()
    {
        { "tcp:127.0.0.1:4444", new MigrationUri(MigrationScheme.Tcp, Host: "127.0.0.1", Port: 4444) },
        { "tcp::0", new MigrationUri(MigrationScheme.Tcp) },
        { "tcp:[::1]:5", new MigrationUri(MigrationScheme.Tcp, Host: "::1", Port: 5) },
        { "unix:/run/a:b", new MigrationUri(MigrationScheme.Unix, Path: "/run/a:b") },
        { "fd:7", new MigrationUri(MigrationScheme.Fd, Descriptor: 7) },
        { "exec:cat > 'x,offset=2'", new MigrationUri(MigrationScheme.Exec, Command: "cat > 'x,offset=2'") },
        { "file:/a,b", new MigrationUri(MigrationScheme.File, Path: "/a,b") },
        { "file:/a,offset=4096", new MigrationUri(MigrationScheme.File, Path: "/a", FileOffset: 4096) },
        { "file:/a,offset=1.5k", new MigrationUri(MigrationScheme.File, Path: "/a", FileOffset: 1536) },
        { "file:/a,offset=0x1000", new MigrationUri(MigrationScheme.File, Path: "/a", FileOffset: 4096) },
    };

    [Theory]
    [MemberData(nameof(Addresses))]
    public void QEMUs_spellings_are_understood(string text, MigrationUri expected)
    {
        var uri = MigrationUri.Parse(text);

        Assert.Equal(expected, uri);
        Assert.Equal(expected, MigrationUri.Parse(uri.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("nothing")]
    [InlineData("tcp:")]
    [InlineData("tcp:host")]
    [InlineData("tcp:host:70000")]
    [InlineData("tcp:host:-1")]
    [InlineData("fd:x")]
    [InlineData("unix:")]
    [InlineData("file:/a,offset=")]
    [InlineData("file:/a,offset=-5")]
    [InlineData("file:/a,offset=99999999999999999999")]
    [InlineData("rdma:host:1")]
    [InlineData("http://x")]
    public void Anything_else_is_refused_with_the_text_in_the_message(string text)
    {
        var error = Assert.Throws<FormatException>(() => MigrationUri.Parse(text));

        Assert.Contains($"'{text}'", error.Message, StringComparison.Ordinal);
    }
}

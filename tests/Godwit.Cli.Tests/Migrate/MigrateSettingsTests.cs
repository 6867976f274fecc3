using System.Text.Json;
using Godwit.Cli.Migrate;
using Godwit.Monitor;

namespace Godwit.Cli.Tests.Migrate;

public sealed class MigrateSettingsTests
{
    [Theory]
    [InlineData("xbzrle", "xbzrle", true)]
    [InlineData("xbzrle=on", "xbzrle", true)]
    [InlineData("xbzrle=off", "xbzrle", false)]
    public void Capabilities(string word, string name, bool on)
    {
        Assert.Equal(KeyValuePair.Create(name, on), MigrateSettings.Capability(word));
    }

    [Theory]
    [InlineData("")]
    [InlineData("=on")]
    [InlineData("xbzrle=maybe")]
    public void No_capability(string word)
    {
        Assert.Throws<FormatException>(() => MigrateSettings.Capability(word));
    }

    [Theory]
    [InlineData("downtime-limit")]
    [InlineData("=5")]
    public void No_parameter(string word)
    {
        Assert.Throws<FormatException>(() => MigrateSettings.Parameter(word));
    }

    [Theory]
    [InlineData("100", "300", "100")]
    [InlineData("32M", "134217728", "33554432")]
    [InlineData("1.5k", "0", "1536")]
    [InlineData("on", "false", "true")]
    [InlineData("off", "true", "false")]
    [InlineData("100", "\"\"", "\"100\"")]
    [InlineData("zstd", "\"none\"", "\"zstd\"")]
    [InlineData("7", "null", "7")]
    [InlineData("on", "null", "true")]
    [InlineData("legacy", "null", "\"legacy\"")]
    [InlineData("a=b", "null", "\"a=b\"")]
    public void A_parameter_has_the_type_that_the_machine_has_it_in(string text, string current, string expected)
    {
        Assert.Equal(expected, MigrateSettings.Typed("p", MigrateSettings.Parameter($"p={text}").Value, Element(current)).ToJsonString());
    }

    [Theory]
    [InlineData("many", "300")]
    [InlineData("-1", "300")]
    [InlineData("2", "true")]
    public void A_parameter_of_another_type_is_refused(string text, string current)
    {
        Assert.Contains("'p'", Assert.Throws<FormatException>(() => MigrateSettings.Typed("p", text, Element(current))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/run/qmp", "/run/qmp")]
    [InlineData("unix:/run/qmp", "/run/qmp")]
    [InlineData("tcp:localhost:4444", "tcp:localhost:4444")]
    [InlineData("tcp:[::1]:4444", "tcp:[::1]:4444")]
    [InlineData("tcp::4444", "tcp::4444")]
    public void A_monitors_address(string text, string expected)
    {
        Assert.Equal(expected, QmpAddress.Parse(text).ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("unix:")]
    [InlineData("tcp:host")]
    [InlineData("tcp:host:0")]
    [InlineData("tcp:host:99999")]
    public void No_monitors_address(string text)
    {
        Assert.Throws<FormatException>(() => QmpAddress.Parse(text));
    }

    private static JsonElement Element(string json) => JsonDocument.Parse(json).RootElement;
}

using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Godwit.Monitor.Server;

namespace Godwit.Monitor.Tests;

/// <summary>Bytes into values, and what is said of those that are none: QEMU's words, at QEMU's places.</summary>
public sealed class JsonInputTests
{
    private static readonly JsonSerializerOptions Deep = new() { MaxDepth = 2000 };

    private static List<string> Feed(params IEnumerable<byte[]> parts)
    {
        var found = new List<string>();
        using var input = new JsonInput((value, error) => found.Add(error ?? value?.ToJsonString(Deep) ?? "null"));
        foreach (var part in parts)
            input.Feed(part);
        return found;
    }

    private static List<string> Feed(string text) => Feed([Encoding.Latin1.GetBytes(text)]);

    [Theory]
    [InlineData("{]", "1:2: JSON parse error, expecting key")]
    [InlineData("}", "1:1: JSON parse error, expecting value")]
    [InlineData("{a}", "1:2: JSON parse error, expecting key")]
    [InlineData("{\"a\"}", "1:5: JSON parse error, expecting ':'")]
    [InlineData("{\"a\":1 \"b\":2}", "1:8: JSON parse error, expected ',' or '}'")]
    [InlineData("[1 2]", "1:4: JSON parse error, expected ',' or ']'")]
    [InlineData("{\"a\":1]", "1:8: JSON parse error, expected ',' or '}'")]
    [InlineData("{\"a\":1,\"a\":{}}", "1:13: JSON parse error, duplicate key")]
    [InlineData("{\"a\":tru }", "1:6: JSON parse error, invalid keyword 'tru'")]
    [InlineData("[\"\\x\"]", "1:2: JSON parse error, invalid escape sequence in string")]
    [InlineData("[\"\\ud800\"]", "1:2: JSON parse error, \\ud800 is not a valid Unicode character")]
    [InlineData("[\"\u00FF", "1:2: JSON parse error, stray '\"\uFFFD'")]
    [InlineData("[\"\u00C3(\"]", "1:2: JSON parse error, invalid UTF-8 sequence in string")]
    [InlineData("[\"\u00EF\u00BF\u00BE\"]", "1:2: JSON parse error, invalid UTF-8 sequence in string")]
    [InlineData("\n @", "2:2: JSON parse error, stray '@'")]
    public void What_is_no_value(string text, string error)
    {
        Assert.Equal(error, Feed(text)[0]);
    }

    [Theory]
    [InlineData("[1,-0,1.5,1e3,18446744073709551615,true,null]")]
    [InlineData("{'a':\"it's\",\"b\":'\"'}")]
    [InlineData("{\"a\":\"\\u00e9\\ud83d\\ude00\\n\",\"b\":[[],{}]}")]
    [InlineData("{\"a\":1}{\"b\":[2]} \"c\" 5 {\"d\":@}{\"e\":0}")]
    public void However_it_is_split_it_is_the_same(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text + "\n");
        var whole = Feed(bytes);
        Assert.NotEmpty(whole);
        for (var i = 0; i <= bytes.Length; i++)
            Assert.Equal(whole, Feed(bytes[..i], bytes[i..]));
        Assert.Equal(whole, Feed(bytes.Select(b => new[] { b })));
    }

    [Fact]
    public void Several_values_at_once_are_several()
    {
        Assert.Equal(["{\"a\":1}", "{\"b\":2}", "{\"c\":3}"], Feed("{\"a\":1}{\"b\":2}\n{\"c\":3}"));
    }

    [Theory]
    [InlineData(1024, false)]
    [InlineData(1025, true)]
    public void Nesting_has_a_limit(int depth, bool tooDeep)
    {
        var found = Feed(new string('[', depth) + new string(']', depth));
        Assert.Equal(tooDeep, found[0] == "JSON nesting depth limit exceeded");
        Assert.Equal("[2]", Feed(new string('[', depth) + new string(']', depth) + "\n\u00FF\n[2]")[^1]);
    }

    [Fact]
    public void A_string_that_never_ends_is_given_up()
    {
        var part = new byte[1 << 20];
        Array.Fill(part, (byte)'x');
        var found = Feed(Enumerable.Repeat(part, 65).Prepend("\""u8.ToArray()).Append("\"\n{}"u8.ToArray()));
        Assert.Equal("JSON token size limit exceeded", found[0]);
        Assert.Equal("{}", found[^1]);
    }

    [Fact]
    public void A_list_of_too_many_things_is_given_up()
    {
        var part = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("0,", 1 << 20)));
        Assert.Equal("JSON token count limit exceeded", Feed("["u8.ToArray(), part, "0,"u8.ToArray())[0]);
    }

    [Theory]
    [InlineData("1E+22", "1e+22")]
    [InlineData("1e400", "inf")]
    [InlineData("-1e400", "-inf")]
    [InlineData("0.1", "0.10000000000000001")]
    [InlineData("1.0", "1")]
    [InlineData("0.00001", "1.0000000000000001e-05")]
    [InlineData("18446744073709551615", "18446744073709551615")]
    [InlineData("\"\\u007f\\u00e9\\n\"", "\"\\u007F\\u00E9\\n\"")]
    [InlineData("{'b':[1,{}]}", "{\"b\": [1, {}]}")]
    public void Values_go_out_in_QEMUs_spelling(string value, string expected)
    {
        JsonNode? read = null;
        using var input = new JsonInput((v, _) => read = v);
        input.Feed(Encoding.ASCII.GetBytes($"[{value}]"));
        Assert.Equal($"[{expected}]\r\n", Encoding.ASCII.GetString(JsonOutput.Line(read!)));
    }
}

using System.Text;
using Godwit.Wire.VmState;

namespace Godwit.Wire.Tests;

public sealed class VmStateTests
{
    private const string Json = """
        {"configuration": {"vmsd_name": "configuration", "version": 1, "fields": []}, "page_size": 4096, "devices": [
          {"name": "dev", "instance_id": 3, "vmsd_name": "dev", "version": 2, "fields": [
            {"name": "a", "type": "uint16", "size": 2},
            {"name": "s", "array_len": 2, "type": "struct", "struct": {"vmsd_name": "inner", "version": 1, "fields": [
              {"name": "x", "type": "int8", "size": 1}, {"name": "y", "type": "bool", "size": 1}]}, "size": 2},
            {"name": "p", "index": 1, "type": "nullptr", "size": 1},
            {"name": "t", "type": "timer", "size": 8}],
           "subsections": [{"vmsd_name": "dev/more", "version": 1, "fields": [{"name": "b", "type": "buffer", "size": 3}]}]}]}
        """;

    private static readonly byte[] Body =
    [
        0x12, 0x34, 0xff, 0x01, 0x02, 0x00, (byte)'0', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0x05, 8, .. Encoding.ASCII.GetBytes("dev/more"), 0, 0, 0, 1, 0xaa, 0xbb, 0xcc,
    ];

    [Fact]
    public void A_device_is_as_long_as_its_fields_and_subsections()
    {
        var description = VmDescription.Parse(Encoding.UTF8.GetBytes(Json));

        Assert.Equal(4096, description.PageSize);
        Assert.Equal(Body.Length, description.Devices[0].Length());
    }

    [Fact]
    public void Fields_get_their_values()
    {
        var values = Decode(Body);

        Assert.Equal(["a", "s", "p[1]", "t", "dev/more"], values.Select(v => v.Name));
        Assert.Equal("0x1234", values[0].Text);
        Assert.Equal(["-1", "true"], values[1].Children[0].Children.Select(v => v.Text));
        Assert.Equal(["2", "false"], values[1].Children[1].Children.Select(v => v.Text));
        Assert.Equal("nullptr", values[2].Text);
        Assert.Equal("off", values[3].Text);
        Assert.True(values[4].IsSubsection);
        Assert.Equal(("b", "aabbcc", 29L), (values[4].Children[0].Name, values[4].Children[0].Text, values[4].Children[0].Offset));
    }

    [Fact]
    public void A_body_cut_at_any_byte_says_where_and_keeps_what_came()
    {
        var device = VmDescription.Parse(Encoding.UTF8.GetBytes(Json)).Devices[0];
        for (var cut = 0; cut < Body.Length; cut++)
        {
            var values = new List<VmValue>();
            var error = Assert.Throws<MigrationStreamException>(() => VmStateDecoder.Decode(device, Body.AsSpan(0, cut), "dev/3", 1000, values));
            Assert.InRange(error.Offset, 1000, 1000 + cut);
            Assert.Equal("dev/3", error.Section);
            Assert.Equal(cut >= 2, values.Count > 0);
        }
    }

    [Fact]
    public void A_subsection_that_is_another_is_named()
    {
        var body = (byte[])Body.Clone();
        body[17] = (byte)'X';

        var error = Assert.Throws<MigrationStreamException>(() => Decode(body));

        Assert.Equal("dev/more", error.Field);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"devices\": 3}")]
    [InlineData("{\"devices\": [3]}")]
    [InlineData("{\"devices\": [{\"fields\": {}}]}")]
    [InlineData("{\"devices\": [{\"fields\": [{\"name\": \"x\", \"type\": \"uint8\"}]}]}")]
    [InlineData("{\"devices\": [{\"name\": 5, \"fields\": []}]}")]
    [InlineData("{\"devices\": [{\"fields\": [{\"name\": \"x\", \"type\": \"uint8\", \"size\": \"big\"}]}]}")]
    public void A_description_of_another_shape_is_refused(string json)
    {
        Assert.Throws<FormatException>(() => VmDescription.Parse(Encoding.UTF8.GetBytes(json)));
    }

    [Fact]
    public void A_description_nested_without_end_is_refused()
    {
        var json = string.Concat(Enumerable.Repeat("{\"devices\":[", 5000));

        Assert.Throws<FormatException>(() => VmDescription.Parse(Encoding.UTF8.GetBytes(json)));
    }

    [Fact]
    public void Sizes_that_overflow_are_no_length()
    {
        const string Huge = """{"devices": [{"name": "d", "instance_id": 0, "fields": [{"name": "x", "type": "buffer", "array_len": 2000000000, "size": 9000000000000000000}]}]}""";

        Assert.Null(VmDescription.Parse(Encoding.UTF8.GetBytes(Huge)).Devices[0].Length());
    }

    [Fact]
    public void Two_billion_elements_of_nothing_end()
    {
        const string Endless = """{"devices": [{"name": "d", "instance_id": 0, "fields": [{"name": "x", "type": "uint8", "array_len": 2000000000, "size": 0}]}]}""";
        var device = VmDescription.Parse(Encoding.UTF8.GetBytes(Endless)).Devices[0];

        Assert.Throws<MigrationStreamException>(() => VmStateDecoder.Decode(device, [], "d", 0, []));
    }

    private static List<VmValue> Decode(byte[] body)
    {
        var values = new List<VmValue>();
        VmStateDecoder.Decode(VmDescription.Parse(Encoding.UTF8.GetBytes(Json)).Devices[0], body, "dev/3", 0, values);
        return values;
    }
}

using System.Text;
using System.Text.Json;
using Godwit.Wire.VmState;
using Field = Godwit.Wire.VmState.Field<Godwit.Wire.Tests.Declarations.Controller>;

namespace Godwit.Wire.Tests.Declarations;

public sealed class StaticDumpTests
{
    [Fact]
    public void A_device_is_dumped_in_QEMUs_shape()
    {
        const string Expected =
            """
            {"dev":{"Name":"dev","version_id":4,"minimum_version_id":2,"Description":{"name":"controller","version_id":4,"minimum_version_id":2,"Fields":[
            {"field":"mode","version_id":0,"field_exists":false,"size":1},
            {"field":"old","version_id":0,"field_exists":true,"size":2},
            {"field":"new","version_id":3,"field_exists":false,"size":4},
            {"field":"by mode","version_id":0,"field_exists":true,"size":4},
            {"field":"disks","version_id":0,"field_exists":false,"size":0,"Description":{"name":"disk","version_id":3,"minimum_version_id":3,"Fields":[
            {"field":"sector","version_id":0,"field_exists":false,"size":8}],"Subsections":[{"name":"disk/error","version_id":1,"minimum_version_id":1,"Fields":[
            {"field":"error","version_id":0,"field_exists":false,"size":1}]}]}}],"Subsections":[
            {"name":"controller/first","version_id":2,"minimum_version_id":1,"Fields":[{"field":"extra0","version_id":0,"field_exists":false,"size":4}]},
            {"name":"controller/second","version_id":2,"minimum_version_id":1,"Fields":[{"field":"extra1","version_id":0,"field_exists":false,"size":4}],"Subsections":[
            {"name":"controller/second/inner","version_id":2,"minimum_version_id":1,"Fields":[{"field":"extra2","version_id":0,"field_exists":false,"size":4}],"Subsections":[
            {"name":"controller/second/inner/most","version_id":2,"minimum_version_id":1,"Fields":[{"field":"extra3","version_id":0,"field_exists":false,"size":4}]}]}]}]}}}
            """;

        Assert.Equal(Expected.Replace("\n", "", StringComparison.Ordinal), Dump(Controller.Declaration));
    }

    /// <summary>QEMU leaves it at that where it takes no older version: what is always there needs no version of its own.</summary>
    [Fact]
    public void A_version_that_is_loaded_here_alone_does_not_show()
    {
        var declaration = new VmStateDescription<Controller>("c", 3, 1)
        {
            QemuMinimumVersion = 2,
            Fields = [Field.Int32Array("a", _ => []).Since(2).Fixed(7), Field.UInt8("b", _ => 0, (_, _) => { }).Since(3).InHost(16)],
        };

        Assert.Equal(
            """
            {"dev":{"Name":"dev","version_id":3,"minimum_version_id":2,"Description":{"name":"c","version_id":3,"minimum_version_id":2,"Fields":[
            {"field":"a","version_id":0,"field_exists":false,"num":7,"size":4},{"field":"b","version_id":3,"field_exists":false,"size":16}]}}}
            """.Replace("\n", "", StringComparison.Ordinal),
            Dump(declaration));
    }

    private static string Dump(VmStateDescription<Controller> declaration)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            VmStateDump.WriteDevice("dev", declaration, json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }
}

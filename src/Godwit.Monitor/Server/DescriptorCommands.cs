using System.Text.Json.Nodes;
using Godwit.Migration;
using Godwit.Migration.Channels;

namespace Godwit.Monitor.Server;

/// <summary>add-fd, remove-fd, query-fdsets, getfd and closefd. Source: QEMU qapi/misc.json, monitor/fds.c.</summary>
internal static class DescriptorCommands
{
    public static JsonNode Add(QmpArguments arguments)
    {
        var set = arguments.OptionalInteger("fdset-id");
        var opaque = arguments.OptionalString("opaque");
        arguments.Finish();
        var file = arguments.TakeDescriptor() ?? throw new QmpError("No file descriptor supplied via SCM_RIGHTS");
        try
        {
            var number = DescriptorSets.Number(file);
            return new JsonObject { ["fd"] = number, ["fdset-id"] = DescriptorSets.Add(file, set, opaque) };
        }
        catch (MigrationRefusedException)
        {
            file.Dispose();
            throw;
        }
    }

    public static JsonNode? Remove(QmpArguments arguments)
    {
        var set = arguments.Integer("fdset-id");
        var descriptor = arguments.OptionalInteger("fd");
        arguments.Finish();
        DescriptorSets.Remove(set, descriptor);
        return null;
    }

    /// <summary>QEMU lists the sets from the last to the first.</summary>
    public static JsonNode Query(QmpArguments arguments)
    {
        arguments.Finish();
        return new JsonArray([.. DescriptorSets.List().Reverse().Select(s => (JsonNode)new JsonObject
        {
            ["fds"] = new JsonArray([.. s.Files.Select(Describe)]),
            ["fdset-id"] = s.Set,
        })]);
    }

    public static JsonNode? Get(QmpArguments arguments)
    {
        var name = arguments.String("fdname");
        arguments.Finish();
        NamedDescriptors.Add(name, arguments.TakeDescriptor() ?? throw new QmpError("No file descriptor supplied via SCM_RIGHTS"));
        return null;
    }

    public static JsonNode? Close(QmpArguments arguments)
    {
        var name = arguments.String("fdname");
        arguments.Finish();
        NamedDescriptors.Close(name);
        return null;
    }

    private static JsonNode Describe(AddedDescriptor file)
    {
        var members = new JsonObject { ["fd"] = file.Descriptor };
        if (file.Opaque is not null)
            members["opaque"] = file.Opaque;
        return members;
    }
}

using System.CommandLine;
using Godwit.Archive;

namespace Godwit.Cli.Commands;

/// <summary>File formats on the command line: <c>stream</c> and <c>mapped-ram</c>.</summary>
internal static class Formats
{
    public const string Stream = "stream";
    public const string MappedRam = "mapped-ram";

    public static Option<StreamFormat> Option(string name, bool required, string description) => new(name)
    {
        Description = description,
        Required = required,
        HelpName = $"{Stream}|{MappedRam}",
        CustomParser = result =>
        {
            switch (result.Tokens[0].Value)
            {
                case MappedRam:
                    return StreamFormat.MappedRam;
                case Stream:
                    return StreamFormat.Stream;
                default:
                    result.AddError($"{name} is {Stream} or {MappedRam}");
                    return default;
            }
        },
    };

    public static string Name(StreamFormat format) => format == StreamFormat.MappedRam ? MappedRam : Stream;
}

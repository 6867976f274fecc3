using System.CommandLine;
using System.Globalization;
using Godwit.Migration.Channels;

namespace Godwit.Cli.Commands;

/// <summary>Options that are numbers with bounds.</summary>
internal static class Numbers
{
    public static Option<int?> Option(string name, int least, int most, string description)
    {
        var option = new Option<int?>(name) { Description = description, HelpName = "N" };
        option.Validators.Add(result =>
        {
            if (result.Tokens is not [var token] || !int.TryParse(token.Value, CultureInfo.InvariantCulture, out var value) || value < least || value > most)
                result.AddError($"{name} is a number from {least} to {most}");
        });
        return option;
    }

    /// <summary>Where in a file a stream begins: <c>--offset N</c>, as file:PATH,offset=N has it.</summary>
    public static Option<long> OffsetOption() => new("--offset")
    {
        Description = "Where in the file the stream begins, in bytes, as file:PATH,offset=N wrote it",
        HelpName = "N",
        CustomParser = result =>
        {
            if (!ByteSize.TryParse(result.Tokens[0].Value, 1, out var offset) || offset > long.MaxValue)
                result.AddError("--offset is a number of bytes");
            return (long)offset;
        },
    };
}

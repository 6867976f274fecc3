using System.CommandLine;
using System.Globalization;

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
        Description = "Where in the file the stream begins, in bytes, as file:PATH,offset=N wrote it; 0x for hexadecimal",
        HelpName = "N",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            var hex = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
            if (!long.TryParse(hex ? text[2..] : text, hex ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out var offset) || offset < 0)
                result.AddError("--offset is a number of bytes");
            return offset;
        },
    };
}

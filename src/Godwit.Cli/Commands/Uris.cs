using System.CommandLine;
using Godwit.Migration.Channels;

namespace Godwit.Cli.Commands;

/// <summary>Migration addresses on the command line.</summary>
internal static class Uris
{
    public static Argument<MigrationUri> Argument(string description)
    {
        return new Argument<MigrationUri>("URI")
        {
            Description = $"{description}: tcp:HOST:PORT, unix:PATH, fd:N, exec:COMMAND or file:PATH[,offset=N]",
            CustomParser = result =>
            {
                try
                {
                    return MigrationUri.Parse(result.Tokens[0].Value);
                }
                catch (FormatException e)
                {
                    result.AddError(e.Message);
                    return null;
                }
            },
        };
    }

    public static Option<int?> PageSizeOption() => new("--page-size")
    {
        Description = "Bytes of a target page, for a stream that doesn't say it and whose pages don't show it",
        Validators =
        {
            result =>
            {
                if (result.Tokens is not [var token] || !int.TryParse(token.Value, out var size) || !System.Numerics.BitOperations.IsPow2(size) || size is < 256 or > 65536)
                    result.AddError("--page-size is a power of two from 256 to 65536");
            },
        },
    };
}

using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Godwit.Testing;

namespace Godwit.Interop.Tests.Qmp;

/// <summary>What is said to a monitor, line by line, out of a file of the folder Dialogues. A line is sent as it stands, with $folder for the machine's own
/// folder and &lt;FF&gt; for a byte; lines that begin with a point are short for commands, tell what to wait for, or have an open file go with the rest of the line (.with-file r|w|rw PATH).</summary>
internal sealed partial class Dialogue
{
    private Dialogue(string[] options, List<Step> steps)
    {
        Options = options;
        Steps = steps;
    }

    /// <summary>For both machines, besides the usual ones.</summary>
    public string[] Options { get; }

    public IReadOnlyList<Step> Steps { get; }

    /// <summary>Whether events come when a migration has got there, and not at a certain step.</summary>
    public bool IsLoose => Steps.Any(s => s.Text == ".settle" || s.Text.StartsWith(".wait-migrate", StringComparison.Ordinal));

    private static string Folder => Repository.Path("tests", "Godwit.Interop.Tests", "Qmp", "Dialogues");

    public static IEnumerable<string> Names => Directory.GetFiles(Folder, "*.txt").Select(p => Path.GetFileNameWithoutExtension(p)).Order(StringComparer.Ordinal);

    /// <param name="Text">What is sent, or a wait.</param>
    /// <param name="Differs">Why the answers must differ; null where they must be equal.</param>
    public sealed record Step(string Text, string? Differs)
    {
        public List<string> Run(QmpConversation machine)
        {
            var words = Text.Split(' ');
            return words[0] switch
            {
                ".wait-migrate" => machine.WaitFor("query-migrate", words[1]),
                ".settle" => machine.Settle(),
                ".with-file" => machine.SayWith(words[1], words[2].Replace("$folder", machine.Folder, StringComparison.Ordinal), Bytes(string.Join(' ', words[3..]) + "\n")),
                ".wait-run" => machine.WaitFor("query-status", words[1]),
                _ => machine.Say(Bytes(Text.Replace("$folder", machine.Folder, StringComparison.Ordinal) + "\n")),
            };
        }
    }

    public static Dialogue Read(string name)
    {
        string[] options = [];
        var steps = new List<Step>();
        string? differs = null;
        foreach (var line in File.ReadLines(Path.Combine(Folder, name + ".txt")).Where(l => l.Length > 0 && l[0] != '#'))
        {
            var words = line.Split(' ');
            switch (words[0])
            {
                case ".options":
                    options = words[1..];
                    continue;
                case ".differs":
                    differs = line;
                    continue;
                case ".parameter":
                    foreach (var value in words[2..])
                        steps.Add(new Step($$"""{"execute":"migrate-set-parameters","arguments":{"{{words[1]}}":{{value}} } }""", differs));
                    break;
                case ".capabilities":
                    var changes = words[1..].Select(w => $$"""{"capability":"{{w[1..]}}","state":{{(w[0] == '+' ? "true" : "false")}} }""");
                    steps.Add(new Step($$"""{"execute":"migrate-set-capabilities","arguments":{"capabilities":[{{string.Join(',', changes)}}] } }""", differs));
                    break;
                default:
                    steps.Add(new Step(line, differs));
                    break;
            }

            differs = null;
        }

        return new Dialogue(options, steps);
    }

    private static byte[] Bytes(string text)
    {
        var bytes = new List<byte>();
        var at = 0;
        foreach (var match in ByteForm().EnumerateMatches(text))
        {
            bytes.AddRange(Encoding.UTF8.GetBytes(text[at..match.Index]));
            bytes.Add(byte.Parse(text.AsSpan(match.Index + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
            at = match.Index + match.Length;
        }

        bytes.AddRange(Encoding.UTF8.GetBytes(text[at..]));
        return [.. bytes];
    }

    [GeneratedRegex("<[0-9A-F]{2}>", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex ByteForm();
}

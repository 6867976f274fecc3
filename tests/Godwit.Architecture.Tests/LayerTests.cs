using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Godwit.Testing;

namespace Godwit.Architecture.Tests;

/// <summary>The house rules that a compiler doesn't keep.</summary>
public sealed partial class LayerTests
{
    private const int MaxLines = 800;

    /// <summary>What each project may stand on; everything not here may stand on nothing.</summary>
    private static readonly Dictionary<string, string[]> Arrows = new(StringComparer.Ordinal)
    {
        ["Godwit.Wire"] = [],
        ["Godwit.Linux"] = [],
        ["Godwit.Memory"] = ["Godwit.Linux"],
        ["Godwit.Migration"] = ["Godwit.Wire", "Godwit.Linux", "Godwit.Memory"],
        ["Godwit.Devices"] = ["Godwit.Wire", "Godwit.Linux", "Godwit.Memory", "Godwit.Migration"],
        ["Godwit.Machine"] = ["Godwit.Wire", "Godwit.Linux", "Godwit.Memory", "Godwit.Migration", "Godwit.Devices"],
        ["Godwit.Monitor"] = ["Godwit.Wire", "Godwit.Linux", "Godwit.Migration"],
        ["Godwit.Archive"] = ["Godwit.Wire", "Godwit.Linux", "Godwit.Migration"],
        ["godwit"] = ["Godwit.Wire", "Godwit.Migration", "Godwit.Archive", "Godwit.Monitor", "Godwit.Linux", "Godwit.Memory", "Godwit.Devices", "Godwit.Machine"],
    };

    public static TheoryData<string> Projects => [.. Directory.GetDirectories(Repository.Path("src")).Select(d => Path.GetFileName(d))];

    private static IEnumerable<string> Sources => Directory.EnumerateFiles(Repository.Path("src"), "*.cs", SearchOption.AllDirectories)
        .Concat(Directory.EnumerateFiles(Repository.Path("tests"), "*.cs", SearchOption.AllDirectories))
        .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal));

    private static IEnumerable<string> Documents => Directory.EnumerateFiles(Repository.Path("docs"), "*.md", SearchOption.AllDirectories)
        .Concat([Repository.Path("README.md"), Repository.Path("ARCHITECTURE.md")]);

    [Theory]
    [MemberData(nameof(Projects))]
    public void Arrows_run_one_way(string project)
    {
        var assembly = Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, project == "Godwit.Cli" ? "godwit.dll" : project + ".dll"));
        var used = assembly.GetReferencedAssemblies().Select(r => r.Name!).Where(n => n.StartsWith("Godwit", StringComparison.Ordinal)).ToList();

        Assert.All(used, u => Assert.Contains(u, Arrows[assembly.GetName().Name!]));
    }

    [Fact]
    public void The_wire_depends_on_nothing_and_does_no_input_or_output()
    {
        var project = XDocument.Load(Repository.Path("src", "Godwit.Wire", "Godwit.Wire.csproj"));
        Assert.Empty(project.Descendants("PackageReference"));
        Assert.Empty(project.Descendants("ProjectReference"));
        var forbidden = Sources.Where(f => f.Contains("/src/Godwit.Wire/", StringComparison.Ordinal))
            .Where(f => IoWords().IsMatch(File.ReadAllText(f)));
        Assert.Empty(forbidden);
    }

    [Fact]
    public void Unsafe_code_and_system_calls_stay_where_they_belong()
    {
        var wrong = Sources.Where(f => f.Contains("/src/", StringComparison.Ordinal))
            .Where(f => !f.Contains("/src/Godwit.Linux/", StringComparison.Ordinal) && !f.Contains("/src/Godwit.Memory/", StringComparison.Ordinal))
            .Where(f => UnsafeWords().IsMatch(File.ReadAllText(f)));

        Assert.Empty(wrong);
    }

    [Fact]
    public void No_file_is_too_long()
    {
        Assert.All(Sources, f => Assert.True(File.ReadAllLines(f).Length <= MaxLines, f));
    }

    [Fact]
    public void No_name_says_nothing()
    {
        var vague = Sources.Where(f => VagueNames().IsMatch(Path.GetFileNameWithoutExtension(f)));

        Assert.Empty(vague);
    }

    /// <summary>Every path in backquotes or links that begins like one of the checkout's folders exists.</summary>
    [Fact]
    public void Paths_named_in_documents_exist()
    {
        var missing = Documents.SelectMany(d => PathWords().Matches(File.ReadAllText(d)).Select(m => (Document: d, Path: m.Value.TrimEnd('/', '.'))))
            .Where(p => !File.Exists(Repository.Path(p.Path)) && !Directory.Exists(Repository.Path(p.Path)))
            .Select(p => $"{Path.GetRelativePath(Repository.Root, p.Document)}: {p.Path}");

        Assert.Empty(missing);
    }

    [Fact]
    public void Every_wire_page_names_its_source_file_and_QEMUs()
    {
        var pages = Directory.GetFiles(Repository.Path("docs", "wire"), "*.md");
        Assert.NotEmpty(pages);
        Assert.All(pages, p =>
        {
            var text = File.ReadAllText(p);
            Assert.Matches("src/Godwit\\.Wire/", text);
            Assert.Matches("QEMU.*`(migration|hw|qapi|docs)/", text);
        });
    }

    [GeneratedRegex(@"(?<![\w/.-])(src|tests|docs|guests|eng|bench)/[\w./-]+", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex PathWords();

    [GeneratedRegex(@"\b(unsafe|LibraryImport|DllImport)\b", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex UnsafeWords();

    [GeneratedRegex(@"System\.IO|System\.Net|System\.Threading|FileStream|\bThread\b|\bTask\b", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex IoWords();

    [GeneratedRegex("(Util|Helper|Common|Manager)s?$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex VagueNames();
}

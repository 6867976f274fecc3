using System.Globalization;
using Godwit.SideBySide;

if (args is not [var what, var script, var folder, .. var rest] || what is not ("receive" or "analyze" or "machine" or "migration" or "multifd" or "mapped-ram" or "downtime" or "all"))
{
    Console.Error.WriteLine("called by bench/run");
    return 2;
}

var rounds = rest.Length > 0 ? int.Parse(rest[0], CultureInfo.InvariantCulture) : 5;
var size = (rest.Length > 1 ? long.Parse(rest[1], CultureInfo.InvariantCulture) : what == "downtime" ? 256 : 2048) << 20;
Directory.CreateDirectory(folder);
if (what is "receive" or "all")
    await ReceiveBench.RunAsync(size, rounds, folder);
if (what is "analyze" or "all")
{
    var stream = await ReceiveBench.CaptureAsync(size, folder);
    AnalyzeBench.Run(stream, script, rounds);
    File.Delete(stream);
}

if (what is "migration" or "all")
    await MigrationBench.RunAsync(size, rounds);
if (what is "multifd" or "all")
    await MultifdBench.RunAsync(size, rounds);
if (what is "mapped-ram" or "all")
    await MappedRamBench.RunAsync(size, rounds);
if (what is "machine" or "all")
    await MachineBench.RunAsync(rounds);

if (what is "downtime" or "all")
    await DowntimeBench.RunAsync(rounds, what is "downtime" ? size : 256L << 20);

return 0;

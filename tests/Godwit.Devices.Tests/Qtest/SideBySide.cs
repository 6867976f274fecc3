using System.Globalization;
using Godwit.Devices.Character;

namespace Godwit.Devices.Tests.Qtest;

/// <summary>Real QEMU's board and ours, given the same accesses; every value read must be the same.</summary>
public sealed class SideBySide : IDisposable
{
    private readonly List<string> _script = [];

    public SideBySide(ICharacterBackend? backend = null, params string[] arguments)
        : this("qtest", backend, arguments)
    {
    }

    private SideBySide(string accelerator, ICharacterBackend? backend, params string[] arguments)
    {
        Ours = new VirtDevices(backend);
        Qemu = new QtestMachine(accelerator, arguments);
    }

    public QtestMachine Qemu { get; }

    public VirtDevices Ours { get; }

    /// <summary>With harts that have an S mode, as the interrupt controller's contexts follow them; the clock can't be stepped.</summary>
    public static SideBySide WithSupervisorMode() => new("tcg", null);

    /// <summary>Reads on both sides and compares.</summary>
    public ulong Read(ulong address, int size)
    {
        var expected = Qemu.Read(address, size);
        var actual = Ours.Read(address, size);
        _script.Add(string.Create(CultureInfo.InvariantCulture, $"read{size} {address:x} -> {expected:x}"));
        if (expected != actual)
            Assert.Fail($"QEMU {expected:x}, ours {actual:x}, after\n{string.Join('\n', _script.TakeLast(60))}");
        return actual;
    }

    public void Write(ulong address, int size, ulong value)
    {
        _script.Add(string.Create(CultureInfo.InvariantCulture, $"write{size} {address:x} {value:x}"));
        Qemu.Write(address, size, value);
        Ours.Write(address, size, value);
    }

    public void Step(long nanoseconds)
    {
        _script.Add(string.Create(CultureInfo.InvariantCulture, $"step {nanoseconds}"));
        Qemu.ClockStep(nanoseconds);
        Ours.Clock.Step(nanoseconds);
    }

    /// <summary>Random accesses to some registers, aligned as their size.</summary>
    /// <param name="offsets">Where registers are.</param>
    /// <param name="sizes">Of accesses, in bytes.</param>
    /// <param name="readsOf10">How many of ten accesses are reads.</param>
    /// <param name="maxStep">Sometimes the clock moves by up to so many nanoseconds; 0: never.</param>
    public void Play(int seed, int count, ulong start, IReadOnlyList<ulong> offsets, int[] sizes, int readsOf10 = 5, long maxStep = 0)
    {
        var random = new Random(seed);
        for (var i = 0; i < count; i++)
        {
            if (maxStep > 0 && random.Next(8) == 0)
                Step(random.NextInt64(1, maxStep));
            var size = sizes[random.Next(sizes.Length)];
            var address = start + (offsets[random.Next(offsets.Count)] & ~((ulong)size - 1));
            if (random.Next(10) < readsOf10)
                Read(address, size);
            else
                Write(address, size, Value(random));
        }
    }

    public void Dispose()
    {
        Qemu.Dispose();
        Ours.Dispose();
    }

    // Small numbers, single bits and noise: registers differ in what they make of each.
    private static ulong Value(Random random) => random.Next(3) switch
    {
        0 => (ulong)random.Next(16),
        1 => 1UL << random.Next(64),
        _ => (ulong)random.NextInt64(),
    };
}

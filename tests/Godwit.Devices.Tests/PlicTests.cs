using Godwit.Devices.Tests.Qtest;

namespace Godwit.Devices.Tests;

public sealed class PlicTests
{
    private const ulong Plic = VirtDevices.PlicBase;
    private const string Device = "/machine/unattached/device[3]";

    private static readonly ulong[] Registers =
    [
        .. Enumerable.Range(0, 98).Select(i => (ulong)(4 * i)),
        .. Enumerable.Range(0, 5).Select(i => 0x1000 + (ulong)(4 * i)),
        .. Enumerable.Range(0, 6).SelectMany(c => Enumerable.Range(0, 5).Select(w => 0x2000 + (ulong)(0x80 * c + 4 * w))),
        .. Enumerable.Range(0, 5).SelectMany(c => Enumerable.Range(0, 3).Select(r => 0x200000 + (ulong)(0x1000 * c + 4 * r))),
        0x5ffffc,
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Random_accesses_read_as_in_QEMU(int seed)
    {
        using var both = SideBySide.WithSupervisorMode();

        both.Play(seed, 4000, Plic, Registers, [4, 4, 4, 4, 1, 2]);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public void Sources_are_claimed_and_completed_in_QEMUs_order(int seed)
    {
        using var both = SideBySide.WithSupervisorMode();
        both.Qemu.Ask($"irq_intercept_out {Device}");
        var random = new Random(seed);
        for (var source = 1u; source < 96; source++)
            both.Write(Plic + 4 * source, 4, (ulong)random.Next(8));
        // QEMU takes lines for low when it begins to intercept them, which they are.
        for (var context = 0u; context < 4; context++)
        {
            for (var word = 0u; word < 3; word++)
                both.Write(Plic + 0x2000 + 0x80 * context + 4 * word, 4, (uint)random.NextInt64());
        }

        // QEMU's outputs are SEIP of each hart, then MEIP of each.
        var lines = new bool[4];
        var claimed = new List<(ulong Context, ulong Source)>();
        for (var i = 0; i < 2000; i++)
        {
            var context = (ulong)random.Next(4);
            switch (random.Next(6))
            {
                case 0 or 1:
                    var source = random.Next(1, 96);
                    var level = random.Next(4) != 0;
                    both.Qemu.Ask($"set_irq_in {Device} unnamed-gpio-in {source} {(level ? 1 : 0)}");
                    both.Ours.Plic.Inputs[source].Set(level);
                    break;
                case 2:
                    if (both.Read(Plic + 0x200004 + 0x1000 * context, 4) is > 0 and var taken)
                        claimed.Add((context, taken));
                    break;
                case 3 when claimed.Count > 0:
                    var done = claimed[random.Next(claimed.Count)];
                    both.Write(Plic + 0x200004 + 0x1000 * done.Context, 4, done.Source);
                    claimed.Remove(done);
                    break;
                case 4:
                    both.Write(Plic + 0x200000 + 0x1000 * context, 4, (ulong)random.Next(8));
                    break;
                default:
                    both.Read(Plic + 0x1000 + 4 * (ulong)random.Next(3), 4);
                    break;
            }

            foreach (var change in both.Qemu.Interrupts)
                lines[int.Parse(change.Split(' ')[2])] = change.Contains("raise", StringComparison.Ordinal);
            both.Qemu.Interrupts.Clear();
            bool[] ours = [both.Ours.External[1], both.Ours.External[3], both.Ours.External[0], both.Ours.External[2]];
            Assert.Equal(lines, ours);
        }
    }

    [Fact]
    public void The_highest_priority_goes_first_and_of_equals_the_lowest_source()
    {
        using var ours = new VirtDevices();
        foreach (var source in new[] { 5u, 6u, 40u })
            ours.Write(Plic + 4 * source, 4, source == 5 ? 1u : 2u);
        ours.Write(Plic + 0x2080, 4, (1 << 5) | (1 << 6));
        ours.Write(Plic + 0x2084, 4, 1 << 8);
        foreach (var source in new[] { 5, 40, 6 })
            ours.Plic.Inputs[source].Raise();

        Assert.Equal([false, true, false, false], ours.External);
        Assert.Equal([6u, 40u, 5u, 0u], Enumerable.Range(0, 4).Select(_ => (uint)ours.Read(Plic + 0x201004, 4)));
        Assert.Equal([false, false, false, false], ours.External);
    }

    [Fact]
    public void An_access_that_is_no_word_is_refused()
    {
        using var ours = new VirtDevices();
        Assert.False(ours.Memory.TryLoadDevice(Plic + 4, 8, out _));
        Assert.False(ours.Memory.TryLoadDevice(Plic + 4, 2, out _));
        Assert.False(ours.Memory.TryStoreDevice(Plic + 5, 4, 1));
    }

    [Fact]
    public void A_reset_forgets_all_and_lowers_the_lines()
    {
        using var ours = new VirtDevices();
        ours.Write(Plic + 4 * 5, 4, 1);
        ours.Write(Plic + 0x2000, 4, 1 << 5);
        ours.Plic.Inputs[5].Raise();
        Assert.True(ours.External[0]);

        ours.Plic.Reset();

        Assert.False(ours.External[0]);
        Assert.Equal(0u, ours.Read(Plic + 4 * 5, 4));
        Assert.Equal(0u, ours.Read(Plic + 0x1000, 4));
    }
}

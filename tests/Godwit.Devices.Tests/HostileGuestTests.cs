using Godwit.Devices.Tests.Qtest;

namespace Godwit.Devices.Tests;

public sealed class HostileGuestTests
{
    /// <summary>Any access of any size anywhere on the board is answered or refused; no device throws.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void No_access_throws(int seed)
    {
        using var ours = new VirtDevices();
        var random = new Random(seed);
        var devices = ours.Memory.Regions.Where(r => r.Device is not null).ToList();
        var refused = 0;
        for (var i = 0; i < 300_000; i++)
        {
            var region = devices[random.Next(devices.Count)];
            var size = 1 << random.Next(4);
            // Often near the start or the end, where registers and mistakes are.
            var offset = random.Next(4) switch
            {
                0 => (ulong)random.NextInt64((long)region.Length),
                1 => region.Length - 1 - (ulong)random.Next(Math.Min(64, (int)region.Length)),
                _ => (ulong)random.Next((int)Math.Min(0x300, region.Length)),
            };
            if (random.Next(3) != 0)
                offset &= ~((ulong)size - 1);
            var value = random.Next(2) == 0 ? (ulong)random.NextInt64() : (ulong)random.Next(256);
            var taken = random.Next(2) == 0
                ? ours.Memory.TryLoadDevice(region.Start + offset, size, out _)
                : ours.Memory.TryStoreDevice(region.Start + offset, size, value);
            if (!taken)
                refused++;
            if (random.Next(50) == 0)
                ours.Clock.Step(random.Next(100_000));
        }

        Assert.InRange(refused, 1000, 200_000);
    }
}

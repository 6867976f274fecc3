using Godwit.Migration.Control;

namespace Godwit.Migration.Tests;

/// <summary>Two machines that weren't set up the same: the destination says in what, and the guest stays.</summary>
public sealed class ConfigurationTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Another_UUID(bool validate)
    {
        using var pair = new MachinePair();
        pair.Source.Uuid = Guid.Parse("11111111-2222-3333-4444-555555555555");
        pair.Destination.Uuid = Guid.Parse("99999999-2222-3333-4444-555555555555");
        pair.Set(validate ? ["return-path", "validate-uuid"] : ["return-path"]);
        pair.Run();
        if (validate)
            AssertRefused(pair, "UUID received is 11111111-2222-3333-4444-555555555555 and local is 99999999-2222-3333-4444-555555555555");
        else
            Assert.Equal(("", ""), (pair.Error, pair.IncomingError));
    }

    [Theory]
    [InlineData(true, "Capability x-ignore-shared is off, but received capability is on")]
    [InlineData(false, "Capability x-ignore-shared is on, but received capability is off")]
    public void A_capability_on_one_side_only(bool atSource, string error)
    {
        using var pair = new MachinePair();
        pair.Set("return-path");
        (atSource ? pair.From : pair.To).SetCapabilities([KeyValuePair.Create("x-ignore-shared", true)]);
        pair.Run();
        AssertRefused(pair, error);
    }

    [Theory]
    [InlineData(0x80000000, true)]
    [InlineData(0x40000000, false)]
    public void Shared_memory_at_another_address(ulong address, bool fits)
    {
        using var pair = new MachinePair(busy: false);
        pair.Source.Share(0x80000000);
        pair.Destination.Share(address);
        pair.Set("return-path", "x-ignore-shared");
        pair.Run();
        if (fits)
            Assert.Equal(("", ""), (pair.Error, pair.IncomingError));
        else
            AssertRefused(pair, "Mismatched GPAs for block board.ram: 0x80000000 there and 0x40000000 here");
    }

    [Fact]
    public void Another_machine_type()
    {
        using var pair = new MachinePair();
        pair.Destination.MachineType = "spike";
        pair.Set("return-path");
        pair.Run();
        AssertRefused(pair, "Machine type received is 'virt' and local is 'spike'");
    }

    /// <summary>In QEMU it frees sent pages in postcopy alone (migration/ram.c, ram_release_page), which isn't here.</summary>
    [Fact]
    public void Release_ram_is_taken_and_changes_nothing()
    {
        using var pair = new MachinePair();
        pair.Set("return-path", "release-ram");
        pair.Run();
        Assert.Equal(("", ""), (pair.Error, pair.IncomingError));
        LiveSectionTests.AssertMemory(pair);
    }

    [Theory]
    [InlineData("multifd", "Capability 'multifd' is not supported")]
    [InlineData("switchover-ack", "Capability 'switchover-ack' requires capability 'return-path'")]
    [InlineData("nonsense", "Parameter 'capability' does not accept value 'nonsense'")]
    public void A_capability_that_cannot_be_switched_on_changes_none(string name, string error)
    {
        using var machine = new TestMachine(8);
        using var migrator = new Migrator(machine);
        var refused = Assert.Throws<MigrationRefusedException>(() => migrator.SetCapabilities([KeyValuePair.Create("xbzrle", true), KeyValuePair.Create(name, true)]));
        Assert.Equal(error, refused.Message);
        Assert.False(migrator.Capabilities["xbzrle"]);
    }

    [Fact]
    public void Auto_converge_and_dirty_limit_exclude_each_other()
    {
        var capabilities = new Capabilities();
        capabilities.Set([KeyValuePair.Create("dirty-limit", true)]);
        Assert.Throws<MigrationRefusedException>(() => capabilities.Set([KeyValuePair.Create("auto-converge", true)]));
        capabilities.Set([KeyValuePair.Create("auto-converge", true), KeyValuePair.Create("dirty-limit", false)]);
        Assert.True(capabilities["auto-converge"]);
    }

    private static void AssertRefused(MachinePair pair, string error)
    {
        LiveSectionTests.AssertRunsAtSource(pair);
        Assert.Contains(error, pair.IncomingError, StringComparison.Ordinal);
        Assert.Contains("discard", pair.Destination.Calls);
    }
}

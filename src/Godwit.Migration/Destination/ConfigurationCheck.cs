using Godwit.Memory;
using Godwit.Migration.Control;
using Godwit.Wire;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Destination;

/// <summary>What both ends must have the same (QEMU: migration/savevm.c, configuration_post_load and vmstate_uuid's).</summary>
internal static class ConfigurationCheck
{
    private static readonly string[] MustAgree = [ConfigurationSection.IgnoreShared, ConfigurationSection.MappedRam];

    /// <param name="offset">Of the section in the stream.</param>
    /// <exception cref="MigrationStreamException">They don't; it says in what.</exception>
    public static void Check(ConfigurationSection received, long offset, IMigratableMachine machine, Capabilities capabilities)
    {
        if (!string.Equals(received.MachineName, machine.MachineType, StringComparison.Ordinal))
            throw Error("name", $"Machine type received is '{received.MachineName}' and local is '{machine.MachineType}'");
        if (received.TargetPageBits is { } bits && bits != GuestPage.Bits)
            throw Error("target-page-bits", $"Received TARGET_PAGE_BITS is {bits} but local is {GuestPage.Bits}");
        foreach (var capability in MustAgree)
        {
            var here = capabilities[capability];
            if (here != received.Has(capability))
                throw Error("capabilities", $"Capability {capability} is {OnOff(here)}, but received capability is {OnOff(!here)}", capability);
        }

        foreach (var capability in received.Capabilities ?? [])
        {
            if (!MustAgree.Contains(capability, StringComparer.Ordinal))
                throw Error("capabilities", $"Capability {capability} is not known to be one that both ends must agree on", capability);
        }

        // A machine without a UUID of its own takes any: who started it may not have known.
        if (received.Uuid is { } uuid && machine.Uuid != Guid.Empty && uuid != machine.Uuid)
            throw Error("uuid", $"UUID received is {uuid} and local is {machine.Uuid}");

        MigrationStreamException Error(string field, string reason, string? unsupported = null) => new(offset, "configuration", field, reason) { Unsupported = unsupported };
    }

    private static string OnOff(bool on) => on ? "on" : "off";
}

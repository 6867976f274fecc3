using System.Text.Json;
using Godwit.Devices.Aclint;
using Godwit.Devices.FwCfg;
using Godwit.Devices.GoldfishRtc;
using Godwit.Devices.Gpex;
using Godwit.Devices.PflashCfi01;
using Godwit.Devices.Plic;
using Godwit.Devices.Uart16550;
using Godwit.Wire.VmState;

namespace Godwit.Machine.Virt;

/// <summary>The declarations of the board's devices under QEMU's types of them, as <c>qemu-system-riscv64 -M virt -dump-vmstate</c> has them.
/// QEMU leaves out what belongs to no device of its own kind: <c>timer</c>, <c>cpu_common</c>, <c>cpu</c>, <c>PCIBUS</c>,
/// <c>virt_acpi_build</c> and <c>globalstate</c>.</summary>
public static class VirtVmStateDump
{
    public static void Write(Stream stream)
    {
        using (var dump = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            dump.WriteStartObject();
            // Spelt as scripts/vmstate-static-checker.py of QEMU wants it.
            dump.WriteStartObject("vmschkmachine");
            dump.WriteString("Name", "virt");
            dump.WriteEndObject();
            VmStateDump.WriteDevice("riscv.aclint.mtimer", AclintMtimerVmState.Description, dump);
            VmStateDump.WriteDevice("riscv.sifive.plic", PlicVmState.Description, dump);
            VmStateDump.WriteDevice("fw_cfg_mem", FwCfgVmState.Description, dump);
            VmStateDump.WriteDevice("gpex-root", GpexVmState.Root, dump);
            VmStateDump.WriteDevice("gpex-pcihost", GpexVmState.Host, dump);
            VmStateDump.WriteDevice("serial-mm", Uart16550VmState.Description, dump);
            VmStateDump.WriteDevice("goldfish_rtc", GoldfishRtcVmState.Description, dump);
            VmStateDump.WriteDevice("cfi.pflash01", PflashCfi01VmState.Description, dump);
            dump.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
    }
}

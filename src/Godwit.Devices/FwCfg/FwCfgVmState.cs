using System.Buffers.Binary;
using Godwit.Migration;
using Godwit.Wire.VmState;
using Field = Godwit.Wire.VmState.Field<Godwit.Devices.FwCfg.FwCfgState>;

namespace Godwit.Devices.FwCfg;

/// <summary>QEMU's <c>fw_cfg</c> (<c>hw/nvram/fw_cfg.c</c>).</summary>
public static class FwCfgVmState
{
    public static VmStateDescription<FwCfgState> Description { get; } = new("fw_cfg", 2, 1)
    {
        Fields =
        [
            Field.UInt16("cur_entry", s => s.CurEntry, (s, v) => s.CurEntry = v)
                .Check(s => s.CurEntry == (ushort)FwCfgKey.Invalid || FwCfgEntries.IsKey(s.CurEntry), "there can't be such a key"),
            // Version 1 had the offset in 16 bits of an old form.
            Field.Custom("cur_offset", "int32_as_uint16", 2, (_, b) => b.Clear(), (s, b) => s.CurOffset = BinaryPrimitives.ReadUInt16BigEndian(b))
                .When((_, version) => version == 1).InHost(sizeof(uint)),
            Field.UInt32("cur_offset", s => s.CurOffset, (s, v) => s.CurOffset = v).Since(2),
        ],
        Subsections =
        [
            new("fw_cfg/dma", 0, 0) { Fields = [Field.UInt64("dma_addr", s => s.DmaAddr, (s, v) => s.DmaAddr = v)] },
            new("fw_cfg/acpi_mr", 1, 1)
            {
                Needed = s => !IsPages(s.TableMrSize) || !IsPages(s.LinkerMrSize) || !IsPages(s.RsdpMrSize),
                Fields =
                [
                    Field.UInt64("table_mr_size", s => s.TableMrSize, (s, v) => s.TableMrSize = v),
                    Field.UInt64("linker_mr_size", s => s.LinkerMrSize, (s, v) => s.LinkerMrSize = v),
                    Field.UInt64("rsdp_mr_size", s => s.RsdpMrSize, (s, v) => s.RsdpMrSize = v),
                ],
            },
        ],
    };

    public static VmStateSection<FwCfgState> Section(FwCfgDevice device, uint instanceId = 0) => new("fw_cfg", instanceId, Description, device.State);

    private static bool IsPages(ulong length) => length % 4096 == 0;
}

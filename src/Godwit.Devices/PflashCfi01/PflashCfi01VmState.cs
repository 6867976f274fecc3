using Godwit.Migration;
using Godwit.Wire.VmState;
using Field = Godwit.Wire.VmState.Field<Godwit.Devices.PflashCfi01.PflashCfi01Device>;

namespace Godwit.Devices.PflashCfi01;

/// <summary>QEMU's <c>pflash_cfi01</c> (<c>hw/block/pflash_cfi01.c</c>).</summary>
public static class PflashCfi01VmState
{
    public static VmStateDescription<PflashCfi01Device> Description { get; } = new("pflash_cfi01", 1, 1)
    {
        Fields =
        [
            Field.UInt8("wcycle", d => d.State.Wcycle, (d, v) => d.State.Wcycle = v),
            Field.UInt8("cmd", d => d.State.Cmd, (d, v) => d.State.Cmd = v),
            Field.UInt8("status", d => d.State.Status, (d, v) => d.State.Status = v),
            Field.UInt64("counter", d => d.State.Counter, (d, v) => d.State.Counter = v),
        ],
        Subsections =
        [
            new("pflash_cfi01_blk_write", 1, 1)
            {
                Needed = d => d.State.BlkOffset != PflashCfi01State.NoBlock,
                Fields =
                [
                    Field.VarBuffer("blk_bytes", d => d.State.BlkBytes, d => d.State.BlkBytes.Length),
                    Field.UInt32("blk_offset", d => d.State.BlkOffset, (d, v) => d.State.BlkOffset = v),
                ],
            },
        ],
        PreLoad = (d, _) => d.State.BlkOffset = PflashCfi01State.NoBlock,
        PostLoad = (d, _) => d.AfterLoad(),
    };

    /// <param name="instanceId">0 and 1 on the <c>virt</c> board.</param>
    public static VmStateSection<PflashCfi01Device> Section(PflashCfi01Device device, uint instanceId) =>
        new("pflash_cfi01", instanceId, Description, device);
}

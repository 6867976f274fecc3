namespace Godwit.Machine.Cpu;

/// <summary>Bits of mstatus and sstatus.
/// <code>
/// 63 SD | 35:34 SXL | 33:32 UXL | 22 TSR | 21 TW | 20 TVM | 19 MXR | 18 SUM | 17 MPRV | 16:15 XS | 14:13 FS | 12:11 MPP | 10:9 VS
/// 8 SPP | 7 MPIE | 6 UBE | 5 SPIE | 3 MIE | 1 SIE
/// </code></summary>
internal static class Status
{
    public const ulong Sie = 1UL << 1, Mie = 1UL << 3, Spie = 1UL << 5, Mpie = 1UL << 7, Spp = 1UL << 8;
    public const int MppShift = 11;
    public const ulong Mpp = 3UL << MppShift;
    public const ulong Fs = 3UL << 13;
    public const ulong Mprv = 1UL << 17, Sum = 1UL << 18, Mxr = 1UL << 19, Tvm = 1UL << 20, Tw = 1UL << 21, Tsr = 1UL << 22;
    public const ulong Uxl = 3UL << 32, Uxl64 = 2UL << 32, Sxl = 3UL << 34, Sxl64 = 2UL << 34;
    public const ulong Sd = 1UL << 63;

    public const ulong MachineWritable = Sie | Mie | Spie | Mpie | Spp | Mpp | Fs | Mprv | Sum | Mxr | Tvm | Tw | Tsr;
    public const ulong SupervisorWritable = Sie | Spie | Spp | Fs | Sum | Mxr;
    public const ulong SupervisorVisible = SupervisorWritable | Uxl;
}

using System.Runtime.Intrinsics.X86;
using Godwit.Machine.Cpu.Decode;

namespace Godwit.Machine.Cpu.Execute;

/// <summary>fence. Imm is its upper twelve bits: <code>11:8 fm | 7 PI | 6 PO | 5 PR | 4 PW | 3 SI | 2 SO | 1 SR | 0 SW</code></summary>
internal static class FenceUnit
{
    private const long StoresBefore = 0x50, LoadsAfter = 0x0a;

    public static void Execute(in Instruction i)
    {
        // x86 keeps every order by itself but that of a store before a load.
        if (X86Base.IsSupported && ((i.Imm & StoresBefore) == 0 || (i.Imm & LoadsAfter) == 0))
        {
            Volatile.ReadBarrier();
            Volatile.WriteBarrier();
            return;
        }

        Interlocked.MemoryBarrier();
    }
}

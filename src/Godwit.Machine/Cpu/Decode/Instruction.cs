using System.Runtime.InteropServices;

namespace Godwit.Machine.Cpu.Decode;

/// <summary>One instruction in the form that is executed, or translated: 16 bytes.
/// <code>
/// 0   2  Opcode
/// 2   1  Rd      0..31; Sink (32) for an integer result that goes to x0
/// 3   1  Rs1     0..31
/// 4   1  Rs2     0..31
/// 5   1  Length  2 or 4 bytes in memory
/// 6   1  Next    offset of the next instruction from the block's start
/// 7   1  Index   how many instructions of the block stand before it
/// 8   8  Imm     immediate; of jumps, branches and auipc from the block's start; of F and D: rs3 and the rounding mode
/// </code></summary>
[StructLayout(LayoutKind.Sequential)]
public struct Instruction
{
    /// <summary>The register that takes what is written to x0.</summary>
    public const byte Sink = 32;

    public Opcode Opcode;
    public byte Rd;
    public byte Rs1;
    public byte Rs2;
    public byte Length;
    public byte Next;
    public byte Index;
    public long Imm;

    /// <summary>Offset of the instruction from the block's start.</summary>
    public readonly int Offset => Next - Length;

    /// <summary>The third source of a fused multiply-add.</summary>
    public readonly int Rs3 => (int)(Imm >> 8) & 31;

    /// <summary>The rounding mode as encoded: 7 is the one in frm.</summary>
    public readonly int RoundingMode => (int)Imm & 7;

    /// <summary>Whether the next instruction is never the one behind it, or must see what this one changed.</summary>
    public readonly bool EndsBlock => Opcode > Opcode.LastPlain || Opcode is Opcode.Illegal or Opcode.Jal or Opcode.Jalr or Opcode.End;
}

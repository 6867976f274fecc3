using Godwit.Machine.Cpu.Decode;
using Godwit.Machine.Cpu.Float;

namespace Godwit.Machine.Cpu.Execute;

/// <summary>D, and the double-precision half of Zfa.</summary>
internal sealed class DoubleUnit(HartState s)
{
    private const ulong SignBit = 1UL << 63;
    private const ulong Box = 0xffffffff_00000000;

    public void Execute(in Instruction i, RoundingMode mode, ref FloatFlags flags)
    {
        var a = s.F[i.Rs1 & 31];
        var b = s.F[i.Rs2 & 31];
        switch (i.Opcode)
        {
            case Opcode.FmaddD:
                Set(in i, Float64.MultiplyAdd(a, b, s.F[i.Rs3], mode, ref flags));
                break;
            case Opcode.FmsubD:
                Set(in i, Float64.MultiplyAdd(a, b, s.F[i.Rs3] ^ SignBit, mode, ref flags));
                break;
            case Opcode.FnmsubD:
                Set(in i, Float64.MultiplyAdd(a ^ SignBit, b, s.F[i.Rs3], mode, ref flags));
                break;
            case Opcode.FnmaddD:
                Set(in i, Float64.MultiplyAdd(a ^ SignBit, b, s.F[i.Rs3] ^ SignBit, mode, ref flags));
                break;
            case Opcode.FaddD:
                Set(in i, Float64.Add(a, b, mode, ref flags));
                break;
            case Opcode.FsubD:
                Set(in i, Float64.Subtract(a, b, mode, ref flags));
                break;
            case Opcode.FmulD:
                Set(in i, Float64.Multiply(a, b, mode, ref flags));
                break;
            case Opcode.FdivD:
                Set(in i, Float64.Divide(a, b, mode, ref flags));
                break;
            case Opcode.FsqrtD:
                Set(in i, Float64.SquareRoot(a, mode, ref flags));
                break;
            case Opcode.FsgnjD:
                Set(in i, (a & ~SignBit) | (b & SignBit));
                break;
            case Opcode.FsgnjnD:
                Set(in i, (a & ~SignBit) | (~b & SignBit));
                break;
            case Opcode.FsgnjxD:
                Set(in i, a ^ (b & SignBit));
                break;
            case Opcode.FminD:
                Set(in i, Float64.Minimum(a, b, ref flags));
                break;
            case Opcode.FmaxD:
                Set(in i, Float64.Maximum(a, b, ref flags));
                break;
            case Opcode.FminmD:
                Set(in i, Float64.MinimumM(a, b, ref flags));
                break;
            case Opcode.FmaxmD:
                Set(in i, Float64.MaximumM(a, b, ref flags));
                break;
            case Opcode.FcvtWD:
                s.X[i.Rd & 63] = (ulong)Float64.ToInt32(a, mode, ref flags);
                break;
            case Opcode.FcvtWuD:
                s.X[i.Rd & 63] = (ulong)(int)Float64.ToUInt32(a, mode, ref flags);
                break;
            case Opcode.FcvtLD:
                s.X[i.Rd & 63] = (ulong)Float64.ToInt64(a, mode, ref flags);
                break;
            case Opcode.FcvtLuD:
                s.X[i.Rd & 63] = Float64.ToUInt64(a, mode, ref flags);
                break;
            case Opcode.FmvXD:
                s.X[i.Rd & 63] = s.F[i.Rs1 & 31];
                break;
            case Opcode.FclassD:
                s.X[i.Rd & 63] = Float64.Classify(a);
                break;
            case Opcode.FeqD:
                SetTruth(in i, Float64.Equal(a, b, ref flags));
                break;
            case Opcode.FltD:
                SetTruth(in i, Float64.Less(a, b, ref flags));
                break;
            case Opcode.FleD:
                SetTruth(in i, Float64.LessOrEqual(a, b, ref flags));
                break;
            case Opcode.FltqD:
                SetTruth(in i, Float64.LessQuiet(a, b, ref flags));
                break;
            case Opcode.FleqD:
                SetTruth(in i, Float64.LessOrEqualQuiet(a, b, ref flags));
                break;
            case Opcode.FcvtDW:
                Set(in i, Float64.FromInt32((int)s.X[i.Rs1 & 63], mode, ref flags));
                break;
            case Opcode.FcvtDWu:
                Set(in i, Float64.FromUInt32((uint)s.X[i.Rs1 & 63], mode, ref flags));
                break;
            case Opcode.FcvtDL:
                Set(in i, Float64.FromInt64((long)s.X[i.Rs1 & 63], mode, ref flags));
                break;
            case Opcode.FcvtDLu:
                Set(in i, Float64.FromUInt64(s.X[i.Rs1 & 63], mode, ref flags));
                break;
            case Opcode.FmvDX:
                Set(in i, s.X[i.Rs1 & 63]);
                break;
            case Opcode.FliD:
                Set(in i, Float64.LoadImmediate(i.Rs1));
                break;
            case Opcode.FroundD:
                Set(in i, Float64.Round(a, mode, exact: false, ref flags));
                break;
            case Opcode.FroundnxD:
                Set(in i, Float64.Round(a, mode, exact: true, ref flags));
                break;
            case Opcode.FcvtSD:
                SetSingle(in i, Float32.FromFloat64(a, mode, ref flags));
                break;
            case Opcode.FcvtDS:
                Set(in i, Float64.FromFloat32(a >= Box ? (uint)a : Float32.CanonicalNaN, ref flags));
                break;
            case Opcode.FcvtmodWD:
                s.X[i.Rd & 63] = (ulong)Float64.ToInt32Modular(a, ref flags);
                break;
            default:
                throw new InvalidOperationException($"{i.Opcode} is not of D");
        }
    }

    private void Set(in Instruction i, ulong value) => s.F[i.Rd & 31] = value;

    private void SetSingle(in Instruction i, uint value) => Set(in i, Box | value);

    private void SetTruth(in Instruction i, bool value) => s.X[i.Rd & 63] = value ? 1UL : 0;
}

using Godwit.Machine.Cpu.Decode;
using Godwit.Machine.Cpu.Float;

namespace Godwit.Machine.Cpu.Execute;

/// <summary>F, and the single-precision half of Zfa. A register that holds no NaN-boxed single reads as the canonical NaN.</summary>
internal sealed class SingleUnit(HartState s)
{
    private const uint SignBit = 1u << 31;
    private const ulong Box = 0xffffffff_00000000;

    public void Execute(in Instruction i, RoundingMode mode, ref FloatFlags flags)
    {
        var a = Unbox(s.F[i.Rs1 & 31]);
        var b = Unbox(s.F[i.Rs2 & 31]);
        switch (i.Opcode)
        {
            case Opcode.FmaddS:
                Set(in i, Float32.MultiplyAdd(a, b, Unbox(s.F[i.Rs3]), mode, ref flags));
                break;
            case Opcode.FmsubS:
                Set(in i, Float32.MultiplyAdd(a, b, Unbox(s.F[i.Rs3]) ^ SignBit, mode, ref flags));
                break;
            case Opcode.FnmsubS:
                Set(in i, Float32.MultiplyAdd(a ^ SignBit, b, Unbox(s.F[i.Rs3]), mode, ref flags));
                break;
            case Opcode.FnmaddS:
                Set(in i, Float32.MultiplyAdd(a ^ SignBit, b, Unbox(s.F[i.Rs3]) ^ SignBit, mode, ref flags));
                break;
            case Opcode.FaddS:
                Set(in i, Float32.Add(a, b, mode, ref flags));
                break;
            case Opcode.FsubS:
                Set(in i, Float32.Subtract(a, b, mode, ref flags));
                break;
            case Opcode.FmulS:
                Set(in i, Float32.Multiply(a, b, mode, ref flags));
                break;
            case Opcode.FdivS:
                Set(in i, Float32.Divide(a, b, mode, ref flags));
                break;
            case Opcode.FsqrtS:
                Set(in i, Float32.SquareRoot(a, mode, ref flags));
                break;
            case Opcode.FsgnjS:
                Set(in i, (a & ~SignBit) | (b & SignBit));
                break;
            case Opcode.FsgnjnS:
                Set(in i, (a & ~SignBit) | (~b & SignBit));
                break;
            case Opcode.FsgnjxS:
                Set(in i, a ^ (b & SignBit));
                break;
            case Opcode.FminS:
                Set(in i, Float32.Minimum(a, b, ref flags));
                break;
            case Opcode.FmaxS:
                Set(in i, Float32.Maximum(a, b, ref flags));
                break;
            case Opcode.FminmS:
                Set(in i, Float32.MinimumM(a, b, ref flags));
                break;
            case Opcode.FmaxmS:
                Set(in i, Float32.MaximumM(a, b, ref flags));
                break;
            case Opcode.FcvtWS:
                s.X[i.Rd & 63] = (ulong)Float32.ToInt32(a, mode, ref flags);
                break;
            case Opcode.FcvtWuS:
                s.X[i.Rd & 63] = (ulong)(int)Float32.ToUInt32(a, mode, ref flags);
                break;
            case Opcode.FcvtLS:
                s.X[i.Rd & 63] = (ulong)Float32.ToInt64(a, mode, ref flags);
                break;
            case Opcode.FcvtLuS:
                s.X[i.Rd & 63] = Float32.ToUInt64(a, mode, ref flags);
                break;
            case Opcode.FmvXW:
                s.X[i.Rd & 63] = (ulong)(int)s.F[i.Rs1 & 31];
                break;
            case Opcode.FclassS:
                s.X[i.Rd & 63] = Float32.Classify(a);
                break;
            case Opcode.FeqS:
                SetTruth(in i, Float32.Equal(a, b, ref flags));
                break;
            case Opcode.FltS:
                SetTruth(in i, Float32.Less(a, b, ref flags));
                break;
            case Opcode.FleS:
                SetTruth(in i, Float32.LessOrEqual(a, b, ref flags));
                break;
            case Opcode.FltqS:
                SetTruth(in i, Float32.LessQuiet(a, b, ref flags));
                break;
            case Opcode.FleqS:
                SetTruth(in i, Float32.LessOrEqualQuiet(a, b, ref flags));
                break;
            case Opcode.FcvtSW:
                Set(in i, Float32.FromInt32((int)s.X[i.Rs1 & 63], mode, ref flags));
                break;
            case Opcode.FcvtSWu:
                Set(in i, Float32.FromUInt32((uint)s.X[i.Rs1 & 63], mode, ref flags));
                break;
            case Opcode.FcvtSL:
                Set(in i, Float32.FromInt64((long)s.X[i.Rs1 & 63], mode, ref flags));
                break;
            case Opcode.FcvtSLu:
                Set(in i, Float32.FromUInt64(s.X[i.Rs1 & 63], mode, ref flags));
                break;
            case Opcode.FmvWX:
                Set(in i, (uint)s.X[i.Rs1 & 63]);
                break;
            case Opcode.FliS:
                Set(in i, Float32.LoadImmediate(i.Rs1));
                break;
            case Opcode.FroundS:
                Set(in i, Float32.Round(a, mode, exact: false, ref flags));
                break;
            case Opcode.FroundnxS:
                Set(in i, Float32.Round(a, mode, exact: true, ref flags));
                break;
            default:
                throw new InvalidOperationException($"{i.Opcode} is not of F");
        }
    }

    private static uint Unbox(ulong register) => register >= Box ? (uint)register : Float32.CanonicalNaN;

    private void Set(in Instruction i, uint value) => s.F[i.Rd & 31] = Box | value;

    private void SetTruth(in Instruction i, bool value) => s.X[i.Rd & 63] = value ? 1UL : 0;
}

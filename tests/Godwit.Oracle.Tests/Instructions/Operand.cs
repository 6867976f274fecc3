namespace Godwit.Oracle.Tests.Instructions;

/// <summary>What a field of an instruction names. A prime is a compressed field of three bits that counts from register 8.</summary>
internal enum OperandKind
{
    /// <summary>Bits that name no register.</summary>
    Immediate,

    /// <summary>An integer register that is written (and perhaps read).</summary>
    Rd,
    RdPrime,

    /// <summary>An integer register that is read.</summary>
    Rs,
    RsPrime,

    /// <summary>An integer register that holds an address of memory.</summary>
    Base,
    BasePrime,

    Fd,
    FdPrime,
    Fs,
    FsPrime,
    Rounding,
    Csr,
}

/// <param name="Low">The field's lowest bit.</param>
internal readonly record struct Operand(OperandKind Kind, int Low, int Width)
{
    public bool IsInteger => Kind is >= OperandKind.Rd and <= OperandKind.BasePrime;

    public bool IsBase => Kind is OperandKind.Base or OperandKind.BasePrime;

    public bool IsDestination => Kind is OperandKind.Rd or OperandKind.RdPrime;

    private bool IsPrime => Kind is OperandKind.RdPrime or OperandKind.RsPrime or OperandKind.BasePrime or OperandKind.FdPrime or OperandKind.FsPrime;

    /// <summary>The field's bits, or the number of the register it names.</summary>
    public int Of(uint word) => (int)((word >> Low) & ((1u << Width) - 1)) + (IsPrime ? 8 : 0);

    public uint Put(uint word, int value)
    {
        var mask = ((1u << Width) - 1) << Low;
        return (word & ~mask) | (((uint)(value - (IsPrime ? 8 : 0)) << Low) & mask);
    }

    public string Text(uint word) => Kind switch
    {
        OperandKind.Rd or OperandKind.RdPrime or OperandKind.Rs or OperandKind.RsPrime => $"x{Of(word)}",
        OperandKind.Base or OperandKind.BasePrime => $"(x{Of(word)})",
        OperandKind.Fd or OperandKind.FdPrime or OperandKind.Fs or OperandKind.FsPrime => $"f{Of(word)}",
        OperandKind.Rounding => Of(word) switch { 0 => "rne", 1 => "rtz", 2 => "rdn", 3 => "rup", 4 => "rmm", 7 => "dyn", var other => $"rm={other}" },
        OperandKind.Csr => CsrNames.Of(Of(word)),
        _ => $"0x{Of(word):x}",
    };
}

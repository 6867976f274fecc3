namespace Godwit.Memory;

/// <summary>What an atomic read-modify-write makes of the old value and its operand.</summary>
public enum AtomicOperation
{
    Swap,
    Add,
    Xor,
    And,
    Or,
    Min,
    Max,
    MinUnsigned,
    MaxUnsigned,
}

/// <summary>The value that an operation stores.</summary>
public static class AtomicOperationResult
{
    public static uint Apply(this AtomicOperation operation, uint old, uint operand) => operation switch
    {
        AtomicOperation.Swap => operand,
        AtomicOperation.Add => old + operand,
        AtomicOperation.Xor => old ^ operand,
        AtomicOperation.And => old & operand,
        AtomicOperation.Or => old | operand,
        AtomicOperation.Min => (uint)Math.Min((int)old, (int)operand),
        AtomicOperation.Max => (uint)Math.Max((int)old, (int)operand),
        AtomicOperation.MinUnsigned => Math.Min(old, operand),
        _ => Math.Max(old, operand),
    };

    public static ulong Apply(this AtomicOperation operation, ulong old, ulong operand) => operation switch
    {
        AtomicOperation.Swap => operand,
        AtomicOperation.Add => old + operand,
        AtomicOperation.Xor => old ^ operand,
        AtomicOperation.And => old & operand,
        AtomicOperation.Or => old | operand,
        AtomicOperation.Min => (ulong)Math.Min((long)old, (long)operand),
        AtomicOperation.Max => (ulong)Math.Max((long)old, (long)operand),
        AtomicOperation.MinUnsigned => Math.Min(old, operand),
        _ => Math.Max(old, operand),
    };
}

namespace Godwit.Machine.Lifecycle;

/// <summary>A hart threw an exception, which no guest can make it do: a defect here. The machine stands in <c>internal-error</c>.</summary>
public sealed class HartFailedException(int hart, ulong pc, Exception inner)
    : Exception($"hart {hart} failed near {pc:x}: {inner.GetType().Name}: {inner.Message}", inner);

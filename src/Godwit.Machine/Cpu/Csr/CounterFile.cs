namespace Godwit.Machine.Cpu.Csr;

/// <summary>mcycle, minstret and the mhpmcounters. The first two count retired instructions, here one a cycle; the others count nothing.
/// A counter that runs is kept as its distance to <see cref="HartState.Retired"/>, one that is inhibited as its value.</summary>
internal sealed class CounterFile(HartState state)
{
    private const int Cycle = 0, Instret = 2;

    public ulong Read(int counter) => state.Counter[counter] + (Counts(counter) ? state.Retired : 0);

    /// <summary>Sets a counter; the instruction that writes it isn't counted any more.</summary>
    public void Write(int counter, ulong value) => state.Counter[counter] = value - (Counts(counter) ? state.Retired + 1 : 0);

    /// <summary>Sets a counter between two instructions.</summary>
    public void Restore(int counter, ulong value) => state.Counter[counter] = value - (Counts(counter) ? state.Retired : 0);

    /// <summary>Sets mcountinhibit.</summary>
    public void Inhibit(uint value)
    {
        Span<ulong> values = [Read(Cycle), Read(Instret)];
        state.Mcountinhibit = value;
        foreach (var counter in (ReadOnlySpan<int>)[Cycle, Instret])
            state.Counter[counter] = values[counter / Instret] - (Counts(counter) ? state.Retired : 0);
    }

    private bool Counts(int counter) => counter is Cycle or Instret && (state.Mcountinhibit & (1u << counter)) == 0;
}

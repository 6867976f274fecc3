namespace Godwit.Machine.Cpu;

public sealed record CpuModel
{
    public ulong ImplementationId => 0;

    public bool Has(string extension) => extension.Length > 0;

    public bool HasTranslation(int mode) => mode is 0 or (>= 8 and <= 10);
}

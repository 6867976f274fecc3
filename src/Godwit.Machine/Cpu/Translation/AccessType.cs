namespace Godwit.Machine.Cpu.Translation;

/// <summary>What an access to memory is for. The numbers are the bits of R, W and X in a PMP entry.</summary>
public enum AccessType : byte
{
    Load = 0,
    Store = 1,
    Fetch = 2,
}

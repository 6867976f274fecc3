namespace Godwit.Machine.Cpu;

/// <summary>A privilege mode, as mstatus.MPP encodes it.</summary>
public enum Privilege : byte
{
    User = 0,
    Supervisor = 1,
    Machine = 3,
}

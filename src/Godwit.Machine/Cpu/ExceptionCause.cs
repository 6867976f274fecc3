namespace Godwit.Machine.Cpu;

/// <summary>Why an instruction trapped, as in mcause.</summary>
public enum ExceptionCause : byte
{
    InstructionMisaligned = 0,
    InstructionAccessFault = 1,
    IllegalInstruction = 2,
    Breakpoint = 3,
    LoadMisaligned = 4,
    LoadAccessFault = 5,
    StoreMisaligned = 6,
    StoreAccessFault = 7,
    UserEcall = 8,
    SupervisorEcall = 9,
    MachineEcall = 11,
    InstructionPageFault = 12,
    LoadPageFault = 13,
    StorePageFault = 15,
}

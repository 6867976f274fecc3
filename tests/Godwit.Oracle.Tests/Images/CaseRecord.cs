namespace Godwit.Oracle.Tests.Images;

/// <summary>
/// The layout of a case's record in guest memory: offsets in bytes. The runtime loads the registers from it, and stores them into the same
/// places afterwards, so that a record is both a case's input and its result.
/// </summary>
internal static class CaseRecord
{
    public const int Size = 1024;

    /// <summary>Address of the first instruction to run, in the place that x0 leaves free.</summary>
    public const int Entry = 0;
    public const int X = 0;
    public const int F = 256;
    public const int Fcsr = 512;
    public const int TrapCount = 520;

    /// <summary>A hash over all traps, those that have no slot too.</summary>
    public const int TrapHash = 528;

    /// <summary>mstatus before the case and after it; its MPP is the mode that the case runs in.</summary>
    public const int Status = 536;

    /// <summary>First and last address of the case's code; the last is an ECALL that ends the case.</summary>
    public const int Start = 544;
    public const int End = 552;

    /// <summary>Slots of cause, value, pc less <see cref="Start"/>, and mstatus.</summary>
    public const int Traps = 560;
    public const int TrapSize = 32;
    public const int TrapSlots = 6;

    /// <summary>Memory for the case's loads and stores.</summary>
    public const int Scratch = 768;
    public const int ScratchSize = 256;

    /// <summary>Records do not start on a page, so that the scratch of every fourth lies across two pages.</summary>
    public const int FirstOffset = 128;
}

using Godwit.Machine.Cpu.Decode;

namespace Godwit.Machine.Cpu.Blocks;

/// <summary>Instructions that are executed one after the other, decoded: up to a jump, the end of the page, or <see cref="MaxInstructions"/>.
/// A branch that is taken leaves it earlier. What a translator would take.</summary>
/// <param name="physical">Physical address of the first one.</param>
/// <param name="code">At least one instruction. Only the last one ends the block; see <see cref="Instruction.EndsBlock"/>.</param>
/// <param name="raw">The bytes that it was decoded from.</param>
public sealed class Block(ulong physical, Instruction[] code, byte[] raw)
{
    public const int MaxInstructions = 62;

    /// <summary>Of memory.</summary>
    public const int MaxBytes = MaxInstructions * 4;

    public ulong Physical { get; } = physical;

    public Instruction[] Code { get; } = code;

    public byte[] Raw { get; } = raw;

    /// <summary>In which period between two fence.i the bytes were last compared with memory.</summary>
    public uint Generation { get; set; }

    /// <summary>The bits of one instruction, as in mtval of an illegal one.</summary>
    public uint RawBits(in Instruction instruction)
    {
        var at = Raw.AsSpan(instruction.Offset, instruction.Length);
        return instruction.Length == 2 ? BitConverter.ToUInt16(at) : BitConverter.ToUInt32(at);
    }
}

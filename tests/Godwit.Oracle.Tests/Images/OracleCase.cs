using Godwit.Oracle.Tests.Instructions;

namespace Godwit.Oracle.Tests.Images;

internal enum PrivilegeMode
{
    User = 0,
    Supervisor = 1,
    Machine = 3,
}

/// <summary>Where a case's parts will lie, which pointers in it depend on.</summary>
/// <param name="FieldStart">First address that a jump may land on: everything in the field that is no code is C.EBREAK.</param>
internal readonly record struct CasePlace(int Index, ulong Code, ulong Record, ulong FieldStart, ulong FieldEnd)
{
    public ulong Scratch => Record + CaseRecord.Scratch;
}

/// <summary>A few instructions and everything that they start from.</summary>
internal sealed class OracleCase
{
    public List<ushort> Code { get; } = [];

    /// <summary>Where instructions were put, in the order of the code.</summary>
    public List<(int Offset, uint Word)> Listing { get; } = [];

    public ulong Seed { get; init; }

    /// <summary>Bits that are the program's own: FS, MPP and what the generator adds.</summary>
    public ulong Status { get; set; }

    public ulong[] X { get; } = new ulong[32];

    public ulong[] F { get; } = new ulong[32];

    public ulong Fcsr { get; set; }

    public byte[] Scratch { get; } = new byte[CaseRecord.ScratchSize];

    /// <summary>The encodings are defined and allowed: an illegal-instruction trap would mean that the case tests nothing.</summary>
    public bool IsLegal { get; set; }

    public PrivilegeMode Mode
    {
        get => (PrivilegeMode)((Status >> 11) & 3);
        set => Status = (Status & ~(3ul << 11)) | ((ulong)value << 11);
    }

    public int CodeLength => Code.Count * 2;

    public int Emit(uint word)
    {
        var offset = CodeLength;
        Listing.Add((offset, word));
        Code.Add((ushort)word);
        if ((word & 3) == 3)
            Code.Add((ushort)(word >> 16));
        return offset;
    }

    /// <summary>Writes over an instruction of the same length, once a branch's target is known.</summary>
    public void Patch(int offset, uint word)
    {
        Listing[Listing.FindIndex(l => l.Offset == offset)] = (offset, word);
        Code[offset / 2] = (ushort)word;
        if ((word & 3) == 3)
            Code[(offset / 2) + 1] = (ushort)(word >> 16);
    }

    public string Text => string.Join("; ", Listing.Select(l => $"+{l.Offset}: {InstructionTable.Text(l.Word)} [{((l.Word & 3) == 3 ? $"{l.Word:x8}" : $"{l.Word & 0xffff:x4}")}]"));
}

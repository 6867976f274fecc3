namespace Godwit.Oracle.Tests.Images;

/// <summary>Writes the few instructions that the runtime is made of.</summary>
internal sealed class Assembler
{
    private readonly List<uint> _words = [];
    private readonly List<(int Place, string Label)> _branches = [];
    private readonly Dictionary<string, int> _labels = new(StringComparer.Ordinal);

    public void Label(string name) => _labels.Add(name, _words.Count);

    public int OffsetOf(string label) => _labels[label] * 4;

    public void Immediate(int opcode, int funct3, int rd, int rs1, int immediate) => _words.Add((uint)((immediate << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | opcode));

    public void Addi(int rd, int rs1, int immediate) => Immediate(0x13, 0, rd, rs1, immediate);

    public void Slli(int rd, int rs1, int shift) => Immediate(0x13, 1, rd, rs1, shift);

    public void Andi(int rd, int rs1, int immediate) => Immediate(0x13, 7, rd, rs1, immediate);

    public void Ld(int rd, int offset, int rs1) => Immediate(0x03, 3, rd, rs1, offset);

    public void Lhu(int rd, int offset, int rs1) => Immediate(0x03, 5, rd, rs1, offset);

    public void Fld(int fd, int offset, int rs1) => Immediate(0x07, 3, fd, rs1, offset);

    public void Sw(int rs2, int offset, int rs1) => Store(0x23, 2, rs2, offset, rs1);

    public void Sd(int rs2, int offset, int rs1) => Store(0x23, 3, rs2, offset, rs1);

    public void Fsd(int fs2, int offset, int rs1) => Store(0x27, 3, fs2, offset, rs1);

    public void Add(int rd, int rs1, int rs2) => Register(0, 0, rd, rs1, rs2);

    public void Sub(int rd, int rs1, int rs2) => Register(0x20, 0, rd, rs1, rs2);

    public void Xor(int rd, int rs1, int rs2) => Register(0, 4, rd, rs1, rs2);

    public void Csrrw(int rd, int csr, int rs1) => Immediate(0x73, 1, rd, rs1, csr);

    public void Csrrs(int rd, int csr, int rs1) => Immediate(0x73, 2, rd, rs1, csr);

    public void Mret() => _words.Add(0x30200073);

    public void Wfi() => _words.Add(0x10500073);

    public void Beq(int rs1, int rs2, string label) => Branch(0, rs1, rs2, label);

    public void Bne(int rs1, int rs2, string label) => Branch(1, rs1, rs2, label);

    public void Blt(int rs1, int rs2, string label) => Branch(4, rs1, rs2, label);

    public void Bltu(int rs1, int rs2, string label) => Branch(6, rs1, rs2, label);

    public void Bgeu(int rs1, int rs2, string label) => Branch(7, rs1, rs2, label);

    /// <summary>Any value below 2^63, in the shortest way that is simple.</summary>
    public void Load(int rd, ulong value)
    {
        if (value < 0x800)
        {
            Addi(rd, 0, (int)value);
            return;
        }

        Load(rd, value >> 11);
        Slli(rd, rd, 11);
        if ((value & 0x7ff) != 0)
            Addi(rd, rd, (int)(value & 0x7ff));
    }

    public byte[] ToArray()
    {
        foreach (var (place, label) in _branches)
        {
            var distance = (_labels[label] - place) * 4;
            if (distance is < -4096 or > 4094)
                throw new InvalidOperationException($"{label} is too far");
            _words[place] |= (uint)((distance >> 12 & 1) << 31 | (distance >> 5 & 0x3f) << 25 | (distance >> 1 & 15) << 8 | (distance >> 11 & 1) << 7);
        }

        var bytes = new byte[_words.Count * 4];
        for (var i = 0; i < _words.Count; i++)
            BitConverter.TryWriteBytes(bytes.AsSpan(i * 4), _words[i]);
        return bytes;
    }

    private void Register(int funct7, int funct3, int rd, int rs1, int rs2) => Immediate(0x33, funct3, rd, rs1, (funct7 << 5) | rs2);

    private void Store(int opcode, int funct3, int rs2, int offset, int rs1) =>
        _words.Add((uint)((offset >> 5 << 25) | (rs2 << 20) | (rs1 << 15) | (funct3 << 12) | ((offset & 31) << 7) | opcode));

    private void Branch(int funct3, int rs1, int rs2, string label)
    {
        _branches.Add((_words.Count, label));
        _words.Add((uint)((rs2 << 20) | (rs1 << 15) | (funct3 << 12) | 0x63));
    }
}

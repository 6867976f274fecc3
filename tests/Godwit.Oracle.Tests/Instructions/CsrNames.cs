using System.Collections.Frozen;
using System.Globalization;

namespace Godwit.Oracle.Tests.Instructions;

/// <summary>Control and status registers by number, as the privileged specification names them.</summary>
internal static class CsrNames
{
    private const string Fixed = """
        001=fflags 002=frm 003=fcsr c00=cycle c01=time c02=instret 100=sstatus 104=sie 105=stvec 106=scounteren
        10a=senvcfg 140=sscratch 141=sepc 142=scause 143=stval 144=sip 14d=stimecmp 180=satp f11=mvendorid f12=marchid
        f13=mimpid f14=mhartid f15=mconfigptr 300=mstatus 301=misa 302=medeleg 303=mideleg 304=mie 305=mtvec 306=mcounteren
        30a=menvcfg 320=mcountinhibit 340=mscratch 341=mepc 342=mcause 343=mtval 344=mip 747=mseccfg 7a0=tselect 7a1=tdata1
        7a2=tdata2 7a3=tdata3 7a4=tinfo 7a8=mcontext b00=mcycle b02=minstret
        """;

    private static readonly FrozenDictionary<int, string> Names = Build().ToFrozenDictionary();

    public static string Of(int number) => Names.TryGetValue(number, out var name) ? name : $"csr 0x{number:x3}";

    private static Dictionary<int, string> Build()
    {
        var names = Fixed.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Select(w => w.Split('='))
            .ToDictionary(w => int.Parse(w[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture), w => w[1]);
        for (var i = 3; i < 32; i++)
        {
            names[0xc00 + i] = $"hpmcounter{i}";
            names[0xb00 + i] = $"mhpmcounter{i}";
            names[0x320 + i] = $"mhpmevent{i}";
        }

        for (var i = 0; i < 64; i++)
            names[0x3b0 + i] = $"pmpaddr{i}";
        for (var i = 0; i < 16; i++)
            names[0x3a0 + i] = $"pmpcfg{i}";
        return names;
    }
}

namespace Godwit.Oracle.Tests.Instructions;

/// <summary>A line: extension, format, then name=match (the fixed bits, hexadecimal).</summary>
internal static class InstructionList
{
    public const string Compressed = """
        C CNone c.ebreak=9002 c.ntl.p1=900a c.ntl.pall=900e c.ntl.s1=9012 c.ntl.all=9016
        C CAddSpN c.addi4spn=0000
        C CFLoad c.fld=2000
        C CLoad c.lw=4000 c.ld=6000
        C CFStore c.fsd=a000
        C CStore c.sw=c000 c.sd=e000
        C CAddSp c.addi16sp=6101
        C CImmediate c.addi=0001 c.addiw=2001 c.li=4001 c.lui=6001
        C CShift c.srli=8001 c.srai=8401 c.andi=8801
        C CArithmetic c.sub=8c01 c.xor=8c21 c.or=8c41 c.and=8c61 c.subw=9c01 c.addw=9c21
        C CJump c.j=a001
        C CBranch c.beqz=c001 c.bnez=e001
        C CImmediate c.slli=0002
        C CSpFLoad c.fldsp=2002
        C CSpLoad c.lwsp=4002 c.ldsp=6002
        C CJumpRegister c.jr=8002 c.jalr=9002
        C CMove c.mv=8002 c.add=9002
        C CSpFStore c.fsdsp=a002
        C CSpStore c.swsp=c002 c.sdsp=e002

        """;

    public const string Integer = """
        I None ecall=00000073 ebreak=00100073
        Zihintpause None pause=0100000f
        Zihintntl None ntl.p1=00200033 ntl.pall=00300033 ntl.s1=00400033 ntl.all=00500033
        Zawrs None wrs.nto=00d00073 wrs.sto=01d00073
        Zicbop Prefetch prefetch.i=00006013 prefetch.r=00106013 prefetch.w=00306013
        Zicbom CacheBlock cbo.inval=0000200f cbo.clean=0010200f cbo.flush=0020200f
        Zicboz CacheBlock cbo.zero=0040200f
        I U lui=00000037 auipc=00000017
        I Jal jal=0000006f
        I Jalr jalr=00000067
        I Branch beq=00000063 bne=00001063 blt=00004063 bge=00005063 bltu=00006063 bgeu=00007063
        I Load lb=00000003 lh=00001003 lw=00002003 ld=00003003 lbu=00004003 lhu=00005003 lwu=00006003
        I Store sb=00000023 sh=00001023 sw=00002023 sd=00003023
        I I addi=00000013 slti=00002013 sltiu=00003013 xori=00004013 ori=00006013 andi=00007013 addiw=0000001b
        I Shift6 slli=00001013 srli=00005013 srai=40005013
        I Shift5 slliw=0000101b srliw=0000501b sraiw=4000501b
        I R add=00000033 sub=40000033 sll=00001033 slt=00002033 sltu=00003033 xor=00004033 srl=00005033 sra=40005033 or=00006033 and=00007033
        I R addw=0000003b subw=4000003b sllw=0000103b srlw=0000503b sraw=4000503b
        I Fence fence=0000000f
        Zifencei Fence fence.i=0000100f
        Zicsr Csr csrrw=00001073 csrrs=00002073 csrrc=00003073
        Zicsr CsrImmediate csrrwi=00005073 csrrsi=00006073 csrrci=00007073
        M R mul=02000033 mulh=02001033 mulhsu=02002033 mulhu=02003033 div=02004033 divu=02005033 rem=02006033 remu=02007033
        M R mulw=0200003b divw=0200403b divuw=0200503b remw=0200603b remuw=0200703b
        A LoadReserved lr.w=1000202f lr.d=1000302f
        A Amo sc.w=1800202f amoswap.w=0800202f amoadd.w=0000202f amoxor.w=2000202f amoand.w=6000202f amoor.w=4000202f
        A Amo amomin.w=8000202f amomax.w=a000202f amominu.w=c000202f amomaxu.w=e000202f
        A Amo sc.d=1800302f amoswap.d=0800302f amoadd.d=0000302f amoxor.d=2000302f amoand.d=6000302f amoor.d=4000302f
        A Amo amomin.d=8000302f amomax.d=a000302f amominu.d=c000302f amomaxu.d=e000302f
        S FenceVma sfence.vma=12000073

        """;

    public const string Bits = """
        Zba R add.uw=0800003b sh1add=20002033 sh2add=20004033 sh3add=20006033 sh1add.uw=2000203b sh2add.uw=2000403b sh3add.uw=2000603b
        Zba Shift6 slli.uw=0800101b
        Zbb R andn=40007033 orn=40006033 xnor=40004033 max=0a006033 maxu=0a007033 min=0a004033 minu=0a005033
        Zbb R rol=60001033 rolw=6000103b ror=60005033 rorw=6000503b
        Zbb R1 clz=60001013 ctz=60101013 cpop=60201013 clzw=6000101b ctzw=6010101b cpopw=6020101b
        Zbb R1 sext.b=60401013 sext.h=60501013 zext.h=0800403b orc.b=28705013 rev8=6b805013
        Zbb Shift6 rori=60005013
        Zbb Shift5 roriw=6000501b
        Zbc R clmul=0a001033 clmulr=0a002033 clmulh=0a003033
        Zbs R bclr=48001033 bext=48005033 binv=68001033 bset=28001033
        Zbs Shift6 bclri=48001013 bexti=48005013 binvi=68001013 bseti=28001013

        """;

    public const string Float = """
        F FLoad flw=00002007
        D FLoad fld=00003007
        F FStore fsw=00002027
        D FStore fsd=00003027
        F F4Round fmadd.s=00000043 fmsub.s=00000047 fnmsub.s=0000004b fnmadd.s=0000004f
        D F4Round fmadd.d=02000043 fmsub.d=02000047 fnmsub.d=0200004b fnmadd.d=0200004f
        F F3Round fadd.s=00000053 fsub.s=08000053 fmul.s=10000053 fdiv.s=18000053
        D F3Round fadd.d=02000053 fsub.d=0a000053 fmul.d=12000053 fdiv.d=1a000053
        F F2Round fsqrt.s=58000053
        D F2Round fsqrt.d=5a000053 fcvt.s.d=40100053 fcvt.d.s=42000053
        F F3 fsgnj.s=20000053 fsgnjn.s=20001053 fsgnjx.s=20002053 fmin.s=28000053 fmax.s=28001053
        D F3 fsgnj.d=22000053 fsgnjn.d=22001053 fsgnjx.d=22002053 fmin.d=2a000053 fmax.d=2a001053
        F FCompare feq.s=a0002053 flt.s=a0001053 fle.s=a0000053
        D FCompare feq.d=a2002053 flt.d=a2001053 fle.d=a2000053
        F FToXRound fcvt.w.s=c0000053 fcvt.wu.s=c0100053 fcvt.l.s=c0200053 fcvt.lu.s=c0300053
        D FToXRound fcvt.w.d=c2000053 fcvt.wu.d=c2100053 fcvt.l.d=c2200053 fcvt.lu.d=c2300053
        F FToX fmv.x.w=e0000053 fclass.s=e0001053
        D FToX fmv.x.d=e2000053 fclass.d=e2001053
        F XToFRound fcvt.s.w=d0000053 fcvt.s.wu=d0100053 fcvt.s.l=d0200053 fcvt.s.lu=d0300053
        D XToFRound fcvt.d.w=d2000053 fcvt.d.wu=d2100053 fcvt.d.l=d2200053 fcvt.d.lu=d2300053
        F XToF fmv.w.x=f0000053
        D XToF fmv.d.x=f2000053
        Zfa FImmediate fli.s=f0100053 fli.d=f2100053
        Zfa F3 fminm.s=28002053 fmaxm.s=28003053 fminm.d=2a002053 fmaxm.d=2a003053
        Zfa F2Round fround.s=40400053 froundnx.s=40500053 fround.d=42400053 froundnx.d=42500053
        Zfa FCompare fleq.s=a0004053 fltq.s=a0005053 fleq.d=a2004053 fltq.d=a2005053
        Zfa FToX fcvtmod.w.d=c2801053

        """;
}

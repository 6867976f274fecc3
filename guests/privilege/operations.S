# What the checks run in a mode of their choice: a0 is the address or the argument, a1 the value; each returns a0.
# The first instruction is the one that is expected to trap, unless a line says otherwise.
    .macro  OPERATION name, instructions:vararg
    .globl  op_\name
    .balign 4
op_\name:
    \instructions
    ret
    .endm

    .text
    .option norvc
    .option arch, +d, +zicbom, +zicboz

    OPERATION lb, lb a0, 0(a0)
    OPERATION lh, lh a0, 0(a0)
    OPERATION lw, lw a0, 0(a0)
    OPERATION ld, ld a0, 0(a0)
    OPERATION sb, sb a1, 0(a0)
    OPERATION sh, sh a1, 0(a0)
    OPERATION sw, sw a1, 0(a0)
    OPERATION sd, sd a1, 0(a0)
    OPERATION amoadd_w, amoadd.w a0, a1, (a0)
    OPERATION amoadd_d, amoadd.d a0, a1, (a0)
    OPERATION lr_w, lr.w a0, (a0)
    OPERATION lr_d, lr.d a0, (a0)
    OPERATION sc_w, sc.w a0, a1, (a0)
    OPERATION sc_d, sc.d a0, a1, (a0)
    OPERATION jump, jr a0
    OPERATION ecall, ecall
    OPERATION ebreak, ebreak
    OPERATION illegal, .word 0xffffffff
    OPERATION illegal16, .half 0x0000, 0x0001
    OPERATION mret, mret
    OPERATION sret, sret
    OPERATION wfi, wfi
    OPERATION sfence, sfence.vma
    OPERATION fence_i, fence.i
    OPERATION read_satp, csrr a0, satp
    OPERATION write_satp, csrw satp, a0
    OPERATION read_mstatus, csrr a0, mstatus
    OPERATION read_sstatus, csrr a0, sstatus
    OPERATION read_sip, csrr a0, sip
    OPERATION read_stimecmp, csrr a0, stimecmp
    OPERATION write_stimecmp, csrw stimecmp, a0
    OPERATION write_senvcfg, csrw senvcfg, a0
    OPERATION write_misa_ro, csrw mhartid, a0
    OPERATION nonexistent, csrr a0, 0x5c0
    OPERATION cycle, csrr a0, cycle
    OPERATION time, csrr a0, time
    OPERATION instret, csrr a0, instret
    OPERATION hpm3, csrr a0, hpmcounter3
    OPERATION cbo_zero, cbo.zero 0(a0)
    OPERATION cbo_inval, cbo.inval 0(a0)
    OPERATION cbo_clean, cbo.clean 0(a0)
    OPERATION cbo_flush, cbo.flush 0(a0)
    OPERATION fadd, fadd.d fa0, fa0, fa0
    OPERATION fld, fld fa0, 0(a0)
    OPERATION fsd, fsd fa0, 0(a0)
    OPERATION read_fcsr, csrr a0, fcsr
    OPERATION write_fcsr, csrw fcsr, a0
    OPERATION c_fld, .half 0x2100, 0x0001

    # Both of a pair; the second address is a1.
    .globl  op_pair
op_pair:
    lr.d    t0, (a0)
    addi    t0, t0, 1
    sc.d    t1, t0, (a1)
    mv      a0, t1
    ret

    # A pair with a trap and a return between: a0 is the address.
    .globl  op_pair_twice
op_pair_twice:
    lr.d    t0, (a0)
    sc.d    t1, t0, (a0)
    sc.d    t2, t0, (a0)
    slli    t1, t1, 1
    or      a0, t1, t2
    ret

    # Data accesses of M-mode as if in the mode of a1's MPP bits.
    .globl  op_mprv_ld
op_mprv_ld:
    li      t0, 0x1800
    csrc    mstatus, t0
    csrs    mstatus, a1
    ld      a0, 0(a0)
    li      t0, 0x20000
    csrc    mstatus, t0
    ret

    .globl  op_mprv_sd
op_mprv_sd:
    li      t0, 0x1800
    csrc    mstatus, t0
    csrs    mstatus, a1
    sd      a0, 0(a0)
    li      t0, 0x20000
    csrc    mstatus, t0
    ret

    # Waits for an interrupt, not for ever.
    .globl  op_spin
op_spin:
    li      a0, 100000
1:  addi    a0, a0, -1
    bnez    a0, 1b
    ret

    # S-mode: to U-mode at a0, with a1 set in sstatus first.
    .globl  op_to_user
op_to_user:
    csrw    sepc, a0
    li      t0, 0x122
    csrc    sstatus, t0
    csrs    sstatus, a1
    sret

    # M-mode: MRET to a0 with MPP and MPRV in a1; what it lands on traps.
    .globl  op_to_mode
op_to_mode:
    csrw    mepc, a0
    li      t0, 0x1888
    csrc    mstatus, t0
    csrs    mstatus, a1
    mret

    # Two calls to code that is changed between them.
    .globl  op_modify
op_modify:
    mv      s0, ra
    mv      s1, a0
    mv      s2, a1
    jalr    s1
    mv      s3, a0
    sw      s2, 0(s1)
    fence.i
    jalr    s1
    slli    s3, s3, 8
    or      a0, a0, s3
    jr      s0

    # Pieces of code that the checks copy: each returns a number.
    .globl  code_return_1, code_return_2
    .balign 8
code_return_1:
    li      a0, 1
    ret
code_return_2:
    li      a0, 2
    ret

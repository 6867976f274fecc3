# Entry at the start of RAM, in M-mode, and the ways between the modes.
    .equ    FS_INITIAL, 0x2000

    .section .text.start, "ax"
    .globl _start
_start:
    csrw    mie, zero
    bnez    a0, park
    la      sp, __stack_top
    la      t0, trap_entry
    csrw    mtvec, t0
    la      t0, __bss_start
    la      t1, __bss_end
1:  bgeu    t0, t1, 2f
    sd      zero, 0(t0)
    addi    t0, t0, 8
    j       1b
2:  call    privilege
park:
    wfi
    j       park

    .text
# enter(function, argument, argument, mstatus): runs the function in the mode of mstatus.MPP until it returns or traps to M-mode.
# What trapped is in m_frame. A function that returns does so through the ECALL at leave.
    .globl enter
enter:
    la      t0, m_frame
    sd      ra, 64(t0)
    sd      sp, 72(t0)
    sd      s0, 80(t0)
    sd      s1, 88(t0)
    sd      s2, 96(t0)
    sd      s3, 104(t0)
    sd      s4, 112(t0)
    sd      s5, 120(t0)
    sd      s6, 128(t0)
    sd      s7, 136(t0)
    sd      s8, 144(t0)
    sd      s9, 152(t0)
    sd      s10, 160(t0)
    sd      s11, 168(t0)
    csrw    mscratch, t0
    csrw    mepc, a0
    csrw    mstatus, a3
    mv      a0, a1
    mv      a1, a2
    la      ra, leave
    li      t6, 0
    mret

    .globl leave
leave:
    ecall

    .balign 4
    .globl trap_entry
trap_entry:
    csrrw   t5, mscratch, t5
    sd      a0, 0(t5)
    csrr    a0, mcause
    sd      a0, 8(t5)
    csrr    a0, mepc
    sd      a0, 16(t5)
    csrr    a0, mtval
    sd      a0, 24(t5)
    csrr    a0, mstatus
    sd      a0, 32(t5)
    sd      t6, 40(t5)
    mv      t0, t5
    li      t1, FS_INITIAL
    csrw    mstatus, t1
    ld      ra, 64(t0)
    ld      sp, 72(t0)
    ld      s0, 80(t0)
    ld      s1, 88(t0)
    ld      s2, 96(t0)
    ld      s3, 104(t0)
    ld      s4, 112(t0)
    ld      s5, 120(t0)
    ld      s6, 128(t0)
    ld      s7, 136(t0)
    ld      s8, 144(t0)
    ld      s9, 152(t0)
    ld      s10, 160(t0)
    ld      s11, 168(t0)
    ret

# The handler of S-mode: notes the trap in s_frame, then does what s_frame's last word says.
    .balign 4
    .globl s_trap_entry
s_trap_entry:
    la      t5, s_frame
    sd      a0, 0(t5)
    csrr    t4, scause
    sd      t4, 8(t5)
    csrr    t4, sepc
    sd      t4, 16(t5)
    csrr    t4, stval
    sd      t4, 24(t5)
    csrr    t4, sstatus
    sd      t4, 32(t5)
    sd      t6, 40(t5)
    ld      t4, 48(t5)
    beqz    t4, leave
    addi    t4, t4, -1
    beqz    t4, 1f
    # A trap in the handler, which is not delegated.
    .globl  nested_illegal
nested_illegal:
    csrr    zero, mstatus
    j       leave
    # On with the next instruction.
1:  csrr    t4, sepc
    addi    t4, t4, 4
    csrw    sepc, t4
    sret

    .macro  VECTORS name, entry
    .balign 256
    .globl  \name
\name:
    .option push
    .option norvc
    .set    number, 0
    .rept   16
    j       \name\()_stubs + 8 * number
    .set    number, number + 1
    .endr
\name\()_stubs:
    .set    number, 0
    .rept   16
    li      t6, 100 + number
    j       \entry
    .set    number, number + 1
    .endr
    .option pop
    .endm

    VECTORS m_vectors, trap_entry
    VECTORS s_vectors, s_trap_entry

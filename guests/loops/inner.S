# The loops. Each function is `uint64_t NAME(uint64_t count, void *memory)` and returns a checksum. An iteration runs exactly as many
# instructions as stand above it, whichever way its branches go; loops.c has the same numbers.

    .macro  begin name
    .globl  \name
    .balign 16
\name:
    .endm

    .text

# Instructions: 24 an iteration: xorshift, multiplications, sums, comparisons.
begin integer
    li      a2, 0x2545f4914f6cdd1d
    li      a3, 88172645463325252
    li      a4, 0
    li      a5, 1
1:  slli    t0, a3, 13
    xor     a3, a3, t0
    srli    t0, a3, 7
    xor     a3, a3, t0
    slli    t0, a3, 17
    xor     a3, a3, t0
    mul     t1, a3, a2
    add     a4, a4, t1
    mulhu   t2, a3, a5
    xor     a4, a4, t2
    addw    t3, a4, a3
    sltu    t4, t3, a4
    add     a5, a5, t4
    and     t5, a4, a3
    or      t6, a4, a5
    sub     t6, t6, t5
    sraiw   t0, t6, 5
    add     a4, a4, t0
    slli    t1, a4, 3
    srli    t2, a4, 61
    or      a4, t1, t2
    addi    a5, a5, 11
    addi    a0, a0, -1
    bnez    a0, 1b
    xor     a0, a4, a5
    ret

# Instructions: 16 an iteration: a chaotic sequence, its roots and quotients.
begin double
    la      t0, numbers
    fld     fa0, 0(t0)              # 3.9
    fld     fa1, 8(t0)              # 1
    fld     fa2, 16(t0)             # x
    fmv.d.x fa3, zero
    li      a3, 0
1:  fsub.d  ft0, fa1, fa2
    fmul.d  fa2, fa2, ft0
    fmul.d  fa2, fa2, fa0
    fsqrt.d ft1, fa2
    fadd.d  ft2, fa2, fa1
    fdiv.d  ft3, ft1, ft2
    fadd.d  fa3, fa3, ft3
    fmul.d  ft4, ft3, ft3
    fsub.d  ft5, ft4, fa2
    fmul.d  ft6, ft5, ft1
    fadd.d  ft7, ft6, ft2
    fmv.x.d t1, ft7
    xor     a3, a3, t1
    slli    t2, a3, 1
    addi    a0, a0, -1
    bnez    a0, 1b
    fmv.x.d t1, fa3
    xor     a0, a3, t1
    add     a0, a0, t2
    ret

# Instructions: 12 an iteration: fused multiply-adds of all four kinds.
begin fused
    la      t0, numbers
    fld     fa0, 0(t0)
    fld     fa1, 8(t0)
    fld     fa2, 16(t0)
    fmv.d   fa3, fa2
    fmv.d   fa4, fa2
    li      a3, 0
1:  fnmsub.d ft0, fa2, fa2, fa2     # x - x * x
    fmul.d  fa2, ft0, fa0
    fmadd.d ft1, fa2, fa2, fa1
    fmsub.d ft2, ft1, fa2, fa1
    fnmadd.d ft3, ft2, fa2, ft1
    fmadd.d ft4, ft3, ft2, ft1
    fmadd.d ft5, ft4, fa2, ft3
    fmsub.d ft6, ft5, ft2, ft4
    fmv.x.d t1, ft6
    add     a3, a3, t1
    addi    a0, a0, -1
    bnez    a0, 1b
    mv      a0, a3
    ret

# Instructions: 30 an iteration: 64 bytes of 8 MiB loaded, changed and stored, the next iteration the next ones.
begin stream
    li      a2, 0x7fffff
    li      a3, 0
    li      a4, 0
1:  add     t0, a1, a3
    ld      t1, 0(t0)
    ld      t2, 8(t0)
    ld      t3, 16(t0)
    ld      t4, 24(t0)
    add     t1, t1, a0
    add     t2, t2, t1
    add     t3, t3, t2
    add     t4, t4, t3
    sd      t1, 0(t0)
    sd      t2, 8(t0)
    sd      t3, 16(t0)
    sd      t4, 24(t0)
    ld      t1, 32(t0)
    ld      t2, 40(t0)
    ld      t3, 48(t0)
    ld      t5, 56(t0)
    add     t1, t1, t4
    add     t2, t2, t1
    add     t3, t3, t2
    add     t5, t5, t3
    sd      t1, 32(t0)
    sd      t2, 40(t0)
    sd      t3, 48(t0)
    sd      t5, 56(t0)
    add     a4, a4, t5
    addi    a3, a3, 64
    and     a3, a3, a2
    addi    a0, a0, -1
    bnez    a0, 1b
    mv      a0, a4
    ret

# Instructions: 10 an iteration: each load's address is what the load before it found.
begin chase
1:  ld      a1, 0(a1)
    ld      a1, 0(a1)
    ld      a1, 0(a1)
    ld      a1, 0(a1)
    ld      a1, 0(a1)
    ld      a1, 0(a1)
    ld      a1, 0(a1)
    ld      a1, 0(a1)
    addi    a0, a0, -1
    bnez    a0, 1b
    mv      a0, a1
    ret

# Instructions: 9 an iteration: one word of a page, then of the next page, through 8 MiB; other words at each pass.
begin pages
    li      a2, 0x7fffff
    li      a3, 0
    li      a4, 0
    li      a5, 0x1008
1:  add     t0, a1, a3
    ld      t1, 0(t0)
    add     t1, t1, a0
    add     a4, a4, t1
    sd      t1, 0(t0)
    add     a3, a3, a5
    and     a3, a3, a2
    addi    a0, a0, -1
    bnez    a0, 1b
    mv      a0, a4
    ret

# Instructions: 24 an iteration: four branches that nobody can predict, both ways equally long.
begin branches
    li      a3, 88172645463325252
    li      a4, 0
1:  slli    t0, a3, 13
    xor     a3, a3, t0
    srli    t0, a3, 7
    xor     a3, a3, t0
    slli    t0, a3, 17
    xor     a3, a3, t0
    .irp    bit, 1, 4, 16, 64
    andi    t1, a3, \bit
    beqz    t1, 2f
    addi    a4, a4, \bit
    j       3f
2:  xor     a4, a4, a3
    slli    a4, a4, 1
3:
    .endr
    addi    a0, a0, -1
    bnez    a0, 1b
    mv      a0, a4
    ret

# Instructions: 23 an iteration: three calls, two deep and one through a register.
begin calls
    addi    sp, sp, -32
    sd      ra, 0(sp)
    sd      s0, 8(sp)
    la      s0, leaf
    mv      a2, a0
    li      a3, 1
1:  mv      a0, a3
    jal     middle
    mv      a3, a0
    jalr    s0
    add     a3, a3, a0
    addi    a2, a2, -1
    bnez    a2, 1b
    mv      a0, a3
    ld      ra, 0(sp)
    ld      s0, 8(sp)
    addi    sp, sp, 32
    ret
# Instructions: 8, and leaf's 4.
middle:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    addi    a0, a0, 7
    jal     leaf
    xor     a0, a0, a3
    ld      ra, 8(sp)
    addi    sp, sp, 16
    ret
# Instructions: 4.
leaf:
    slli    t0, a0, 1
    srli    t1, a0, 3
    xor     a0, t0, t1
    ret

    .section .rodata
    .balign 8
numbers:
    .double 3.9, 1.0, 0.5

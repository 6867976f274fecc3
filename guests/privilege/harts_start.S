# All harts enter at the start of RAM: hart 0 goes on, the others wait for their software interrupt to be pending.
    .section .text.start, "ax"
    .globl _start
_start:
    csrw    mie, zero
    la      t0, halt
    csrw    mtvec, t0
    la      sp, __stack_top
    slli    t0, a0, 11
    sub     sp, sp, t0
    li      t0, 8
    csrw    mie, t0
    bnez    a0, 3f
    la      t0, __bss_start
    la      t1, __bss_end
1:  bgeu    t0, t1, 2f
    sd      zero, 0(t0)
    addi    t0, t0, 8
    j       1b
3:  wfi
    csrr    t0, mip
    andi    t0, t0, 8
    beqz    t0, 3b
2:  call    harts
    .balign 4
halt:
    wfi
    j       halt

# Entry at the start of RAM, in M-mode: a0 = hart, a1 = device tree (or 0).
    .section .text.start, "ax"
    .globl _start
_start:
    csrw    mie, zero
    bnez    a0, park

    .option push
    .option norelax
    la      gp, __global_pointer$
    .option pop
    la      sp, __stack_top
    la      t0, trap
    csrw    mtvec, t0

    # After a reset of the machine the RAM still holds what it held.
    la      t0, __bss_start
    la      t1, __bss_end
1:  bgeu    t0, t1, 2f
    sd      zero, 0(t0)
    addi    t0, t0, 8
    j       1b

2:  mv      a0, a1
    call    heartbeat

park:
    wfi
    j       park

    .balign 4
trap:
    csrr    a0, mcause
    csrr    a1, mepc
    csrr    a2, mtval
    la      sp, __stack_top
    call    trapped
    j       park

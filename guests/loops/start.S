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
    li      t0, 0x2000              # FS = initial
    csrs    mstatus, t0
    csrwi   fcsr, 0

    # After a reset of the machine the RAM still holds what it held.
    la      t0, __bss_start
    la      t1, __bss_end
1:  bgeu    t0, t1, 2f
    sd      zero, 0(t0)
    addi    t0, t0, 8
    j       1b

2:  mv      a0, a1
    call    loops

park:
    wfi
    j       park

    .balign 4
trap:
    csrr    a0, mcause
    csrr    a1, mepc
    csrr    a2, mtval
    csrw    satp, zero
    la      sp, __stack_top
    call    trapped
    j       park

# void enter_supervisor(uint64_t satp): returns in S-mode, under those page tables.
    .globl enter_supervisor
enter_supervisor:
    li      t0, -1
    csrw    pmpaddr0, t0
    li      t0, 0x1f                # all addresses, to read, write and execute
    csrw    pmpcfg0, t0
    li      t0, 7                   # cycle, time, instret
    csrw    mcounteren, t0
    csrw    satp, a0
    sfence.vma
    li      t0, 0x1800
    csrc    mstatus, t0
    li      t0, 0x0800              # MPP = S
    csrs    mstatus, t0
    csrw    mepc, ra
    mret

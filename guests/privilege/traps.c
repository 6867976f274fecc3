// Causes, values, delegation, the stack of modes, and what each mode may do.
#include "privilege.h"

static void causes(void)
{
    run(U, op_ecall, 0, 0);
    trapped_at("ecall/u", ECALL_U, 0, op_ecall);
    run(S, op_ecall, 0, 0);
    trapped_at("ecall/s", ECALL_S, 0, op_ecall);
    run(M, op_ecall, 0, 0);
    trapped_at("ecall/m", ECALL_M, 0, op_ecall);
    run(U, op_ebreak, 0, 0);
    trapped_at("ebreak/u", BREAKPOINT, (u64)op_ebreak, op_ebreak);
    run(M, op_ebreak, 0, 0);
    trapped_at("ebreak/m", BREAKPOINT, (u64)op_ebreak, op_ebreak);
    run(M, op_illegal, 0, 0);
    trapped_at("illegal/32-bits", ILLEGAL, 0xffffffff, op_illegal);
    run(M, op_illegal16, 0, 0);
    trapped_at("illegal/16-bits", ILLEGAL, 0, op_illegal16);
    run(M, op_nonexistent, 0, 0);
    trapped("illegal/csr-nonexistent", ILLEGAL, 0x5c002573);
    run(M, op_write_misa_ro, 0, 0);
    trapped("illegal/csr-read-only", ILLEGAL, 0xf1451073);
    run(S, op_read_mstatus, 0, 0);
    trapped("illegal/mstatus-from-s", ILLEGAL, 0x30002573);
    run(U, op_read_sstatus, 0, 0);
    trapped("illegal/sstatus-from-u", ILLEGAL, 0x10002573);
    run(S, op_mret, 0, 0);
    trapped("illegal/mret-from-s", ILLEGAL, 0x30200073);
    run(U, op_mret, 0, 0);
    trapped("illegal/mret-from-u", ILLEGAL, 0x30200073);
    run(U, op_sret, 0, 0);
    trapped("illegal/sret-from-u", ILLEGAL, 0x10200073);
    run(U, op_sfence, 0, 0);
    trapped("illegal/sfence-from-u", ILLEGAL, 0x12000073);
    run(U, op_wfi, 0, 0);
    trapped("illegal/wfi-from-u", ILLEGAL, 0x10500073);
}

static void virtualization_traps(void)
{
    run_with(MPP(S) | TVM, op_read_satp, 0, 0);
    trapped("tvm/read-satp", ILLEGAL, 0x18002573);
    run_with(MPP(S) | TVM, op_write_satp, 0, 0);
    trapped("tvm/write-satp", ILLEGAL, 0x18051073);
    run_with(MPP(S) | TVM, op_sfence, 0, 0);
    trapped("tvm/sfence", ILLEGAL, 0x12000073);
    run_with(MPP(M) | TVM, op_read_satp, 0, 0);
    returned("tvm/m-mode-may", 0);
    run_with(MPP(S), op_sfence, 7, 0);
    returned("tvm/off", 7);
    run_with(MPP(S) | TW, op_wfi, 0, 0);
    trapped("tw/wfi-from-s", ILLEGAL, 0x10500073);
    run_with(MPP(S) | TSR, op_sret, 0, 0);
    trapped("tsr/sret-from-s", ILLEGAL, 0x10200073);
}

#define STACK (SIE | MIE | SPIE | MPIE | SPP | MPP(3) | MPRV)

static void stack_of_modes(void)
{
    run_with(MPP(U) | MPIE, op_ecall, 0, 0);
    equal("mret/u-mpie", m_frame.status & STACK, MPP(U) | MPIE);
    run_with(MPP(U), op_ecall, 0, 0);
    equal("mret/u-no-mpie", m_frame.status & STACK, MPP(U));
    run_with(MPP(S) | MPIE | SIE, op_ecall, 0, 0);
    equal("mret/s-keeps-sie", m_frame.status & STACK, MPP(S) | MPIE | SIE);
    run_with(MPP(M), op_read_mstatus, 0, 0);
    equal("mret/leaves-mpp-u-and-mpie-set", m_frame.value & STACK, MPP(U) | MPIE);
    run_with(MPP(M) | MPRV, op_read_mstatus, 0, 0);
    equal("mret/to-m-keeps-mprv", m_frame.value & STACK, MPP(U) | MPIE | MPRV);
    run_with(MPP(M), op_to_mode, (u64)op_ecall, MPP(S) | MPRV);
    equal("mret/to-s-clears-mprv", m_frame.status & STACK, MPP(S));
    run_with(MPP(2), op_read_mstatus, 0, 0);
    seen("mret/reserved-mpp-is-not-kept");

    run_with(MPP(S), op_to_user, (u64)op_ecall, SPIE);
    equal("sret/u-spie", m_frame.status & STACK, MPP(U) | SIE | SPIE);
    run_with(MPP(S), op_to_user, (u64)op_ecall, 0);
    equal("sret/u-no-spie", m_frame.status & STACK, MPP(U) | SPIE);
    run_with(MPP(S), op_to_user, (u64)op_ecall, SPP | SPIE);
    equal("sret/s", m_frame.status & STACK, MPP(S) | SIE | SPIE);
    trapped_at("sret/s-ecall", ECALL_S, 0, op_ecall);
    run_with(MPP(M), op_to_user, (u64)op_ecall, SPP | MPRV);
    equal("sret/from-m-to-s", m_frame.status & STACK, MPP(S) | SPIE);
}

static void delegation(void)
{
    WRITE(medeleg, ~0ul);
    note("medeleg/writable", READ(medeleg));
    WRITE(mideleg, ~0ul);
    note("mideleg/writable", READ(mideleg));
    WRITE(mideleg, 0);
    WRITE(medeleg, 1 << ECALL_U | 1 << ILLEGAL | 1 << BREAKPOINT | 1 << LOAD_ACCESS);
    s_frame.action = 0;
    run_with(MPP(U) | SIE, op_ecall, 5, 0);
    delegated("delegation/ecall-u", ECALL_U, 0);
    equal("delegation/ecall-u-spp-spie", s_frame.status & STACK, SPIE);
    equal("delegation/ecall-u-epc", s_frame.epc, (u64)op_ecall);
    run_with(MPP(S), op_illegal, 0, 0);
    delegated("delegation/illegal-s", ILLEGAL, 0xffffffff);
    equal("delegation/illegal-s-spp", s_frame.status & STACK, SPP);
    run(S, op_ebreak, 0, 0);
    delegated("delegation/ebreak-s", BREAKPOINT, (u64)op_ebreak);
    run(U, op_ld, NOWHERE, 0);
    delegated("delegation/load-access", LOAD_ACCESS, NOWHERE);
    run(U, op_sd, NOWHERE, 0);
    trapped_at("delegation/store-access-is-not", STORE_ACCESS, NOWHERE, op_sd);
    run(S, op_ecall, 0, 0);
    trapped_at("delegation/ecall-s-is-not", ECALL_S, 0, op_ecall);
    run(M, op_illegal, 0, 0);
    trapped_at("delegation/never-from-m", ILLEGAL, 0xffffffff, op_illegal);
    equal("delegation/never-from-m-scause", s_frame.cause, 0);

    WRITE(medeleg, 1 << BREAKPOINT);
    s_frame.action = 1;
    run_with(MPP(U) | SIE, op_ebreak, 6, 0);
    returned("delegation/handler-goes-on", 6);
    equal("delegation/handler-goes-on-in-u", m_frame.cause, ECALL_U);
    delegated("delegation/handler-saw", BREAKPOINT, (u64)op_ebreak);

    WRITE(medeleg, 1 << ECALL_U);
    s_frame.action = 2;
    run(U, op_ecall, 0, 0);
    trapped_at("delegation/trap-in-the-handler", ILLEGAL, 0x30002073, nested_illegal);
    equal("delegation/trap-in-the-handler-mpp", m_frame.status & MPP(3), MPP(S));
    delegated("delegation/trap-in-the-handler-first", ECALL_U, 0);
    s_frame.action = 0;
    WRITE(medeleg, 0);
}

static void vectored_exceptions(void)
{
    WRITE(mtvec, (u64)m_vectors | 1);
    run(M, op_ebreak, 0, 0);
    trapped("vectored/exceptions-go-to-the-base", BREAKPOINT, (u64)op_ebreak);
    equal("vectored/exception-entry", m_frame.vector, 100);
    WRITE(mtvec, trap_entry);
    WRITE(medeleg, 1 << BREAKPOINT);
    WRITE(stvec, (u64)s_vectors | 1);
    run(S, op_ebreak, 0, 0);
    delegated("vectored/s-exceptions-go-to-the-base", BREAKPOINT, (u64)op_ebreak);
    equal("vectored/s-exception-entry", s_frame.vector, 100);
    WRITE(stvec, s_trap_entry);
    WRITE(medeleg, 0);
}

static void counter_gate(const char *name, int mode, u64 machine, u64 supervisor, const void *code, u64 illegal)
{
    WRITE(mcounteren, machine);
    WRITE(scounteren, supervisor);
    run(mode, code, 0, 0);
    // What a counter says differs from run to run.
    m_frame.value = 0;
    if (illegal)
        trapped(name, ILLEGAL, illegal);
    else
        returned(name, 0);
}

static void counters(void)
{
    const u64 cycle = 0xc0002573, time = 0xc0102573, instret = 0xc0202573, hpm3 = 0xc0302573;

    counter_gate("counters/s-cycle-closed", S, 0, 7, op_cycle, cycle);
    counter_gate("counters/s-time-closed", S, 5, 7, op_time, time);
    counter_gate("counters/s-instret-closed", S, 3, 7, op_instret, instret);
    counter_gate("counters/s-hpm3-closed", S, 7, ~0ul, op_hpm3, hpm3);
    counter_gate("counters/s-cycle-open", S, 1, 0, op_cycle, 0);
    counter_gate("counters/s-time-open", S, 2, 0, op_time, 0);
    counter_gate("counters/s-instret-open", S, 4, 0, op_instret, 0);
    counter_gate("counters/s-hpm3-open", S, 8, 0, op_hpm3, 0);
    counter_gate("counters/u-time-closed-by-s", U, 7, 5, op_time, time);
    counter_gate("counters/u-time-closed-by-m", U, 5, 7, op_time, time);
    counter_gate("counters/u-time-open", U, 2, 2, op_time, 0);
    counter_gate("counters/u-cycle-open", U, 1, 1, op_cycle, 0);
    counter_gate("counters/m-always", M, 0, 0, op_time, 0);
    WRITE(mcounteren, 0);
    WRITE(scounteren, 0);
}

static void cache_blocks(void)
{
    u64 block = PAGE(0) + 128;

    for (u64 at = PAGE(0); at < PAGE(1); at += 8)
        AT(at) = ~at;
    run(M, op_cbo_zero, block + 21, 0);
    returned("cbo/zero-m", block + 21);
    for (u64 at = block; at < block + 64; at += 8)
        equal("cbo/zeroed", AT(at), 0);
    equal("cbo/before", AT(block - 8), ~(block - 8));
    equal("cbo/after", AT(block + 64), ~(block + 64));

    WRITE(menvcfg, 0);
    run(S, op_cbo_zero, block, 0);
    trapped("cbo/zero-s-closed", ILLEGAL, 0x0045200f);
    run(S, op_cbo_clean, block, 0);
    trapped("cbo/clean-s-closed", ILLEGAL, 0x0015200f);
    run(S, op_cbo_flush, block, 0);
    trapped("cbo/flush-s-closed", ILLEGAL, 0x0025200f);
    run(S, op_cbo_inval, block, 0);
    trapped("cbo/inval-s-closed", ILLEGAL, 0x0005200f);
    WRITE(menvcfg, 0xf0);
    note("menvcfg/cbo-bits", READ(menvcfg));
    run(S, op_cbo_zero, block, 0);
    returned("cbo/zero-s-open", block);
    run(S, op_cbo_inval, block, 0);
    returned("cbo/inval-s-open", block);
    run(U, op_cbo_zero, block, 0);
    trapped("cbo/zero-u-closed", ILLEGAL, 0x0045200f);
    run(U, op_cbo_inval, block, 0);
    trapped("cbo/inval-u-closed", ILLEGAL, 0x0005200f);
    WRITE(senvcfg, 0xf0);
    run(U, op_cbo_zero, block, 0);
    returned("cbo/zero-u-open", block);
    run(U, op_cbo_clean, block, 0);
    returned("cbo/clean-u-open", block);
    run(M, op_cbo_zero, NOWHERE + 5, 0);
    // The specification wants the address as it was given; QEMU tells the block's.
    seen("cbo/zero-nowhere");
    run(M, op_cbo_clean, NOWHERE + 5, 0);
    seen("cbo/clean-nowhere");
    WRITE(menvcfg, 0);
    WRITE(senvcfg, 0);
}

static void floating_point(void)
{
    run_with(MPP(U) | FS(0), op_fadd, 0, 0);
    trapped("fs/off-fadd", ILLEGAL, 0x02a57553);
    run_with(MPP(M) | FS(0), op_fld, PAGE(0), 0);
    trapped("fs/off-fld", ILLEGAL, 0x00053507);
    run_with(MPP(S) | FS(0), op_read_fcsr, 0, 0);
    trapped("fs/off-fcsr", ILLEGAL, 0x00302573);
    run_with(MPP(S) | FS(0), op_c_fld, PAGE(0), 0);
    trapped("fs/off-c.fld", ILLEGAL, 0x2100);
    run_with(MPP(U) | FS(1), op_fld, PAGE(0), 0);
    equal("fs/fld-makes-dirty", m_frame.status & (FS(3) | 1ul << 63), FS(3) | 1ul << 63);
    run_with(MPP(U) | FS(2), op_write_fcsr, 0, 0);
    equal("fs/fcsr-write-makes-dirty", m_frame.status & (FS(3) | 1ul << 63), FS(3) | 1ul << 63);
    run_with(MPP(U) | FS(1), op_fsd, PAGE(0), 0);
    note("fs/store", m_frame.status & (FS(3) | 1ul << 63));
    run_with(MPP(U) | FS(2), op_read_fcsr, 0, 0);
    note("fs/fcsr-read", m_frame.status & (FS(3) | 1ul << 63));
    run_with(MPP(S) | FS(3), op_read_sstatus, 0, 0);
    equal("fs/sstatus-sd", m_frame.value & (FS(3) | 1ul << 63), FS(3) | 1ul << 63);
}

void check_traps(void)
{
    causes();
    virtualization_traps();
    stack_of_modes();
    delegation();
    vectored_exceptions();
    counters();
    cache_blocks();
    floating_point();
}

// Output, results, and the order of the checks.
#include "privilege.h"

#define UART     ((volatile uint8_t *)0x10000000ul)
#define FINISHER ((volatile uint32_t *)0x00100000ul)

struct frame m_frame, s_frame;
static u64 checks, wrong;

static void put(char c)
{
    while (!(UART[5] & 0x20))
        ;
    UART[0] = (uint8_t)c;
}

static void text(const char *s)
{
    while (*s)
        put(*s++);
}

static void hex(const char *name, u64 value)
{
    bool started = false;

    text(name);
    for (int shift = 60; shift >= 0; shift -= 4) {
        int digit = value >> shift & 15;

        started |= digit || shift == 0;
        if (started)
            put("0123456789abcdef"[digit]);
    }
}

static bool has_returned(void)
{
    return m_frame.epc == (u64)leave && (m_frame.cause == ECALL_U || m_frame.cause == ECALL_S || m_frame.cause == ECALL_M);
}

// A line for the serial port, and eight words for memory. Where an interrupt came is a matter of luck.
static void record(const char *name, const struct frame *frame, bool ok)
{
    volatile u64 *result = (volatile u64 *)(RESULTS + checks++ * 64);
    bool interrupt = frame->cause >> 63;

    text(name);
    if (frame == &m_frame && has_returned()) {
        hex(" returned=0x", frame->value);
        hex(" status=0x", frame->status);
    } else {
        hex(" cause=0x", frame->cause);
        hex(" tval=0x", frame->tval);
        if (!interrupt)
            hex(" epc=0x", frame->epc);
        hex(" status=0x", frame->status);
        if (frame->vector)
            hex(" vector=0x", frame->vector);
    }
    text(ok ? " ok\n" : " WRONG\n");
    wrong += !ok;
    result[0] = frame->cause;
    result[1] = frame->tval;
    result[2] = interrupt ? 0 : frame->epc;
    result[3] = frame->status;
    result[4] = interrupt ? 0 : frame->value;
    result[5] = frame->vector;
    result[6] = ok;
    result[7] = checks;
}

void run_with(u64 status, const void *code, u64 argument, u64 value)
{
    extern void enter(const void *, u64, u64, u64);

    s_frame.cause = s_frame.epc = s_frame.tval = s_frame.status = s_frame.vector = 0;
    enter(code, argument, value, status);
}

void run(int mode, const void *code, u64 argument, u64 value)
{
    run_with(MPP(mode) | FS(1), code, argument, value);
}

void returned(const char *name, u64 value)
{
    record(name, &m_frame, has_returned() && m_frame.value == value);
}

void trapped(const char *name, u64 cause, u64 tval)
{
    record(name, &m_frame, !has_returned() && m_frame.cause == cause && m_frame.tval == tval);
}

void trapped_at(const char *name, u64 cause, u64 tval, const void *pc)
{
    record(name, &m_frame, !has_returned() && m_frame.cause == cause && m_frame.tval == tval && m_frame.epc == (u64)pc);
}

void interrupted(const char *name, u64 number)
{
    record(name, &m_frame, m_frame.cause == (INTERRUPT | number) && m_frame.tval == 0);
}

// The trap went to S-mode, whose handler came back to M-mode.
void delegated(const char *name, u64 cause, u64 tval)
{
    record(name, &s_frame, s_frame.cause == cause && s_frame.tval == tval);
}

void seen(const char *name)
{
    record(name, &m_frame, true);
}

static void value_line(const char *name, u64 value, bool ok)
{
    volatile u64 *result = (volatile u64 *)(RESULTS + checks++ * 64);

    text(name);
    hex(" value=0x", value);
    text(ok ? " ok\n" : " WRONG\n");
    wrong += !ok;
    result[0] = value;
    result[6] = ok;
    result[7] = checks;
}

void equal(const char *name, u64 value, u64 expected)
{
    value_line(name, value, value == expected);
}

void note(const char *name, u64 value)
{
    value_line(name, value, true);
}

void privilege(void)
{
    WRITE(mideleg, 0);
    WRITE(medeleg, 0);
    WRITE(stvec, s_trap_entry);
    WRITE(mcounteren, 0);
    WRITE(scounteren, 0);
    WRITE(menvcfg, 0);
    WRITE(senvcfg, 0);
    AT(0x2004000) = ~0ul;
    // QEMU lets MRET itself trap when there is no entry at all.
    run(S, op_read_sstatus, 0, 0);
    seen("pmp/no-entry");
    WRITE(pmpaddr0, NOWHERE >> 2);
    WRITE(pmpcfg0, 0x17);
    run(S, op_read_sstatus, 0, 0);
    trapped_at("pmp/no-match-denies-lower-modes", FETCH_ACCESS, (u64)op_read_sstatus, op_read_sstatus);
    run(M, op_read_sstatus, 0, 0);
    returned("pmp/no-match-allows-m-mode", m_frame.value);
    WRITE(pmpcfg0, 0);
    open_memory();
    check_traps();
    check_interrupts();
    check_memory();
    check_translation();
    check_pmp();
    hex("privilege checks=0x", checks);
    hex(" wrong=0x", wrong);
    text("\n");
    while (!(UART[5] & 0x40))
        ;
    *FINISHER = wrong ? 1 << 16 | 0x3333 : 0x5555;
    for (;;)
        __asm__ volatile("wfi");
}

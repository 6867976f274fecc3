// Who is interrupted, by what, and in which order.
#include "privilege.h"

#define MSIP     (*(volatile uint32_t *)0x2000000ul)
#define MTIMECMP AT(0x2004000ul)
#define STCE     (1ul << 63)

enum { SSI = 1, MSI = 3, STI = 5, MTI = 7, SEI = 9, MEI = 11 };
#define BIT(n) (1ul << (n))

static void machine(void)
{
    MSIP = 1;
    equal("interrupt/msip-sets-mip", READ(mip) & BIT(MSI), BIT(MSI));
    WRITE(mie, BIT(MSI));
    run_with(MPP(M), op_spin, 0, 0);
    returned("interrupt/m-disabled", 0);
    run_with(MPP(M) | MPIE, op_spin, 0, 0);
    interrupted("interrupt/msi-in-m", MSI);
    run_with(MPP(S), op_spin, 0, 0);
    interrupted("interrupt/msi-in-s-whatever-mie", MSI);
    run_with(MPP(U), op_spin, 0, 0);
    interrupted("interrupt/msi-in-u-whatever-mie", MSI);
    run_with(MPP(M), op_wfi, 3, 0);
    returned("interrupt/wfi-wakes-though-disabled", 3);
    WRITE(mtvec, (u64)m_vectors | 1);
    run_with(MPP(U), op_spin, 0, 0);
    interrupted("interrupt/vectored-msi", MSI);
    equal("interrupt/vectored-msi-entry", m_frame.vector, 100 + MSI);
    WRITE(mtvec, trap_entry);
    WRITE(mie, 0);
    run_with(MPP(M) | MPIE, op_spin, 0, 0);
    returned("interrupt/not-in-mie", 0);
    MSIP = 0;
    equal("interrupt/msip-clears-mip", READ(mip) & BIT(MSI), 0);

    MTIMECMP = 0;
    run(M, op_spin, 0, 0);
    equal("interrupt/mtimecmp-sets-mip", READ(mip) & BIT(MTI), BIT(MTI));
    WRITE(mie, BIT(MTI));
    run_with(MPP(M) | MPIE, op_spin, 0, 0);
    interrupted("interrupt/mti", MTI);
    MTIMECMP = AT(0x200bff8) + 20000;
    run_with(MPP(M), op_wfi, 4, 0);
    returned("interrupt/wfi-waits-for-the-timer", 4);
    equal("interrupt/the-timer-has-come", READ(mip) & BIT(MTI), BIT(MTI));
    MTIMECMP = ~0ul;
    run(M, op_spin, 0, 0);
    equal("interrupt/mtimecmp-clears-mip", READ(mip) & BIT(MTI), 0);
    WRITE(mie, 0);
}

static void supervisor(void)
{
    SET(mip, BIT(SSI));
    WRITE(mie, BIT(SSI));
    run_with(MPP(S), op_spin, 0, 0);
    interrupted("interrupt/ssi-not-delegated", SSI);
    WRITE(mideleg, BIT(SSI) | BIT(STI) | BIT(SEI));
    run_with(MPP(M) | MPIE, op_spin, 0, 0);
    returned("interrupt/delegated-never-in-m", 0);
    run_with(MPP(S), op_spin, 0, 0);
    returned("interrupt/ssi-sie-off", 0);
    run_with(MPP(S) | SIE, op_spin, 0, 0);
    delegated("interrupt/ssi-in-s", INTERRUPT | SSI, 0);
    equal("interrupt/ssi-in-s-status", s_frame.status & (SIE | SPIE | SPP), SPIE | SPP);
    run_with(MPP(U), op_spin, 0, 0);
    delegated("interrupt/ssi-in-u-whatever-sie", INTERRUPT | SSI, 0);
    run_with(MPP(S), op_wfi, 8, 0);
    returned("interrupt/wfi-in-s-wakes-though-disabled", 8);
    WRITE(stvec, (u64)s_vectors | 1);
    run_with(MPP(U), op_spin, 0, 0);
    delegated("interrupt/vectored-ssi", INTERRUPT | SSI, 0);
    equal("interrupt/vectored-ssi-entry", s_frame.vector, 100 + SSI);
    WRITE(stvec, s_trap_entry);
    run(S, op_read_sip, 0, 0);
    equal("interrupt/sip", m_frame.value & 0x222, BIT(SSI));
    CLEAR(mip, BIT(SSI));

    WRITE(menvcfg, STCE);
    WRITE(stimecmp, 0);
    equal("sstc/stimecmp-sets-stip", READ(mip) & BIT(STI), BIT(STI));
    CLEAR(mip, BIT(STI));
    equal("sstc/stip-is-read-only", READ(mip) & BIT(STI), BIT(STI));
    WRITE(mie, BIT(STI));
    run_with(MPP(S) | SIE, op_spin, 0, 0);
    delegated("sstc/sti-in-s", INTERRUPT | STI, 0);
    WRITE(stimecmp, ~0ul);
    equal("sstc/stimecmp-clears-stip", READ(mip) & BIT(STI), 0);
    WRITE(stimecmp, AT(0x200bff8) + 20000);
    run_with(MPP(S), op_wfi, 9, 0);
    returned("sstc/wfi-waits-for-stimecmp", 9);
    WRITE(stimecmp, ~0ul);
    WRITE(mcounteren, 2);
    run(S, op_read_stimecmp, 0, 0);
    returned("sstc/s-mode-may", ~0ul);
    WRITE(mcounteren, 0);
    run(S, op_read_stimecmp, 0, 0);
    trapped("sstc/s-mode-needs-mcounteren.tm", ILLEGAL, 0x14d02573);
    WRITE(mcounteren, 2);
    WRITE(menvcfg, 0);
    run(S, op_read_stimecmp, 0, 0);
    trapped("sstc/s-mode-needs-stce", ILLEGAL, 0x14d02573);
    run(S, op_write_stimecmp, 0, 0);
    trapped("sstc/s-mode-write-needs-stce", ILLEGAL, 0x14d51073);
    WRITE(mcounteren, 0);
    WRITE(mie, 0);
    WRITE(mideleg, 0);
}

static void pend(u64 number, bool on)
{
    if (number == MSI)
        MSIP = on;
    else if (number == MTI)
        MTIMECMP = on ? 0 : ~0ul;
    else if (on)
        SET(mip, BIT(number));
    else
        CLEAR(mip, BIT(number));
}

// The specification has an order of its own (MEI, MSI, MTI, SEI, SSI, STI); a QEMU without AIA takes the lowest number first.
static void pairs(void)
{
    static const uint8_t numbers[] = { SSI, MSI, STI, MTI, SEI };
    static const char *const names[] = {
        "priority/ssi-msi", "priority/ssi-sti", "priority/ssi-mti", "priority/ssi-sei", "priority/msi-sti",
        "priority/msi-mti", "priority/msi-sei", "priority/sti-mti", "priority/sti-sei", "priority/mti-sei",
    };
    const char *const *name = names;

    WRITE(menvcfg, 0);
    WRITE(mideleg, 0);
    WRITE(mie, BIT(MSI) | BIT(MTI) | BIT(SEI) | BIT(SSI) | BIT(STI));
    for (int i = 0; i < 5; i++)
        for (int j = i + 1; j < 5; j++) {
            pend(numbers[i], true);
            pend(numbers[j], true);
            run(M, op_spin, 0, 0);
            equal(*name, READ(mip) & 0xaaa, BIT(numbers[i]) | BIT(numbers[j]));
            run_with(MPP(M) | MPIE, op_spin, 0, 0);
            seen(*name);
            note(*name++, m_frame.cause);
            pend(numbers[i], false);
            pend(numbers[j], false);
            run(M, op_spin, 0, 0);
        }
    run_with(MPP(M) | MPIE, op_spin, 0, 0);
    returned("priority/none-is-left", 0);
}

static void priorities(void)
{
    pairs();

    // Those for M-mode come before those for S-mode, whatever their number.
    WRITE(mideleg, BIT(SEI));
    SET(mip, BIT(SEI) | BIT(SSI));
    run_with(MPP(S) | SIE, op_spin, 0, 0);
    interrupted("priority/m-before-s", SSI);
    CLEAR(mip, BIT(SSI));
    run_with(MPP(S) | SIE, op_spin, 0, 0);
    delegated("priority/then-s", INTERRUPT | SEI, 0);
    CLEAR(mip, BIT(SEI));
    WRITE(mideleg, 0);
    WRITE(mie, 0);
}

void check_interrupts(void)
{
    machine();
    supervisor();
    priorities();
}

// Physical memory protection: entries of each kind, their order, partial matches, locks.
#include "privilege.h"

enum { PR = 1, PW = 2, PX = 4, TOR = 1 << 3, NA4 = 2 << 3, NAPOT = 3 << 3, LOCKED = 1 << 7 };

static u64 napot(u64 base, u64 size)
{
    return base >> 2 | (size / 8 - 1);
}

void open_memory(void)
{
    WRITE(pmpaddr15, ~0ul);
    WRITE(pmpcfg2, (u64)(NAPOT | PR | PW | PX) << 56);
}

static void access(const char *const names[3], u64 address, int may)
{
    run(S, op_lw, address, 0);
    if (may & PR)
        returned(names[0], (u64)(int64_t)*(int32_t *)address);
    else
        trapped_at(names[0], LOAD_ACCESS, address, op_lw);
    run(S, op_sw, address, (u64)*(uint32_t *)address);
    if (may & PW)
        returned(names[1], address);
    else
        trapped_at(names[1], STORE_ACCESS, address, op_sw);
    run(S, op_jump, address, 0);
    if (may & PX)
        returned(names[2], 2);
    else
        trapped_at(names[2], FETCH_ACCESS, address, (void *)address);
}

#define ACCESS(name, address, may) \
    do { \
        static const char *const names_[] = { name "/load", name "/store", name "/fetch" }; \
        access(names_, address, may); \
    } while (0)

static void kinds(void)
{
    const u64 at = PAGE(4) + 256;

    for (u64 place = PAGE(4); place < PAGE(6); place += 8)
        AT(place) = AT(code_return_2);
    FENCE_I();
    WRITE(pmpaddr0, at >> 2);
    WRITE(pmpcfg0, NA4);
    run(S, op_lw, at, 0);
    trapped("pmp/na4-load", LOAD_ACCESS, at);
    run(S, op_sw, at, 0);
    trapped("pmp/na4-store", STORE_ACCESS, at);
    run(S, op_jump, at, 0);
    trapped("pmp/na4-fetch", FETCH_ACCESS, at);
    run(S, op_lw, at + 4, 0);
    returned("pmp/na4-after", (u64)(int64_t)*(int32_t *)(at + 4));
    run(S, op_lb, at - 1, 0);
    returned("pmp/na4-before", (u64)(int64_t)*(int8_t *)(at - 1));
    run(S, op_ld, at, 0);
    trapped("pmp/partial-match-load", LOAD_ACCESS, at);
    run(S, op_sd, at, 0);
    trapped("pmp/partial-match-store", STORE_ACCESS, at);
    WRITE(pmpcfg0, NA4 | PR | PW | PX);
    run(S, op_ld, at, 0);
    seen("pmp/partial-match-allowed-by-both");
    run(M, op_ld, at, 0);
    seen("pmp/partial-match-in-m-mode");

    WRITE(pmpaddr0, napot(at, 64));
    WRITE(pmpcfg0, NAPOT | PR);
    ACCESS("pmp/napot-r", at + 8, PR);
    ACCESS("pmp/napot-r-last", at + 56, PR);
    ACCESS("pmp/napot-after", at + 64, PR | PW | PX);
    ACCESS("pmp/napot-before", at - 8, PR | PW | PX);
    WRITE(pmpcfg0, NAPOT | PR | PW);
    ACCESS("pmp/napot-rw", at + 8, PR | PW);
    WRITE(pmpcfg0, NAPOT | PX);
    ACCESS("pmp/napot-x", at + 8, PX);
    WRITE(pmpcfg0, NAPOT | PR | PX);
    ACCESS("pmp/napot-rx", at + 8, PR | PX);
    WRITE(pmpcfg0, NAPOT | PW);
    note("pmp/w-without-r-reads", READ(pmpcfg0));
    WRITE(pmpcfg0, 0);
    ACCESS("pmp/off", at + 8, PR | PW | PX);

    WRITE(pmpaddr0, at >> 2);
    WRITE(pmpaddr1, (at + 512) >> 2);
    WRITE(pmpcfg0, TOR << 8);
    ACCESS("pmp/tor-first", at, 0);
    ACCESS("pmp/tor-last", at + 504, 0);
    ACCESS("pmp/tor-after", at + 512, PR | PW | PX);
    ACCESS("pmp/tor-before", at - 8, PR | PW | PX);
    WRITE(pmpaddr0, (at + 512) >> 2);
    WRITE(pmpaddr1, at >> 2);
    ACCESS("pmp/tor-upside-down-is-empty", at + 8, PR | PW | PX);
    WRITE(pmpcfg0, 0);
    WRITE(pmpaddr1, PAGE(4) >> 2);
    WRITE(pmpaddr0, 0);

    WRITE(pmpaddr0, napot(at, 8));
    WRITE(pmpaddr1, napot(PAGE(4), 4096));
    WRITE(pmpcfg0, (NAPOT | PR) | (u64)NAPOT << 8);
    ACCESS("pmp/first-entry-wins", at, PR);
    ACCESS("pmp/second-entry-elsewhere", at + 8, 0);
    run(U, op_ld, at, 0);
    returned("pmp/u-load", AT(at));
    run(U, op_sd, at, 0);
    trapped("pmp/u-store", STORE_ACCESS, at);
    run(U, op_amoadd_d, at, 0);
    trapped("pmp/u-amo", STORE_ACCESS, at);
    run(U, op_lr_d, at + 8, 0);
    trapped("pmp/u-lr", LOAD_ACCESS, at + 8);
    run(U, op_cbo_zero, at, 0);
    seen("pmp/u-cbo.zero");
    run(M, op_ld, at + 8, 0);
    returned("pmp/m-is-free", AT(at + 8));
    run(M, op_mprv_ld, at + 8, MPRV | MPP(S));
    trapped("pmp/mprv", LOAD_ACCESS, at + 8);
    run(S, op_ld, PAGE(5) - 4, 0);
    trapped("pmp/across-first-page", LOAD_ACCESS, PAGE(5) - 4);
    WRITE(pmpaddr1, napot(PAGE(5), 4096));
    run(S, op_ld, PAGE(5) - 4, 0);
    seen("pmp/across-second-page");
    WRITE(pmpcfg0, 0);
}

static void registers(void)
{
    WRITE(pmpaddr0, ~0ul);
    equal("pmp/address-bits", READ(pmpaddr0), (1ul << 54) - 1);
    WRITE(pmpcfg0, 0x6060606060606060);
    note("pmp/reserved-bits-of-an-entry", READ(pmpcfg0));
    WRITE(pmpcfg0, 0);
}

// What is locked stays so until the machine is reset: last of all.
static void locks(void)
{
    const u64 at = PAGE(8);

    WRITE(pmpaddr3, napot(at, 4096));
    WRITE(pmpcfg0, (u64)(LOCKED | NAPOT | PR) << 24);
    run(M, op_ld, at + 8, 0);
    returned("pmp/locked-m-load", AT(at + 8));
    run(M, op_sd, at + 8, 0);
    trapped_at("pmp/locked-m-store", STORE_ACCESS, at + 8, op_sd);
    run(M, op_amoadd_d, at + 8, 0);
    trapped_at("pmp/locked-m-amo", STORE_ACCESS, at + 8, op_amoadd_d);
    run(M, op_jump, at, 0);
    trapped_at("pmp/locked-m-fetch", FETCH_ACCESS, at, (void *)at);
    run(S, op_sd, at + 8, 0);
    trapped("pmp/locked-s-store", STORE_ACCESS, at + 8);
    WRITE(pmpcfg0, 0);
    equal("pmp/locked-entry-stays", READ(pmpcfg0), (u64)(LOCKED | NAPOT | PR) << 24);
    WRITE(pmpaddr3, 0);
    equal("pmp/locked-address-stays", READ(pmpaddr3), napot(at, 4096));

    WRITE(pmpaddr4, PAGE(10) >> 2);
    WRITE(pmpaddr5, PAGE(11) >> 2);
    WRITE(pmpcfg0, (u64)(LOCKED | TOR) << 40);
    run(M, op_ld, PAGE(10), 0);
    trapped("pmp/locked-tor", LOAD_ACCESS, PAGE(10));
    WRITE(pmpaddr4, 0);
    equal("pmp/locked-tor-keeps-its-start", READ(pmpaddr4), PAGE(10) >> 2);
    run(M, op_sd, PAGE(11) - 4, 0);
    trapped("pmp/locked-across", STORE_ACCESS, PAGE(11) - 4);
    run(M, op_ld, PAGE(9) - 4, 0);
    seen("pmp/locked-readable-across");
}

void check_pmp(void)
{
    registers();
    kinds();
    locks();
}

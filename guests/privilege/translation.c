// Sv39, Sv48 and Sv57: pages of all sizes, permissions, faults with the right cause and value, A and D.
#include "privilege.h"

#define ADUE (1ul << 61)

enum { V = 1, R = 2, W = 4, X = 8, PU = 16, G = 32, A = 64, D = 128 };
#define RWX (R | W | X | A | D)

// A virtual address away from the identity mapping of memory, and the page it is meant for.
#define VIRTUAL 0x40000000ul

static u64 *root, *next_table;
static int levels;

static u64 *new_table(void)
{
    u64 *table = next_table;

    next_table += 512;
    for (int i = 0; i < 512; i++)
        table[i] = 0;
    return table;
}

// The place of an address's entry at a level (0: 4 KiB pages); makes tables on the way.
static volatile u64 *entry(u64 address, int level)
{
    u64 *table = root;

    for (int at = levels - 1; at > level; at--) {
        u64 *slot = &table[address >> (12 + 9 * at) & 511];

        if (!(*slot & V))
            *slot = (u64)new_table() >> 2 | V;
        table = (u64 *)(*slot >> 10 << 12);
    }
    return &table[address >> (12 + 9 * level) & 511];
}

static void map(u64 address, u64 to, u64 flags, int level)
{
    *entry(address, level) = to >> 2 | flags;
    FENCE_VMA();
}

// An address space with all of memory as it is, for one mode's code, and PAGE(0) at VIRTUAL.
static void space(int count, int mode, u64 flags)
{
    levels = count;
    next_table = (u64 *)TABLES;
    root = new_table();
    *entry(0x80000000, 2) = 0x80000000 >> 2 | V | RWX | (mode == U ? PU : 0);
    *entry(VIRTUAL, 0) = PAGE(0) >> 2 | flags;
    WRITE(satp, (u64)(count + 5) << 60 | (u64)root >> 12);
    FENCE_VMA();
}

static void fill(void)
{
    for (int page = 0; page < 4; page++)
        for (u64 at = PAGE(page); at < PAGE(page + 1); at += 8)
            AT(at) = at;
    AT(PAGE(0)) = AT(code_return_1);
    AT(PAGE(1)) = AT(code_return_2);
    FENCE_I();
}

// Every kind of access, with the letters of those that may: r, w, x.
static void accesses(const char *const names[4], int mode, u64 status, const char *may)
{
    bool read = false, write = false, fetch = false;

    for (; *may; may++) {
        read |= *may == 'r';
        write |= *may == 'w';
        fetch |= *may == 'x';
    }
    run_with(MPP(mode) | status, op_ld, VIRTUAL + 8, 0);
    if (read)
        returned(names[0], AT(PAGE(0) + 8));
    else
        trapped_at(names[0], LOAD_PAGE, VIRTUAL + 8, op_ld);
    run_with(MPP(mode) | status, op_sd, VIRTUAL + 16, 0x1234);
    if (write)
        returned(names[1], VIRTUAL + 16);
    else
        trapped_at(names[1], STORE_PAGE, VIRTUAL + 16, op_sd);
    run_with(MPP(mode) | status, op_amoadd_d, VIRTUAL + 24, 0);
    if (read && write)
        returned(names[2], AT(PAGE(0) + 24));
    else
        trapped_at(names[2], STORE_PAGE, VIRTUAL + 24, op_amoadd_d);
    run_with(MPP(mode) | status, op_jump, VIRTUAL, 0);
    if (fetch)
        returned(names[3], 1);
    else
        trapped_at(names[3], FETCH_PAGE, VIRTUAL, (void *)VIRTUAL);
}

#define ACCESSES(name, mode, status, may) \
    do { \
        static const char *const names_[] = { name "/load", name "/store", name "/amo", name "/fetch" }; \
        accesses(names_, mode, status, may); \
    } while (0)

static void permissions(void)
{
    space(3, S, V | RWX);
    ACCESSES("sv39/s-rwx", S, 0, "rwx");
    space(3, S, V | R | A | D);
    ACCESSES("sv39/s-r", S, 0, "r");
    space(3, S, V | R | W | A | D);
    ACCESSES("sv39/s-rw", S, 0, "rw");
    space(3, S, V | X | A | D);
    ACCESSES("sv39/s-x", S, 0, "x");
    ACCESSES("sv39/s-x-mxr", S, MXR, "rx");
    space(3, S, V | R | X | A | D);
    ACCESSES("sv39/s-rx", S, 0, "rx");
    space(3, S, V | RWX | PU);
    ACCESSES("sv39/s-user-page", S, 0, "");
    ACCESSES("sv39/s-user-page-sum", S, SUM, "rw");
    space(3, U, V | RWX | PU);
    ACCESSES("sv39/u-rwx", U, 0, "rwx");
    space(3, U, V | RWX);
    ACCESSES("sv39/u-supervisor-page", U, SUM | MXR, "");
    space(3, U, V | X | A | D | PU);
    ACCESSES("sv39/u-x-mxr", U, MXR, "rx");
    space(3, S, V | RWX | G);
    ACCESSES("sv39/s-global", S, 0, "rwx");
}

static void reserved(void)
{
    space(3, S, 0);
    ACCESSES("pte/invalid", S, 0, "");
    space(3, S, RWX);
    ACCESSES("pte/v-clear", S, 0, "");
    space(3, S, V | W | A | D);
    ACCESSES("pte/w-without-r", S, MXR, "");
    space(3, S, V | W | X | A | D);
    ACCESSES("pte/wx-without-r", S, 0, "");
    space(3, S, V | A | D);
    ACCESSES("pte/pointer-at-the-last-level", S, 0, "");
    space(3, S, V | RWX | 1ul << 54);
    ACCESSES("pte/reserved-bit-54", S, 0, "");
    space(3, S, V | RWX | 1ul << 60);
    ACCESSES("pte/reserved-bit-60", S, 0, "");
    space(3, S, V | RWX | 1ul << 61);
    ACCESSES("pte/pbmt", S, 0, "");
    space(3, S, V | RWX | 1ul << 63);
    ACCESSES("pte/napot", S, 0, "");
    space(3, S, V | RWX | 3ul << 8);
    ACCESSES("pte/rsw-is-free", S, 0, "rwx");
    for (int bit = 4; bit < 8; bit++) {
        static const char *const names[] = { "pte/pointer-with-u", "pte/pointer-with-g", "pte/pointer-with-a", "pte/pointer-with-d" };

        space(3, S, V | RWX);
        *entry(VIRTUAL, 1) |= 1ul << bit;
        FENCE_VMA();
        run(S, op_ld, VIRTUAL + 8, 0);
        if (bit == 5)
            returned(names[bit - 4], AT(PAGE(0) + 8));
        else
            trapped(names[bit - 4], LOAD_PAGE, VIRTUAL + 8);
    }
    space(3, S, V | RWX);
    map(VIRTUAL + 0x200000, PAGE(1), V | RWX, 1);
    run(S, op_ld, VIRTUAL + 0x200008, 0);
    trapped("pte/misaligned-2m", LOAD_PAGE, VIRTUAL + 0x200008);
    map(0xc0000000, 0x80200000, V | RWX, 2);
    run(S, op_sd, 0xc0000008, 0);
    trapped("pte/misaligned-1g", STORE_PAGE, 0xc0000008);
    run(S, op_jump, 0xc0000000, 0);
    trapped("pte/misaligned-1g-fetch", FETCH_PAGE, 0xc0000000);
    *entry(VIRTUAL + 0x400000, 1) = NOWHERE >> 2 | V;
    *entry(VIRTUAL + 0x600000, 0) = NOWHERE >> 2 | V | RWX;
    FENCE_VMA();
    run(S, op_ld, VIRTUAL + 0x400000, 0);
    trapped("walk/table-nowhere-load", LOAD_ACCESS, VIRTUAL + 0x400000);
    run(S, op_sd, VIRTUAL + 0x400000, 0);
    trapped("walk/table-nowhere-store", STORE_ACCESS, VIRTUAL + 0x400000);
    run(S, op_amoadd_d, VIRTUAL + 0x400000, 0);
    trapped("walk/table-nowhere-amo", STORE_ACCESS, VIRTUAL + 0x400000);
    run(S, op_jump, VIRTUAL + 0x400000, 0);
    trapped("walk/table-nowhere-fetch", FETCH_ACCESS, VIRTUAL + 0x400000);
    run(S, op_ld, VIRTUAL + 0x600018, 0);
    trapped("walk/page-nowhere-load", LOAD_ACCESS, VIRTUAL + 0x600018);
    run(S, op_sd, VIRTUAL + 0x600018, 0);
    trapped("walk/page-nowhere-store", STORE_ACCESS, VIRTUAL + 0x600018);
    run(S, op_jump, VIRTUAL + 0x600010, 0);
    trapped("walk/page-nowhere-fetch", FETCH_ACCESS, VIRTUAL + 0x600010);
}

static void non_canonical(const char *name, u64 address)
{
    run(S, op_ld, address, 0);
    trapped(name, LOAD_PAGE, address);
    run(S, op_sd, address, 0);
    trapped(name, STORE_PAGE, address);
    run(S, op_jump, address, 0);
    trapped(name, FETCH_PAGE, address);
}

static void sizes(void)
{
    static const char *const pages[] = { "sv39/4k", "sv39/2m", "sv39/1g", "sv48/4k", "sv48/2m", "sv48/1g", "sv48/512g", "sv57/4k", "sv57/2m", "sv57/1g", "sv57/512g", "sv57/256t" };
    const char *const *name = pages;

    for (int count = 3; count <= 5; count++) {
        // The highest half too: the address's top bit is copied upwards.
        u64 top = ~0ul << (12 + 9 * count - 1);

        for (int level = 0; level < count; level++) {
            u64 size = 1ul << (12 + 9 * level), address = top | (level < 3 ? VIRTUAL : 0), page = PAGE(2) & ~(size - 1);

            space(count, S, V | RWX);
            map(address, page, V | RWX, level);
            run(S, op_ld, address + (PAGE(2) + 40 - page), 0);
            returned(*name++, PAGE(2) + 40);
        }
        static const char *const beyond[] = { "sv39/non-canonical", "sv48/non-canonical", "sv57/non-canonical" };

        non_canonical(beyond[count - 3], (1ul << (12 + 9 * count - 1)) | VIRTUAL);
        non_canonical(beyond[count - 3], 1ul << 63 | VIRTUAL);
        non_canonical(beyond[count - 3], 1ul << (12 + 9 * count) | VIRTUAL);
    }
    WRITE(satp, 0);
    WRITE(satp, 11ul << 60);
    equal("satp/reserved-mode-is-not-taken", READ(satp), 0);
    WRITE(satp, 8ul << 60 | 0xfffful << 44 | 0x12345);
    note("satp/asid-bits", READ(satp));
    WRITE(satp, 0);
}

static void accessed_and_dirty(void)
{
    space(3, S, V | R | W | X);
    WRITE(menvcfg, 0);
    ACCESSES("ad/a-clear", S, 0, "");
    equal("ad/a-clear-stays", *entry(VIRTUAL, 0) & (A | D), 0);
    space(3, S, V | R | W | X | A);
    run(S, op_ld, VIRTUAL + 8, 0);
    returned("ad/d-clear-load", AT(PAGE(0) + 8));
    run(S, op_sd, VIRTUAL + 8, 0);
    trapped("ad/d-clear-store", STORE_PAGE, VIRTUAL + 8);
    run(S, op_amoadd_d, VIRTUAL + 8, 0);
    trapped("ad/d-clear-amo", STORE_PAGE, VIRTUAL + 8);

    WRITE(menvcfg, ADUE);
    equal("ad/adue-is-kept", READ(menvcfg), ADUE);
    space(3, S, V | R | W | X);
    run(S, op_ld, VIRTUAL + 8, 0);
    returned("ad/adue-load", AT(PAGE(0) + 8));
    equal("ad/adue-load-sets-a", *entry(VIRTUAL, 0) & (A | D), A);
    run(S, op_sd, VIRTUAL + 8, 77);
    returned("ad/adue-store", VIRTUAL + 8);
    equal("ad/adue-store-sets-d", *entry(VIRTUAL, 0) & (A | D), A | D);
    space(3, S, V | R | W | X);
    run(S, op_jump, VIRTUAL, 0);
    returned("ad/adue-fetch", 1);
    equal("ad/adue-fetch-sets-a", *entry(VIRTUAL, 0) & (A | D), A);
    space(3, S, V | R | W);
    run(S, op_amoadd_d, VIRTUAL + 8, 1);
    equal("ad/adue-amo-sets-both", *entry(VIRTUAL, 0) & (A | D), A | D);
    space(3, S, V | R);
    run(S, op_sd, VIRTUAL + 8, 1);
    trapped("ad/adue-no-permission", STORE_PAGE, VIRTUAL + 8);
    equal("ad/adue-no-permission-sets-nothing", *entry(VIRTUAL, 0) & (A | D), 0);
    space(3, S, V | RWX);
    map(VIRTUAL + 0x200000, 0x80600000, V | R | W, 1);
    run(S, op_sd, VIRTUAL + 0x200008, 1);
    equal("ad/adue-2m", *entry(VIRTUAL + 0x200000, 1) & (A | D), A | D);
    WRITE(menvcfg, 0);
}

static void across_pages(void)
{
    const u64 first = VIRTUAL, second = VIRTUAL + 4096;

    space(3, S, V | RWX);
    run(S, op_ld, second - 4, 0);
    trapped("across/ld-second-page", LOAD_PAGE, second);
    run(S, op_lw, second - 1, 0);
    trapped("across/lw-second-page", LOAD_PAGE, second);
    AT(PAGE(0) + 4088) = 0x5555555555555555;
    run(S, op_sd, second - 4, 0);
    trapped("across/sd-second-page", STORE_PAGE, second);
    note("across/sd-second-page-left-in-the-first", AT(PAGE(0) + 4088));
    map(second, PAGE(1), V | RWX, 0);
    map(first, PAGE(0), 0, 0);
    run(S, op_ld, second - 4, 0);
    trapped("across/ld-first-page", LOAD_PAGE, second - 4);
    run(S, op_sd, second - 4, 0);
    trapped("across/sd-first-page", STORE_PAGE, second - 4);
    map(first, PAGE(3), V | RWX, 0);
    AT(PAGE(3) + 4088) = 0x1122334455667788;
    AT(PAGE(1)) = 0x99aabbccddeeff00;
    run(S, op_ld, second - 4, 0);
    returned("across/ld-pages-apart", 0xddeeff0011223344);
    run(S, op_sd, second - 2, 0x0807060504030201);
    returned("across/sd-pages-apart", second - 2);
    equal("across/sd-pages-apart-first", AT(PAGE(3) + 4088), 0x0201334455667788);
    equal("across/sd-pages-apart-second", AT(PAGE(1)), 0x99aa080706050403);

    // An instruction of four bytes in two pages: li a0, 1.
    AT(PAGE(3) + 4088) = 0x0513ul << 48;
    AT(PAGE(1)) = 0x80820010;
    FENCE_I();
    run(S, op_jump, second - 2, 0);
    returned("across/fetch", 1);
    map(second, PAGE(1), V | R | A, 0);
    run(S, op_jump, second - 2, 0);
    trapped_at("across/fetch-second-page", FETCH_PAGE, second, (void *)(second - 2));
    map(second, PAGE(1), V | RWX, 0);
    map(first, PAGE(3), V | R | A, 0);
    run(S, op_jump, second - 2, 0);
    trapped_at("across/fetch-first-page", FETCH_PAGE, second - 2, (void *)(second - 2));
    map(first, PAGE(3), V | R | W | A, 0);
    run(S, op_amoadd_d, first + 4, 1);
    seen("across/amo-misaligned-and-not-dirty");
    fill();
}

static void changes(void)
{
    space(3, S, V | RWX);
    run(S, op_ld, VIRTUAL + 8, 0);
    returned("sfence/before", AT(PAGE(0) + 8));
    map(VIRTUAL, PAGE(2), V | RWX, 0);
    run(S, op_ld, VIRTUAL + 8, 0);
    returned("sfence/other-page", PAGE(2) + 8);
    map(VIRTUAL, PAGE(2), V | R | A | D, 0);
    run(S, op_sd, VIRTUAL + 8, 0);
    trapped("sfence/made-read-only", STORE_PAGE, VIRTUAL + 8);
    map(VIRTUAL, PAGE(1), V | RWX, 0);
    run(S, op_jump, VIRTUAL, 0);
    returned("sfence/other-code", 2);
    map(VIRTUAL, PAGE(0), V | RWX, 0);
    run(S, op_jump, VIRTUAL, 0);
    returned("sfence/other-code-again", 1);
    map(VIRTUAL, 0, 0, 0);
    run(S, op_jump, VIRTUAL, 0);
    trapped("sfence/gone", FETCH_PAGE, VIRTUAL);
}

static void modify_privilege(void)
{
    space(3, S, V | RWX);
    run(M, op_mprv_ld, VIRTUAL + 8, MPRV | MPP(S));
    returned("mprv/s-translates", AT(PAGE(0) + 8));
    run(M, op_mprv_ld, VIRTUAL + 4096, MPRV | MPP(S));
    trapped("mprv/s-faults", LOAD_PAGE, VIRTUAL + 4096);
    equal("mprv/fault-is-of-m-mode", m_frame.status & (MPP(3) | MPRV), MPP(M) | MPRV);
    run(M, op_mprv_sd, VIRTUAL + 8, MPRV | MPP(U));
    trapped("mprv/u-supervisor-page", STORE_PAGE, VIRTUAL + 8);
    run(M, op_mprv_ld, VIRTUAL + 8, MPRV | MPP(M));
    seen("mprv/m-does-not-translate");
    map(VIRTUAL, PAGE(0), V | RWX | PU, 0);
    run(M, op_mprv_ld, VIRTUAL + 8, MPRV | MPP(U));
    returned("mprv/u-user-page", AT(PAGE(0) + 8));
    run(M, op_mprv_ld, VIRTUAL + 8, MPRV | MPP(S));
    trapped("mprv/s-user-page", LOAD_PAGE, VIRTUAL + 8);
    run(M, op_mprv_ld, VIRTUAL + 8, MPRV | MPP(S) | SUM);
    returned("mprv/s-user-page-sum", AT(PAGE(0) + 8));
    CLEAR(mstatus, SUM | MPRV);

    WRITE(medeleg, 1 << LOAD_PAGE | 1 << FETCH_PAGE | 1 << STORE_PAGE);
    s_frame.action = 0;
    run(S, op_ld, VIRTUAL + 0x1234567, 0);
    delegated("delegation/load-page", LOAD_PAGE, VIRTUAL + 0x1234567);
    run(S, op_jump, VIRTUAL + 0x5000, 0);
    delegated("delegation/fetch-page", FETCH_PAGE, VIRTUAL + 0x5000);
    equal("delegation/fetch-page-epc", s_frame.epc, VIRTUAL + 0x5000);
    run(S, op_amoadd_w, VIRTUAL + 0x5000, 0);
    delegated("delegation/amo-page", STORE_PAGE, VIRTUAL + 0x5000);
    WRITE(medeleg, 0);
}

void check_translation(void)
{
    fill();
    permissions();
    fill();
    reserved();
    sizes();
    accessed_and_dirty();
    fill();
    across_pages();
    changes();
    modify_privilege();
    // A table and a page that PMP guards; check_pmp uses neither.
    space(3, S, V | RWX);
    WRITE(pmpaddr0, ((u64)entry(VIRTUAL, 0) & ~0xffful) >> 2 | 0x1ff);
    WRITE(pmpcfg0, 0x18);
    FENCE_VMA();
    run(S, op_ld, VIRTUAL + 8, 0);
    trapped("pmp/walk-load", LOAD_ACCESS, VIRTUAL + 8);
    run(S, op_sd, VIRTUAL + 8, 0);
    trapped("pmp/walk-store", STORE_ACCESS, VIRTUAL + 8);
    run(S, op_jump, VIRTUAL, 0);
    trapped("pmp/walk-fetch", FETCH_ACCESS, VIRTUAL);
    WRITE(pmpaddr0, PAGE(0) >> 2 | 0x1ff);
    FENCE_VMA();
    run(S, op_ld, VIRTUAL + 8, 0);
    trapped("pmp/translated-load", LOAD_ACCESS, VIRTUAL + 8);
    run(S, op_amoadd_d, VIRTUAL + 8, 0);
    trapped("pmp/translated-amo", STORE_ACCESS, VIRTUAL + 8);
    WRITE(pmpcfg0, 0x19);
    FENCE_VMA();
    run(S, op_ld, VIRTUAL + 16, 0);
    returned("pmp/translated-readable", AT(PAGE(0) + 16));
    run(S, op_jump, VIRTUAL, 0);
    trapped("pmp/translated-fetch", FETCH_ACCESS, VIRTUAL);
    WRITE(pmpcfg0, 0);
    WRITE(satp, 0);
    FENCE_VMA();
}

// Accesses of M-mode and of lower modes without translation: nothing there, misaligned, atomics, code that changes.
#include "privilege.h"

static void nothing_there(void)
{
    run(M, op_lb, NOWHERE + 3, 0);
    trapped_at("nothing/lb", LOAD_ACCESS, NOWHERE + 3, op_lb);
    run(M, op_ld, NOWHERE, 0);
    trapped_at("nothing/ld", LOAD_ACCESS, NOWHERE, op_ld);
    run(M, op_sd, NOWHERE + 8, 1);
    trapped_at("nothing/sd", STORE_ACCESS, NOWHERE + 8, op_sd);
    run(S, op_sb, NOWHERE + 1, 1);
    trapped_at("nothing/sb-s", STORE_ACCESS, NOWHERE + 1, op_sb);
    run(M, op_amoadd_d, NOWHERE, 1);
    trapped_at("nothing/amo", STORE_ACCESS, NOWHERE, op_amoadd_d);
    run(M, op_lr_d, NOWHERE, 0);
    trapped_at("nothing/lr", LOAD_ACCESS, NOWHERE, op_lr_d);
    run(M, op_jump, NOWHERE, 0);
    trapped_at("nothing/fetch", FETCH_ACCESS, NOWHERE, (void *)NOWHERE);
    run(U, op_jump, NOWHERE + 2, 0);
    trapped_at("nothing/fetch-u", FETCH_ACCESS, NOWHERE + 2, (void *)(NOWHERE + 2));
    run(M, op_ld, 0x84000000 - 4, 0);
    seen("nothing/ld-over-the-end-of-memory");
    run(M, op_sd, 0x84000000 - 4, 0);
    seen("nothing/sd-over-the-end-of-memory");
    run(M, op_ld, 0x0100000000000000, 0);
    trapped("nothing/beyond-56-bits", LOAD_ACCESS, 0x0100000000000000);
    run(M, op_ld, ~7ul, 0);
    trapped("nothing/top-of-addresses", LOAD_ACCESS, ~7ul);
}

static void misaligned(void)
{
    u64 at = PAGE(1) - 3;

    AT(PAGE(0) + 4088) = 0x1122334455667788;
    AT(PAGE(1)) = 0x99aabbccddeeff00;
    run(M, op_ld, at, 0);
    returned("misaligned/ld-across-pages", (0x99aabbccddeeff00 << 24) | 0x112233);
    run(M, op_lw, at, 0);
    returned("misaligned/lw-across-pages", 0x00112233);
    run(U, op_lh, PAGE(1) - 1, 0);
    returned("misaligned/lh-across-pages", 0x0011);
    run(M, op_sd, at, 0xa1a2a3a4a5a6a7a8);
    equal("misaligned/sd-first-page", AT(PAGE(0) + 4088), 0xa6a7a84455667788);
    equal("misaligned/sd-second-page", AT(PAGE(1)), 0x99aabba1a2a3a4a5);
    run(M, op_amoadd_w, PAGE(0) + 1, 1);
    trapped_at("misaligned/amo.w", STORE_MISALIGNED, PAGE(0) + 1, op_amoadd_w);
    run(S, op_amoadd_d, PAGE(0) + 4, 1);
    trapped_at("misaligned/amo.d", STORE_MISALIGNED, PAGE(0) + 4, op_amoadd_d);
    run(M, op_lr_w, PAGE(0) + 2, 0);
    trapped_at("misaligned/lr", LOAD_MISALIGNED, PAGE(0) + 2, op_lr_w);
    run(M, op_sc_d, PAGE(0) + 2, 0);
    seen("misaligned/sc-without-reservation");
    run(M, op_pair, PAGE(0), PAGE(0) + 4);
    seen("misaligned/sc-with-reservation-elsewhere");
    run(M, op_amoadd_d, NOWHERE + 4, 1);
    seen("misaligned/amo-where-nothing-is");
    run(M, op_ld, NOWHERE + 5, 1);
    trapped("misaligned/ld-where-nothing-is", LOAD_ACCESS, NOWHERE + 5);
}

static void reservations(void)
{
    AT(PAGE(0)) = 41;
    AT(PAGE(2)) = 41;
    run(M, op_pair, PAGE(0), PAGE(0));
    returned("lr-sc/succeeds", 0);
    equal("lr-sc/stores", AT(PAGE(0)), 42);
    run(U, op_pair, PAGE(0), PAGE(2));
    returned("lr-sc/other-address-fails", 1);
    equal("lr-sc/failure-stores-nothing", AT(PAGE(2)), 41);
    run(M, op_pair_twice, PAGE(0), 0);
    returned("lr-sc/second-sc-fails", 1);
    run(M, op_sc_d, PAGE(2) + 64, 7);
    returned("lr-sc/sc-alone-fails", 1);
    run(M, op_lr_d, PAGE(0), 0);
    run(M, op_sc_d, PAGE(0), 7);
    seen("lr-sc/trap-between");
}

static void code_changes(void)
{
    static const uint32_t li_a0_7 = 0x00700513;

    AT(PAGE(3)) = AT(code_return_1);
    FENCE_I();
    run(M, op_modify, PAGE(3), li_a0_7);
    returned("fence.i/m", 0x107);
    AT(PAGE(3)) = AT(code_return_2);
    FENCE_I();
    run(U, op_modify, PAGE(3), li_a0_7);
    returned("fence.i/u", 0x207);
}

void check_memory(void)
{
    nothing_there();
    misaligned();
    reservations();
    code_changes();
}

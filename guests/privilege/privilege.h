// What the checks share. README.md describes the output and the memory map.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t u64;

#define RESULTS       0x80100000ul
#define TABLES        0x80400000ul
#define PAGES         0x80600000ul
#define PAGE(n)       (PAGES + (u64)(n) * 4096)
#define NOWHERE       0x90000000ul

#define READ(csr)         ({ u64 v_; __asm__ volatile("csrr %0, " #csr : "=r"(v_)); v_; })
#define WRITE(csr, value) __asm__ volatile("csrw " #csr ", %0" : : "r"((u64)(value)) : "memory")
#define SET(csr, value)   __asm__ volatile("csrs " #csr ", %0" : : "r"((u64)(value)) : "memory")
#define CLEAR(csr, value) __asm__ volatile("csrc " #csr ", %0" : : "r"((u64)(value)) : "memory")
#define FENCE_VMA()       __asm__ volatile("sfence.vma" : : : "memory")
#define FENCE_I()         __asm__ volatile("fence.i" : : : "memory")
#define AT(address)       (*(volatile u64 *)(address))

enum { U = 0, S = 1, M = 3 };

#define SIE   (1ul << 1)
#define MIE   (1ul << 3)
#define SPIE  (1ul << 5)
#define MPIE  (1ul << 7)
#define SPP   (1ul << 8)
#define MPP(mode) ((u64)(mode) << 11)
#define FS(n) ((u64)(n) << 13)
#define MPRV  (1ul << 17)
#define SUM   (1ul << 18)
#define MXR   (1ul << 19)
#define TVM   (1ul << 20)
#define TW    (1ul << 21)
#define TSR   (1ul << 22)

#define INTERRUPT (1ul << 63)

enum {
    FETCH_ACCESS = 1, ILLEGAL = 2, BREAKPOINT = 3, LOAD_MISALIGNED = 4, LOAD_ACCESS = 5, STORE_MISALIGNED = 6, STORE_ACCESS = 7,
    ECALL_U = 8, ECALL_S = 9, ECALL_M = 11, FETCH_PAGE = 12, LOAD_PAGE = 13, STORE_PAGE = 15,
};

struct frame { u64 value, cause, epc, tval, status, vector, action, unused, saved[14]; };
extern struct frame m_frame, s_frame;
extern char leave[], trap_entry[], s_trap_entry[], nested_illegal[], m_vectors[], s_vectors[];

// Operations; any of them is called as code of some mode.
#define OPERATIONS(o) \
    o(lb) o(lh) o(lw) o(ld) o(sb) o(sh) o(sw) o(sd) o(amoadd_w) o(amoadd_d) o(lr_w) o(lr_d) o(sc_w) o(sc_d) o(jump) o(ecall) o(ebreak) \
    o(illegal) o(illegal16) o(mret) o(sret) o(wfi) o(sfence) o(fence_i) o(read_satp) o(write_satp) o(read_mstatus) o(read_sstatus) \
    o(read_sip) o(read_stimecmp) o(write_stimecmp) o(write_senvcfg) o(write_misa_ro) o(nonexistent) o(cycle) o(time) o(instret) o(hpm3) \
    o(cbo_zero) o(cbo_inval) o(cbo_clean) o(cbo_flush) o(fadd) o(fld) o(fsd) o(read_fcsr) o(write_fcsr) o(c_fld) o(pair) o(pair_twice) \
    o(mprv_ld) o(mprv_sd) o(spin) o(to_user) o(to_mode) o(modify)
#define DECLARE(name) extern char op_##name[];
OPERATIONS(DECLARE)
extern char code_return_1[], code_return_2[];

// Runs code in a mode, with mstatus.FS initial.
void run(int mode, const void *code, u64 argument, u64 value);
void run_with(u64 status, const void *code, u64 argument, u64 value);

// Checks of what run has seen. A name has no spaces in it.
void returned(const char *name, u64 value);
void trapped(const char *name, u64 cause, u64 tval);
void trapped_at(const char *name, u64 cause, u64 tval, const void *pc);
void interrupted(const char *name, u64 number);
void delegated(const char *name, u64 cause, u64 tval);
void seen(const char *name);                          // nothing is decided: for the comparison alone
void equal(const char *name, u64 value, u64 expected);
void note(const char *name, u64 value);               // a value for the comparison alone

void check_traps(void);
void check_interrupts(void);
void check_memory(void);
void check_translation(void);
void check_pmp(void);
void open_memory(void);                               // all of memory for S- and U-mode, by the last PMP entry

// Four harts at once: atomics, a lock, messages, and interrupts from each other. Every number at the end has one right value.
#include <stdbool.h>
#include <stdint.h>

typedef uint64_t u64;

#define HARTS    4
#define RESULTS  ((volatile u64 *)0x80100000ul)
#define UART     ((volatile uint8_t *)0x10000000ul)
#define FINISHER ((volatile uint32_t *)0x00100000ul)
#define MSIP     ((volatile uint32_t *)0x02000000ul)

#define ADDITIONS 20000
#define LOCKED    500
#define MESSAGES  1000
#define LITMUS    100
#define LAPS      100
#define MAXIMA    5000

static volatile u64 arrived, added, exchanged, plain, serving, tickets, highest, bits, laps, message_errors, both_zero, broken, written;
static volatile u64 data[HARTS], flag[HARTS], seen[HARTS], x, y;

static void fence(void)
{
    __asm__ volatile("fence rw, rw" : : : "memory");
}

static u64 add(volatile u64 *place, u64 value)
{
    u64 before;

    __asm__ volatile("amoadd.d.aqrl %0, %2, %1" : "=r"(before), "+A"(*place) : "r"(value) : "memory");
    return before;
}

static void barrier(u64 *count)
{
    add(&arrived, 1);
    *count += HARTS;
    while (arrived < *count)
        ;
    fence();
}

// A hart's own sequence of numbers.
static u64 number(u64 hart, u64 step)
{
    u64 n = (hart + 1) * 0x9e3779b97f4a7c15 + step * 0xd1342543de82ef95;

    return (n ^ n >> 29) * 0xbf58476d1ce4e5b9;
}

static void additions(void)
{
    for (int i = 0; i < ADDITIONS; i++) {
        u64 value, failed;

        add(&added, 1);
        do {
            __asm__ volatile("lr.d %0, %1" : "=r"(value), "+A"(exchanged));
            value++;
            __asm__ volatile("sc.d %0, %2, %1" : "=r"(failed), "+A"(exchanged) : "r"(value) : "memory");
        } while (failed);
    }
}

static void maxima(u64 hart)
{
    for (u64 i = 0; i < MAXIMA; i++) {
        u64 value = number(hart, i);

        __asm__ volatile("amomaxu.d zero, %1, %0" : "+A"(highest) : "r"(value) : "memory");
        __asm__ volatile("amoor.d zero, %1, %0" : "+A"(bits) : "r"(1ul << (hart * 16 + i % 16)) : "memory");
    }
}

static void locked(void)
{
    for (int i = 0; i < LOCKED; i++) {
        u64 mine = add(&tickets, 1);

        while (serving != mine)
            ;
        fence();
        plain = plain + 1;
        fence();
        serving = mine + 1;
    }
}

// Harts 0 and 2 send, 1 and 3 receive.
static void messages(u64 hart)
{
    for (u64 i = 1; i <= MESSAGES; i++) {
        if (hart % 2 == 0) {
            data[hart] = number(hart, i);
            __asm__ volatile("fence w, w" : : : "memory");
            flag[hart] = i;
            while (seen[hart] != i)
                ;
        } else {
            while (flag[hart - 1] != i)
                ;
            __asm__ volatile("fence r, r" : : : "memory");
            if (data[hart - 1] != number(hart - 1, i))
                add(&message_errors, 1);
            fence();
            seen[hart - 1] = i;
        }
    }
}

// Each of two harts stores and then loads what the other stores: with fences one of them must see it.
static void store_buffers(u64 hart, u64 *count)
{
    static volatile u64 saw[2];

    for (int i = 0; i < LITMUS; i++) {
        if (hart == 0)
            x = y = 0;
        barrier(count);
        if (hart < 2) {
            *(hart ? &y : &x) = 1;
            fence();
            saw[hart] = *(hart ? &x : &y);
        }
        barrier(count);
        if (hart == 0 && saw[0] == 0 && saw[1] == 0)
            both_zero++;
    }
}

// A reservation does not outlive another hart's store.
static void broken_reservations(u64 hart, u64 *count)
{
    for (u64 i = 1; i <= LITMUS; i++) {
        u64 value, failed;

        barrier(count);
        if (hart == 0) {
            __asm__ volatile("lr.d %0, %1" : "=r"(value), "+A"(x));
            written = i;
            while (written == i)
                ;
            __asm__ volatile("sc.d %0, %2, %1" : "=r"(failed), "+A"(x) : "r"(0ul) : "memory");
            broken += failed != 0;
        } else if (hart == 1) {
            while (written != i)
                ;
            x = ~i;
            fence();
            written = 0;
        }
    }
    barrier(count);
}

// An interrupt goes round all harts, each asleep until its turn.
static void laps_of_interrupts(u64 hart)
{
    for (int i = 0; i < LAPS; i++) {
        if (hart != 0 || i != 0) {
            u64 pending;

            do {
                __asm__ volatile("wfi");
                __asm__ volatile("csrr %0, mip" : "=r"(pending));
            } while (!(pending & 8));
            MSIP[hart] = 0;
        }
        laps = laps + 1;
        fence();
        MSIP[(hart + 1) % HARTS] = 1;
    }
}

static void text(const char *s)
{
    for (; *s; s++) {
        while (!(UART[5] & 0x20))
            ;
        UART[0] = (uint8_t)*s;
    }
}

static u64 lines, wrong;

static void check(const char *name, u64 value, u64 expected)
{
    char digits[17];

    for (int i = 0; i < 16; i++)
        digits[i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
    digits[16] = 0;
    text(name);
    text("=0x");
    text(digits);
    text(value == expected ? " ok\n" : " WRONG\n");
    wrong += value != expected;
    RESULTS[lines++] = value;
}

static void report(void)
{
    u64 maximum = 0;

    for (u64 hart = 0; hart < HARTS; hart++)
        for (u64 i = 0; i < MAXIMA; i++)
            maximum = number(hart, i) > maximum ? number(hart, i) : maximum;
    check("amoadd", added, HARTS * ADDITIONS);
    check("lr-sc", exchanged, HARTS * ADDITIONS);
    check("amomaxu", highest, maximum);
    check("amoor", bits, ~0ul);
    check("ticket-lock", plain, HARTS * LOCKED);
    check("message-errors", message_errors, 0);
    check("store-buffers-both-zero", both_zero, 0);
    check("broken-reservations", broken, LITMUS);
    check("laps", laps, HARTS * LAPS);
    text("harts done\n");
    while (!(UART[5] & 0x40))
        ;
    *FINISHER = wrong ? 1 << 16 | 0x3333 : 0x5555;
}

void harts(u64 hart)
{
    u64 count = 0;

    MSIP[hart] = 0;
    if (hart >= HARTS)
        return;
    for (u64 other = 1; hart == 0 && other < HARTS; other++)
        MSIP[other] = 1;
    barrier(&count);
    additions();
    maxima(hart);
    barrier(&count);
    locked();
    messages(hart);
    store_buffers(hart, &count);
    broken_reservations(hart, &count);
    laps_of_interrupts(hart);
    if (hart == 0)
        // The last lap ends here.
        while (laps != HARTS * LAPS)
            ;
    fence();
    if (hart == 0)
        report();
}

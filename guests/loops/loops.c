// Loops of a known number of instructions, to measure a machine by. README.md describes the options and the output.

#include "loops.h"

#define UART       ((volatile uint8_t *)0x10000000ul)
#define FINISHER   ((volatile uint32_t *)0x00100000ul)
#define UART_LSR   5
#define LSR_THRE   0x20
#define LSR_TEMT   0x40

#define BUFFER     0x81000000ul
#define SIZE       0x00800000ul
#define TABLES     0x80200000ul
#define MAPPED     0x02000000ul
#define RAM_BASE   0x80000000ul
#define NODE       64u

typedef uint64_t loop_function(uint64_t count, void *memory);
loop_function integer, double_ __asm__("double"), fused, stream, chase, pages, branches, calls;

// With these counts each takes about as long under an emulator that translates.
static const struct loop {
    const char    *name;
    loop_function *run;
    uint64_t       instructions, count;
} all[] = {
    { "integer", integer, 24, 60000000 },
    { "double", double_, 16, 20000000 },
    { "fused", fused, 12, 20000000 },
    { "stream", stream, 30, 60000000 },
    { "chase", chase, 10, 500000 },
    { "pages", pages, 9, 4000000 },
    { "branches", branches, 24, 30000000 },
    { "calls", calls, 23, 10000000 },
};
#define LOOPS (sizeof all / sizeof all[0])

extern void enter_supervisor(uint64_t satp);

static char arguments[1024];
static bool paging;

// ---- output ----------------------------------------------------------------------------------------------------

static void put(char c)
{
    while (!(UART[UART_LSR] & LSR_THRE))
        ;
    UART[0] = (uint8_t)c;
}

static void text(const char *s)
{
    while (*s)
        put(*s++);
}

static void decimal(const char *name, uint64_t value)
{
    char digits[21];
    char *at = digits + sizeof digits - 1;

    *at = 0;
    do
        *--at = (char)('0' + value % 10);
    while (value /= 10);
    text(name);
    text(at);
}

static void hex(const char *name, uint64_t value)
{
    text(name);
    text("0x");
    for (int shift = 60; shift >= 0; shift -= 4)
        put("0123456789abcdef"[value >> shift & 15]);
}

static void __attribute__((noreturn)) power_off(uint32_t code)
{
    while (!(UART[UART_LSR] & LSR_TEMT))
        ;
    *FINISHER = code ? code << 16 | 0x3333 : 0x5555;
    for (;;)
        __asm__ volatile("wfi");
}

void trapped(uint64_t cause, uint64_t pc, uint64_t value)
{
    hex("loops ERROR trap cause=", cause);
    hex(" pc=", pc);
    hex(" value=", value);
    put('\n');
    power_off(3);
}

// ---- memory ----------------------------------------------------------------------------------------------------

// Pages of 4 KiB for the RAM in use, the same addresses as without; the devices below it in one page of 1 GiB.
static void turn_paging_on(void)
{
    enum { VALID = 1, LEAF = 0xcf };
    uint64_t *root = (uint64_t *)TABLES, *middle = root + 512, *last = middle + 512;

    for (uint32_t i = 0; i < 1024; i++)
        root[i] = 0;
    root[0] = LEAF;
    root[RAM_BASE >> 30] = (uint64_t)middle >> 12 << 10 | VALID;
    for (uint64_t page = 0; page < MAPPED >> 12; page++) {
        if (page % 512 == 0)
            middle[page / 512] = (uint64_t)(last + page) >> 12 << 10 | VALID;
        last[page] = (RAM_BASE >> 12) + page << 10 | LEAF;
    }
    enter_supervisor(8ul << 60 | TABLES >> 12);
}

static void fill(void)
{
    uint64_t x = 88172645463325252u;

    for (uint64_t *at = (uint64_t *)BUFFER; at < (uint64_t *)(BUFFER + SIZE); at++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        *at = x;
    }
}

// One cycle through all the nodes, in no order (Sattolo's shuffle); the pointers come to stand in the nodes themselves.
static void link_nodes(void)
{
    const uint32_t nodes = SIZE / NODE;
    uint32_t *order = (uint32_t *)(BUFFER + SIZE);
    uint64_t x = 88172645463325252u;

    for (uint32_t i = 0; i < nodes; i++)
        order[i] = i;
    for (uint32_t i = nodes - 1; i > 0; i--) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        uint32_t j = (uint32_t)(x % i), other = order[j];
        order[j] = order[i];
        order[i] = other;
    }
    for (uint32_t i = 0; i < nodes; i++)
        *(uint64_t *)(BUFFER + order[i] * NODE) = BUFFER + order[(i + 1) % nodes] * NODE;
}

// ---- options ---------------------------------------------------------------------------------------------------

static void __attribute__((noreturn)) refuse(const char *word)
{
    text("loops ERROR option ");
    text(word);
    put('\n');
    power_off(2);
}

static const char *after(const char *s, const char *prefix)
{
    while (*prefix)
        if (*s++ != *prefix++)
            return NULL;
    return s;
}

static uint64_t number(const char *s)
{
    uint64_t n = 0;

    while (*s >= '0' && *s <= '9' && n < UINT64_MAX / 16)
        n = n * 10 + (uint64_t)(*s++ - '0');
    return *s ? 0 : n;
}

static const struct loop *find(const char *name)
{
    for (uint32_t i = 0; i < LOOPS; i++)
        if (equal(name, all[i].name))
            return &all[i];
    return NULL;
}

// ---- main ------------------------------------------------------------------------------------------------------

static void run(const struct loop *loop, uint64_t count)
{
    uint64_t ticks, retired, ticks_after, retired_after, sum;

    fill();
    if (loop->run == chase)
        link_nodes();
    __asm__ volatile("rdtime %0\n rdinstret %1" : "=r"(ticks), "=r"(retired) :: "memory");
    sum = loop->run(count, (void *)BUFFER);
    __asm__ volatile("rdinstret %1\n rdtime %0" : "=r"(ticks_after), "=r"(retired_after) : "r"(sum) : "memory");

    text("loops ");
    text(loop->name);
    text(paging ? " paging=on" : " paging=off");
    decimal(" count=", count);
    decimal(" instructions=", count * loop->instructions);
    decimal(" instret=", retired_after - retired);
    decimal(" ticks=", ticks_after - ticks);
    hex(" checksum=", sum);
    put('\n');
}

void loops(const uint8_t *tree)
{
    const struct loop *only = NULL;
    uint64_t count = 0;

    read_command_line(tree, arguments, sizeof arguments);
    for (char *at = arguments; *at;) {
        const char *value, *word = at;
        bool more;

        while (*at && *at != ' ')
            at++;
        more = *at == ' ';
        *at = 0;
        if ((value = after(word, "loop="))) {
            only = find(value);
            if (!only && !equal(value, "all"))
                refuse(word);
        } else if ((value = after(word, "count="))) {
            if ((count = number(value)) == 0)
                refuse(word);
        } else if ((value = after(word, "paging="))) {
            paging = equal(value, "on");
            if (!paging && !equal(value, "off"))
                refuse(word);
        } else if (*word) {
            refuse(word);
        }
        if (more)
            at++;
    }

    if (paging)
        turn_paging_on();
    for (const struct loop *loop = all; loop < all + LOOPS; loop++)
        if (!only || loop == only)
            run(loop, count ? count : loop->count);
    power_off(0);
}

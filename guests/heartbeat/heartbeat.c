// A guest that knows at every moment what its memory must hold, and says so on the serial port.
// README.md describes its options, its output and its memory map.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE     4096u
#define WORDS         (PAGE_SIZE / 8)
#define TABLE_BASE    0x80100000ul
#define SET_BASE      0x80400000ul
#define MAX_PAGES     ((SET_BASE - TABLE_BASE) / sizeof(uint32_t))
#define RAM_BASE      0x80000000ul
#define RAM_DEFAULT   0x01000000ul
#define CLOCK_DEFAULT 10000000ul
#define UART          ((volatile uint8_t *)0x10000000ul)
#define FINISHER      ((volatile uint32_t *)0x00100000ul)
#define CALENDAR      ((volatile uint32_t *)0x00101000ul)

#define UART_LSR      5
#define LSR_THRE      0x20
#define LSR_TEMT      0x40
#define UART_PATIENCE 20000000u

#define ERROR_LINES   10
#define RATE_MAX      UINT64_MAX
#define BURST         16
#define CHECKS        4
#define FILLED        UINT32_MAX

enum pattern { COUNTER, RANDOM, SPARSE, ZERO };
static const char pattern_names[][8] = { "counter", "random", "sparse", "zero" };

extern const uint64_t __image_start[], __image_end[];

static uint64_t ram_start, ram_end, clock_rate;
static char     arguments[1024];

static uint64_t pages, rate, beat_ms, exit_beat, fill_size, corrupt_beat;
static enum pattern pattern;

static uint64_t beat, writes, checks, passes, fill_passes, errors;
static uint64_t last_time, table_sum, image_sum;
static uint64_t last_calendar, longest_turn, longest_gap;

// ---- output ----------------------------------------------------------------------------------------------------

static bool stuck;

// A port that takes nothing for seconds is given up, so that the guest goes on; lines are lost then, but only whole ones and
// the end of the one that is marked as cut.
static void put(char c)
{
    uint32_t patience = UART_PATIENCE;

    if (stuck)
        return;
    while (!(UART[UART_LSR] & LSR_THRE))
        if (--patience == 0) {
            stuck = true;
            return;
        }
    UART[0] = (uint8_t)c;
}

static void text(const char *s)
{
    while (*s)
        put(*s++);
}

static void end_line(void)
{
    if (stuck && UART[UART_LSR] & LSR_THRE) {
        stuck = false;
        text(" (cut)");
    }
    put('\n');
}

static void decimal(uint64_t value)
{
    char digits[21];
    char *at = digits + sizeof digits - 1;

    *at = 0;
    do
        *--at = (char)('0' + value % 10);
    while (value /= 10);
    text(at);
}

static void hex(uint64_t value)
{
    text("0x");
    for (int shift = 60; shift >= 0; shift -= 4)
        put("0123456789abcdef"[value >> shift & 15]);
}

static void field(const char *name, uint64_t value)
{
    text(name);
    decimal(value);
}

static void hex_field(const char *name, uint64_t value)
{
    text(name);
    hex(value);
}

static bool begin_error(void)
{
    if (errors++ >= ERROR_LINES)
        return false;
    text("heartbeat ERROR ");
    return true;
}

// ---- the machine -----------------------------------------------------------------------------------------------

static uint64_t read_time(void)
{
    uint64_t now;

    __asm__ volatile("rdtime %0" : "=r"(now));
    if (now < last_time && begin_error()) {
        field("time went back from=", last_time);
        field(" to=", now);
        end_line();
    }
    last_time = now;
    return now;
}

// In nanoseconds. It goes on while the machine stands, which "time" doesn't; reading the lower half keeps the upper one.
static uint64_t read_calendar(void)
{
    uint64_t low = CALENDAR[0];

    return (uint64_t)CALENDAR[1] << 32 | low;
}

static void look(uint64_t passed)
{
    uint64_t calendar = read_calendar();

    if (passed > longest_turn)
        longest_turn = passed;
    if (calendar > last_calendar && calendar - last_calendar > longest_gap)
        longest_gap = calendar - last_calendar;
    last_calendar = calendar;
}

static void __attribute__((noreturn)) power_off(uint32_t code)
{
    for (uint32_t patience = UART_PATIENCE; !(UART[UART_LSR] & LSR_TEMT) && patience; patience--)
        ;
    *FINISHER = code ? code << 16 | 0x3333 : 0x5555;
    for (;;)
        __asm__ volatile("wfi");
}

void trapped(uint64_t cause, uint64_t pc, uint64_t value)
{
    text("heartbeat ERROR ");
    hex_field("trap cause=", cause);
    hex_field(" pc=", pc);
    hex_field(" value=", value);
    end_line();
    power_off(3);
}

// ---- device tree -----------------------------------------------------------------------------------------------

static bool equal(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

static const char *after(const char *s, const char *prefix)
{
    while (*prefix)
        if (*s++ != *prefix++)
            return NULL;
    return s;
}

static uint32_t big32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint64_t cells(const uint8_t *p, uint32_t count)
{
    uint64_t value = 0;

    while (count--) {
        value = value << 32 | big32(p);
        p += 4;
    }
    return value;
}

static void add_memory(uint64_t base, uint64_t size)
{
    if (size == 0)
        return;
    if (ram_end == 0 || base < ram_start)
        ram_start = base;
    if (base + size > ram_end)
        ram_end = base + size;
}

static void read_device_tree(const uint8_t *tree)
{
    enum { BEGIN_NODE = 1, END_NODE, PROPERTY, NOP };
    enum { OTHER, MEMORY, CHOSEN, CPUS } node = OTHER;
    uint32_t address_cells = 2, size_cells = 1, depth = 0;

    if (tree == NULL || big32(tree) != 0xd00dfeed)
        return;

    const uint8_t *at = tree + big32(tree + 8);
    const char *names = (const char *)tree + big32(tree + 12);
    const uint8_t *end = tree + big32(tree + 4);

    while (at < end) {
        uint32_t token = big32(at);

        at += 4;
        if (token == BEGIN_NODE) {
            const char *name = (const char *)at;
            const char *unit = after(name, "memory");

            if (++depth == 2)
                node = unit && (*unit == '@' || *unit == 0) ? MEMORY
                     : equal(name, "chosen")                ? CHOSEN
                     : equal(name, "cpus")                  ? CPUS : OTHER;
            while (*at++)
                ;
        } else if (token == END_NODE) {
            depth--;
        } else if (token == PROPERTY) {
            uint32_t length = big32(at);
            const char *name = names + big32(at + 4);

            at += 8;
            if (depth == 1 && equal(name, "#address-cells"))
                address_cells = big32(at);
            else if (depth == 1 && equal(name, "#size-cells"))
                size_cells = big32(at);
            else if (depth == 2 && node == CPUS && equal(name, "timebase-frequency"))
                clock_rate = cells(at, length / 4);
            else if (depth == 2 && node == CHOSEN && equal(name, "bootargs"))
                for (uint32_t i = 0; i < length && i < sizeof arguments - 1; i++)
                    arguments[i] = (char)at[i];
            else if (depth == 2 && node == MEMORY && equal(name, "reg")) {
                uint32_t entry = (address_cells + size_cells) * 4;

                for (uint32_t i = 0; entry && i + entry <= length; i += entry)
                    add_memory(cells(at + i, address_cells), cells(at + i + address_cells * 4, size_cells));
            }
            at += length;
        } else if (token != NOP) {
            break;
        }
        at = tree + ((size_t)(at - tree) + 3) / 4 * 4;
    }
}

// ---- options ---------------------------------------------------------------------------------------------------

static bool number(const char *s, uint64_t *value)
{
    uint64_t n = 0;

    if (*s < '0' || *s > '9')
        return false;
    while (*s >= '0' && *s <= '9')
        n = n * 10 + (uint64_t)(*s++ - '0');
    if (*s == 'k' || *s == 'K')
        n <<= 10, s++;
    else if (*s == 'm' || *s == 'M')
        n <<= 20, s++;
    else if (*s == 'g' || *s == 'G')
        n <<= 30, s++;
    *value = n;
    return *s == 0;
}

static bool option(const char *word)
{
    const char *value;

    if ((value = after(word, "pages=")))
        return number(value, &pages) && pages > 0;
    if ((value = after(word, "rate="))) {
        if (equal(value, "max")) {
            rate = RATE_MAX;
            return true;
        }
        return number(value, &rate) && rate <= UINT32_MAX;
    }
    if ((value = after(word, "pattern="))) {
        for (int i = COUNTER; i <= ZERO; i++)
            if (equal(value, pattern_names[i])) {
                pattern = (enum pattern)i;
                return true;
            }
        return false;
    }
    if ((value = after(word, "beat=")))
        return number(value, &beat_ms) && beat_ms > 0 && beat_ms <= UINT32_MAX;
    if ((value = after(word, "fill=random:")))
        return number(value, &fill_size);
    if ((value = after(word, "exit=")))
        return number(value, &exit_beat) && exit_beat > 0;
    if ((value = after(word, "corrupt=")))
        return number(value, &corrupt_beat) && corrupt_beat > 0;
    return false;
}

static void read_options(void)
{
    char *at = arguments;

    for (;;) {
        while (*at == ' ')
            at++;
        if (*at == 0)
            return;

        char *word = at;
        while (*at && *at != ' ')
            at++;
        char *rest = *at ? at + 1 : at;
        *at = 0;
        if (!option(word)) {
            text("heartbeat ERROR option ");
            text(word);
            end_line();
            power_off(2);
        }
        at = rest;
    }
}

// ---- what a page must hold -------------------------------------------------------------------------------------
//
// The loops over a page's words hold no calls and few branches: those are what costs time in an emulator.

static inline uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

struct stream { uint64_t a, b; };

static struct stream open_stream(uint64_t page, uint64_t generation)
{
    uint64_t seed = page << 32 ^ generation;

    return (struct stream){ mix(seed), mix(~seed) | 1 };
}

// xorshift128+
static inline __attribute__((always_inline)) uint64_t next(struct stream *s)
{
    uint64_t x = s->a, y = s->b;

    s->a = y;
    x ^= x << 23;
    s->b = x ^ y ^ x >> 18 ^ y >> 5;
    return s->b + y;
}

// A page of the pattern "counter" holds its own addresses, but for four words that change with each generation.
#define COUNTER_LAST (WORDS - 1)

static void write_counters(uint64_t *at, uint64_t page, uint64_t generation)
{
    at[0] = page;
    at[1] = generation;
    at[2] = page + generation * 3;
    at[COUNTER_LAST] = ~generation;
}

// A page of the pattern "sparse" changes word G % 512 in generation G, so that every word tells the generation that wrote
// it; words not reached yet bear negative generations.
static inline __attribute__((always_inline)) uint64_t sparse_word(uint64_t page, uint64_t generation, uint64_t i)
{
    uint64_t written = generation - (generation - i) % WORDS;

    return (page << 40 ^ written) * 0x9e3779b97f4a7c15;
}

static uint64_t *page_address(uint64_t page)
{
    return (uint64_t *)(SET_BASE + page * PAGE_SIZE);
}

static void write_random(uint64_t *at, uint64_t page, uint64_t generation)
{
    struct stream s = open_stream(page, generation);

    for (uint64_t *end = at + WORDS; at < end; at += 8) {
        at[0] = next(&s);
        at[1] = next(&s);
        at[2] = next(&s);
        at[3] = next(&s);
        at[4] = next(&s);
        at[5] = next(&s);
        at[6] = next(&s);
        at[7] = next(&s);
    }
}

static void write_whole(uint64_t *at, uint64_t page, uint64_t generation)
{
    if (pattern == COUNTER) {
        for (uint32_t i = 0; i < WORDS; i++)
            at[i] = SET_BASE + page * PAGE_SIZE + i * 8;
        write_counters(at, page, generation);
    } else if (pattern == SPARSE) {
        for (uint32_t i = 0; i < WORDS; i++)
            at[i] = sparse_word(page, generation, i);
    } else if (pattern == ZERO && generation % 2) {
        for (uint32_t i = 0; i < WORDS; i += 4)
            at[i] = at[i + 1] = at[i + 2] = at[i + 3] = 0;
    } else {
        write_random(at, page, generation);
    }
}

static void write_change(uint64_t page, uint64_t generation)
{
    uint64_t *at = page_address(page);

    if (pattern == COUNTER)
        write_counters(at, page, generation);
    else if (pattern == SPARSE)
        at[generation % WORDS] = sparse_word(page, generation, generation % WORDS);
    else
        write_whole(at, page, generation);
}

typedef const volatile uint64_t *observed;

// The words that change; 0 where they are right.
static uint64_t counter_words(observed at, uint64_t page, uint64_t generation)
{
    return (at[0] ^ page) | (at[1] ^ generation) | (at[2] ^ (page + generation * 3)) | (at[COUNTER_LAST] ^ ~generation);
}

static bool holds_counters(observed at, uint64_t page, uint64_t generation)
{
    uint64_t address = (uint64_t)page_address(page) + 3 * 8;
    uint64_t wrong = counter_words(at, page, generation);

    for (uint32_t i = 3; i < COUNTER_LAST; i += 4, address += 32)
        wrong |= (at[i] ^ address) | (at[i + 1] ^ (address + 8)) | (at[i + 2] ^ (address + 16)) | (at[i + 3] ^ (address + 24));
    return wrong == 0;
}

static bool holds_sparse(observed at, uint64_t page, uint64_t generation)
{
    uint64_t wrong = 0;

    for (uint32_t i = 0; i < WORDS; i++)
        wrong |= at[i] ^ sparse_word(page, generation, i);
    return wrong == 0;
}

static bool holds_zeros(observed at)
{
    uint64_t wrong = 0;

    for (uint32_t i = 0; i < WORDS; i += 8)
        wrong |= at[i] | at[i + 1] | at[i + 2] | at[i + 3] | at[i + 4] | at[i + 5] | at[i + 6] | at[i + 7];
    return wrong == 0;
}

static bool holds_random(observed at, uint64_t page, uint64_t generation)
{
    struct stream s = open_stream(page, generation);
    uint64_t wrong = 0;

    for (observed end = at + WORDS; at < end; at += 8) {
        wrong |= at[0] ^ next(&s);
        wrong |= at[1] ^ next(&s);
        wrong |= at[2] ^ next(&s);
        wrong |= at[3] ^ next(&s);
        wrong |= at[4] ^ next(&s);
        wrong |= at[5] ^ next(&s);
        wrong |= at[6] ^ next(&s);
        wrong |= at[7] ^ next(&s);
    }
    return wrong == 0;
}

static void report(uint64_t page, const uint64_t *expected)
{
    observed at = page_address(page);
    uint32_t i = 0;

    if (!begin_error())
        return;
    while (i < WORDS - 1 && at[i] == expected[i])
        i++;
    field("page=", page);
    field(" offset=", i * 8);
    hex_field(" expected=", expected[i]);
    hex_field(" found=", at[i]);
    end_line();
}

static uint64_t scratch[WORDS];

static void check_page(uint64_t page, uint64_t generation)
{
    observed at = page_address(page);
    bool holds = pattern == COUNTER                   ? holds_counters(at, page, generation)
               : pattern == SPARSE                    ? holds_sparse(at, page, generation)
               : pattern == ZERO && generation % 2    ? holds_zeros(at)
                                                      : holds_random(at, page, generation);

    checks++;
    if (!holds) {
        write_whole(scratch, page, generation);
        report(page, scratch);
    }
}

static void check_filled(uint64_t page)
{
    checks++;
    if (!holds_random(page_address(page), page, FILLED)) {
        write_random(scratch, page, FILLED);
        report(page, scratch);
    }
}

// ---- the working set -------------------------------------------------------------------------------------------

static volatile uint32_t *const generations = (volatile uint32_t *)TABLE_BASE;

static uint64_t table_term(uint64_t page, uint32_t generation)
{
    return mix(page << 32 | generation);
}

static uint64_t sum_table(void)
{
    uint64_t sum = 0;

    for (uint64_t page = 0; page < pages; page++)
        sum += table_term(page, generations[page]);
    return sum;
}

static uint64_t sum_image(void)
{
    uint64_t sum = 0;

    for (const volatile uint64_t *at = __image_start; at < __image_end; at++)
        sum = mix(sum ^ *at);
    return sum;
}

static void check_sum(const char *name, uint64_t expected, uint64_t found)
{
    if (found == expected || !begin_error())
        return;
    text(name);
    hex_field(" expected=", expected);
    hex_field(" found=", found);
    end_line();
}

// A page is checked before it is rewritten: else a page lost on the way could be mended before anybody saw it. Words that
// aren't rewritten aren't mended either: in passing is soon enough, and hundreds of megabytes a second are possible.
static void dirty_next_page(void)
{
    static uint64_t page;
    uint32_t generation = generations[page];

    if (pattern != COUNTER || counter_words(page_address(page), page, generation))
        check_page(page, generation);
    table_sum -= table_term(page, generation);
    generations[page] = ++generation;
    table_sum += table_term(page, generation);
    write_change(page, generation);
    writes++;
    if (++page == pages)
        page = 0;
}

static void check_next_page(void)
{
    static uint64_t page;

    check_page(page, generations[page]);
    if (++page < pages)
        return;
    page = 0;
    passes++;
    check_sum("table", table_sum, sum_table());
    check_sum("image", image_sum, sum_image());
}

// The pages of the filling follow those of the working set, and are numbered on from them.
static void check_next_filled(void)
{
    static uint64_t done;

    check_filled(pages + done);
    if (++done < fill_size / PAGE_SIZE)
        return;
    done = 0;
    fill_passes++;
}

static void corrupt(uint64_t page)
{
    ((volatile uint8_t *)page_address(page))[0x7a3] ^= 0x10;
}

// ---- main ------------------------------------------------------------------------------------------------------

static void print_start(void)
{
    field("heartbeat start pages=", pages);
    if (rate == RATE_MAX)
        text(" rate=max");
    else
        field(" rate=", rate);
    text(" pattern=");
    text(pattern_names[pattern]);
    field(" beat=", beat_ms);
    field(" ram=", ram_end - ram_start);
    if (fill_size)
        field(" fill=", fill_size);
    end_line();
}

static void print_beat(uint64_t now)
{
    field("heartbeat beat=", beat);
    field(" writes=", writes);
    field(" checks=", checks);
    field(" passes=", passes);
    if (fill_size)
        field(" fillpasses=", fill_passes);
    field(" errors=", errors);
    field(" time=", now);
    field(" turn=", longest_turn * 1000 / (clock_rate / 1000));
    field(" gap=", longest_gap / 1000);
    end_line();
    longest_turn = longest_gap = 0;
}

static void fill(void)
{
    for (uint64_t page = 0; page < pages; page++) {
        generations[page] = 0;
        write_whole(page_address(page), page, 0);
    }
    for (uint64_t page = pages; page < pages + fill_size / PAGE_SIZE; page++)
        write_random(page_address(page), page, FILLED);
    table_sum = sum_table();
    image_sum = sum_image();
}

void heartbeat(const uint8_t *tree)
{
    pages = 256;
    rate = 1000;
    beat_ms = 100;
    clock_rate = CLOCK_DEFAULT;
    read_device_tree(tree);
    if (ram_end == 0)
        add_memory(RAM_BASE, RAM_DEFAULT);
    read_options();
    fill_size = (fill_size + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
    print_start();

    uint64_t room = ram_end > SET_BASE ? ram_end - SET_BASE : 0;
    if (pages > MAX_PAGES || pages * PAGE_SIZE > room || fill_size > room - pages * PAGE_SIZE) {
        field("heartbeat ERROR does not fit: room=", room);
        field(" max-pages=", MAX_PAGES);
        end_line();
        power_off(2);
    }

    fill();
    text("heartbeat ready");
    end_line();

    const uint64_t interval = clock_rate * beat_ms / 1000;
    const uint64_t most = rate == RATE_MAX ? 0 : clock_rate + clock_rate / 10 * rate;
    uint64_t before = read_time(), due = before + interval, credit = 0;

    last_calendar = read_calendar();

    for (;;) {
        uint64_t now = read_time();
        uint64_t passed = now > before ? now - before : 0;

        if (now < before)
            due = now + interval;
        before = now;
        look(passed);

        if (rate == RATE_MAX) {
            for (int i = 0; i < BURST; i++)
                dirty_next_page();
        } else {
            // What could not be written in time is written later, but at most a tenth of a second's worth.
            credit += (passed < clock_rate ? passed : clock_rate) * rate;
            if (credit > most)
                credit = most;
            for (int i = 0; i < BURST && credit >= clock_rate; i++) {
                credit -= clock_rate;
                dirty_next_page();
            }
        }

        for (int i = 0; i < CHECKS; i++)
            check_next_page();
        if (fill_size)
            for (int i = 0; i < CHECKS; i++)
                check_next_filled();

        if (now < due)
            continue;
        due = now - due < interval ? due + interval : now + interval;
        beat++;
        print_beat(now);
        if (beat == corrupt_beat) {
            corrupt(pages / 2);
            if (fill_size)
                corrupt(pages + fill_size / PAGE_SIZE / 2);
        }
        if (beat == exit_beat) {
            field("heartbeat exit beat=", beat);
            field(" errors=", errors);
            end_line();
            power_off(errors ? 1 : 0);
        }
    }
}

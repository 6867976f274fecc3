// Finds the kernel's command line in a flattened device tree.

#include "loops.h"

static uint32_t big32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

bool equal(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

void read_command_line(const uint8_t *tree, char *into, uint32_t size)
{
    enum { BEGIN_NODE = 1, END_NODE, PROPERTY, NOP };
    uint32_t depth = 0;
    bool chosen = false;

    if (tree == NULL || big32(tree) != 0xd00dfeed)
        return;

    const uint8_t *at = tree + big32(tree + 8);
    const char *names = (const char *)tree + big32(tree + 12);
    const uint8_t *end = tree + big32(tree + 4);

    while (at < end) {
        uint32_t token = big32(at);

        at += 4;
        if (token == BEGIN_NODE) {
            if (++depth == 2)
                chosen = equal((const char *)at, "chosen");
            while (*at++)
                ;
        } else if (token == END_NODE) {
            depth--;
        } else if (token == PROPERTY) {
            uint32_t length = big32(at);

            if (depth == 2 && chosen && equal(names + big32(at + 4), "bootargs"))
                for (uint32_t i = 0; i < length && i < size - 1; i++)
                    into[i] = (char)at[8 + i];
            at += 8 + length;
        } else if (token != NOP) {
            break;
        }
        at = tree + ((size_t)(at - tree) + 3) / 4 * 4;
    }
}

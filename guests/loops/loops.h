#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool equal(const char *a, const char *b);

// Nothing is written where there is no command line; the text ends with the zero that is there already.
void read_command_line(const uint8_t *tree, char *into, uint32_t size);

/*
 * What all targets share. A target prints one line `ready key=value ...` (addresses in lower-case hex without 0x),
 * then answers every line of its stdin with one line, and ends at the end of stdin.
 * Nothing here allocates: answering changes no mapping and touches no new page of the heap.
 */
#ifndef TARGET_H
#define TARGET_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096UL
#define HUGE (2UL << 20)

static inline void die(const char *what)
{
	dprintf(2, "%s: %s\n", what, strerror(errno));
	_exit(1);
}

/* The answer to a command that either works or sets errno. */
static inline void answer(bool worked)
{
	dprintf(1, "%s\n", worked ? "ok" : strerrorname_np(errno));
}

/* Reads one line without its newline; false at the end of stdin. Byte by byte: nothing is kept back from another reader. */
static inline bool hear(char *line, size_t room)
{
	size_t used = 0;
	char byte;

	while (read(0, &byte, 1) == 1) {
		if (byte == '\n') {
			line[used] = 0;
			return true;
		}
		if (used + 1 < room)
			line[used++] = byte;
	}
	return false;
}

/* Turns hex digits into bytes, NUL-terminated; returns how many, or -1. */
static inline long unhex(const char *digits, char *out, size_t room)
{
	size_t used = 0;
	unsigned byte;

	for (; *digits; digits += 2) {
		if (used + 1 >= room || sscanf(digits, "%2x", &byte) != 1 || !digits[1])
			return -1;
		out[used++] = byte;
	}
	out[used] = 0;
	return used;
}

#endif

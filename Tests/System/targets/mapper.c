/*
 * mapper LETTERS PAGEMAP: maps both files privately, looks at what the pages hold, and unmaps them, over and over.
 * Facts: none.
 * Commands: `map ROUNDS` does so ROUNDS times and answers `mapped=N shown=N`: how many mappings of both held what was
 * looked for, and in how many of them a page had a frame number. `begin` does so from now on and answers `ok`; `end`
 * stops it and answers as `map` does. `failed ERRNO` is the answer when a file cannot be opened or mapped.
 */
#define _GNU_SOURCE
#include "target.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#define WIDTH 95

/* The file mapped for reading, every page of it touched. The caller unmaps SIZE bytes. */
static char *mapped(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;

	if (fd < 0)
		return NULL;
	char *at = fstat(fd, &status) ? MAP_FAILED : mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

	*size = status.st_size;
	close(fd);
	return at == MAP_FAILED ? NULL : at;
}

/* 1 when a page has a frame number, 0 when all are hidden, -1 when the file cannot be mapped. */
static int look_at_letters(const char *path)
{
	size_t size;
	char *at = mapped(path, &size);
	int shown = 0;

	if (!at)
		return -1;
	for (size_t line = WIDTH; line < size; line += WIDTH)
		shown |= at[line + 17] == 'P' && !memchr(at + line + 19, '?', 19);
	munmap(at, size);
	return shown;
}

static int look_at_pagemap(const char *path)
{
	size_t size;
	char *at = mapped(path, &size);
	int shown = 0;

	if (!at)
		return -1;
	for (size_t word = 0; word < size / 8; word++) {
		unsigned long entry = ((unsigned long *)at)[word];

		shown |= entry >> 63 && entry & ((1UL << 55) - 1);
	}
	munmap(at, size);
	return shown;
}

int main(int argc, char **argv)
{
	struct pollfd told = { .fd = 0, .events = POLLIN };
	char line[64];
	long left = 0, rounds = 0, shown = 0;

	if (argc != 3)
		return 2;
	dprintf(1, "ready\n");
	for (;;) {
		if (!left || (left < 0 && poll(&told, 1, 0))) {
			if (left)
				dprintf(1, "mapped=%ld shown=%ld\n", rounds, shown);
			if (!hear(line, sizeof line))
				return 0;
			if (!strcmp(line, "begin"))
				answer(true);
			left = !strcmp(line, "begin") ? -1 : !strncmp(line, "map ", 4) ? atol(line + 4) : 0;
			rounds = shown = 0;
			continue;
		}
		int letters = look_at_letters(argv[1]), pagemap = look_at_pagemap(argv[2]);

		if (letters < 0 || pagemap < 0) {
			dprintf(1, "failed %s\n", strerrorname_np(errno));
			left = 0;
			continue;
		}
		rounds++;
		shown += letters || pagemap;
		if (left > 0 && !--left)
			dprintf(1, "mapped=%ld shown=%ld\n", rounds, shown);
	}
}

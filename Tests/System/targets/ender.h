/*
 * The mappings of the processes that end, and the answers that are read of them: how much each tells.
 */
#ifndef ENDER_H
#define ENDER_H

#include "target.h"
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <time.h>

#define BLOCK_ROWS 4096
#define BLOCK_BYTES (BLOCK_ROWS * PAGE)
#define ROOM (64UL << 20)
#define FEW 400 /* pages or mappings that this program has by itself: more than that is another one's */

static char *small, *block;
static size_t small_bytes;

struct answer {
	char *text;
	size_t size, rows, fixed; /* rows or pages in all, and those of the small mappings */
	unsigned long number; /* of its inode */
	int error;
};

static double seconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static void make_mappings(size_t count)
{
	int file = memfd_create("ender", MFD_CLOEXEC);

	small_bytes = count * PAGE;
	/* Inaccessible borders keep all of them from merging with a neighbour. */
	small = mmap(NULL, small_bytes + BLOCK_BYTES + 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (small == MAP_FAILED || file < 0 || ftruncate(file, small_bytes))
		die("ender: mmap");
	small += PAGE;
	block = small + small_bytes + PAGE;
	if (mmap(small, small_bytes, PROT_NONE, MAP_PRIVATE | MAP_FIXED, file, 0) == MAP_FAILED ||
	    mprotect(block, BLOCK_BYTES, PROT_READ | PROT_WRITE) || madvise(block, BLOCK_BYTES, MADV_NOHUGEPAGE))
		die("ender: mmap");
	for (size_t i = 0; i < count; i++) {
		if (mprotect(small + i * PAGE, PAGE, i & 1 ? PROT_READ | PROT_WRITE : PROT_READ))
			die("ender: mprotect");
		if (i & 1)
			small[i * PAGE] = 1;
	}
	for (size_t i = 0; i < BLOCK_BYTES; i += PAGE)
		block[i] = 1;
}

static void make_path(char *path, const char *mount, int pid, const char *kind)
{
	path += sprintf(path, "%s/%d/", mount, pid);
	for (; *kind; kind++)
		if (*kind == '%')
			path += sprintf(path, "%lx-%lx", (unsigned long)block, (unsigned long)block + BLOCK_BYTES);
		else if (*kind == '^')
			path += sprintf(path, "%lx-%lx", (unsigned long)small + small_bytes - PAGE, (unsigned long)small + small_bytes);
		else
			*path++ = *kind;
	*path = 0;
}

static void new_answer(struct answer *answer)
{
	answer->text = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (answer->text == MAP_FAILED || madvise(answer->text, ROOM, MADV_DONTFORK))
		die("ender: mmap");
}

/* Reads a file whole, or lists a folder whole, one name a line. */
static void take_answer(struct answer *answer, const char *path)
{
	static char piece[65536] __attribute__((aligned(8)));
	bool folder = path[strlen(path) - 1] == '/';
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : 1;
	struct stat status;

	answer->size = 0;
	while (got > 0) {
		got = folder ? getdents64(fd, piece, sizeof piece) : read(fd, answer->text + answer->size, sizeof piece);
		for (ssize_t at = 0; folder && at < got;) {
			const struct dirent64 *entry = (void *)(piece + at);

			if (*entry->d_name != '.')
				answer->size += sprintf(answer->text + answer->size, "%s\n", entry->d_name);
			at += entry->d_reclen;
		}
		answer->size += folder || got < 0 ? 0 : got;
		if (answer->size > ROOM - 2 * sizeof piece)
			errno = EFBIG, got = -1;
	}
	answer->error = got < 0 ? errno : 0;
	answer->number = fd < 0 || fstat(fd, &status) ? 0 : status.st_ino;
	answer->text[answer->size] = 0;
	if (fd >= 0)
		close(fd);
}

/* Takes out what a process that was killed has not read. */
static void drain(int fd)
{
	char byte;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (read(fd, &byte, 1) == 1)
		;
	fcntl(fd, F_SETFL, 0);
}

/* How much is told: rows, or pages where the rows only count them. */
static void measure(struct answer *answer, const char *kind)
{
	unsigned long low = (unsigned long)small, high = low + small_bytes, number;
	const char *last = strrchr(kind, '/'), *name = last && last[1] ? last + 1 : kind;
	char *text = answer->text, *end = text + answer->size, *at;

	answer->rows = answer->fixed = 0;
	if (answer->error)
		return;
	if (strstr(kind, "raw/")) {
		for (at = text; at + 8 <= end; at += 8)
			answer->rows += *(unsigned long *)at != 0;
		return;
	}
	for (char *line = text, *next; line < end; line = next) {
		next = memchr(line, '\n', end - line);
		next = next ? next + 1 : end;
		if (!strncmp(name, "flags", 5) || !strcmp(name, "mapcounts")) {
			/* The last line is the total, a comment or not. */
			answer->rows = strtoul(line + (*line == '#' ? 1 : 0), NULL, 10);
		} else if (!strcmp(name, "summary")) {
			if (!strncmp(line, "Entries:", 8))
				answer->rows = strtoul(line + 8, NULL, 10);
		} else if (*line == '#') {
			continue;
		} else if (!strcmp(name, "strip") || !strcmp(name, "fill")) {
			for (at = line; at < next; at++)
				answer->rows += *at != '.' && *at != '\n';
		} else {
			bool merged = !strncmp(name, "ranges", 6) || !strncmp(name, "extents", 7);
			size_t pages = merged && sscanf(line, "%*s %*s %zu", &number) == 1 ? number : 1;

			number = isxdigit(*line) ? strtoul(line, NULL, 16) : 0;
			answer->rows += pages;
			answer->fixed += (number >= low && number < high) || !strncmp(line, "memfd:ender", 11) ? pages : 0;
		}
	}
}

#endif

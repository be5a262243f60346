/*
 * oracle PID START-END [hidden|blind]: decodes the page map of that range by itself, from pagemap and the arrays of
 * frames, and compares it with what a table says, row by row. It shares nothing with the program under test.
 * With `hidden` it expects what a reader gets who sees no frames, with `blind` one who is not told of zero pages either.
 * Facts: none. Commands:
 *   look                  remembers what is true now; answers `entries=N`
 *   pages|ranges PATH     reads PATH to its end, looks again, and compares: each column must be what it was at one of the
 *                         two looks, but for flags that move by themselves. Answers `rows=N`, or what is wrong first
 *   flags                 answers what the table of flags must hold: `PAGES WORD NAMES ` for each row, in any order
 */
#define _GNU_SOURCE
#include "oracle.h"
#include <fcntl.h>

#define ROOM (1UL << 30)
#define MOST 9

static char *text;
static struct look *old, *new;
static char columns[2][6][600];

/* Splits a line at its blanks into COUNT columns; false if it has another number of them. */
static bool split(char *line, char **column, int count)
{
	int found = 0;

	for (char *word = strtok(line, " "); word; word = strtok(NULL, " "), found++)
		if (found < count)
			column[found] = word;
	return found == count;
}

/* The frame column of the page that many pages after the first one of a row. */
static const char *following(char **column, size_t pages)
{
	static char found[40];
	unsigned long type, offset;

	if (!strcmp(column[0], "zero") || !strcmp(column[0], "guard") || !strcmp(column[0], "marker") || strchr("-?", *column[1]))
		return NULL;
	if (sscanf(column[1], "%lu:%lu", &type, &offset) == 2)
		snprintf(found, sizeof found, "%lu:%lu", type, offset + pages);
	else
		snprintf(found, sizeof found, "%lx", strtoul(column[1], NULL, 16) + pages);
	return found;
}

/* Takes the flags that move by themselves out of a list of names. */
static char *calm(const char *list, char *to)
{
	static const char *const restless = ",locked,referenced,dirty,lru,active,writeback,reclaim,readahead,unevictable,idle_page,";
	char name[64], *begin = to;

	for (*to = 0; *list; list += *list == ',') {
		int length = snprintf(name, sizeof name, ",%.*s,", (int)strcspn(list, ","), list) - 1;

		list += length - 1;
		if (!strstr(restless, name))
			to += sprintf(to, "%.*s", length, name);
	}
	return begin;
}

/* Whether two lists of flags are one, but for those. */
static bool calmed(const char *one, const char *other)
{
	static char text[2][700];

	return !strcmp(calm(one, text[0]), calm(other, text[1]));
}

/* What is wrong with page number AT of the looks, given the columns of its row and how far into the row it is. */
static const char *differs(size_t at, char **column, size_t into)
{
	static char wrong[2000];
	const char *frame = into ? following(column, into) : column[1];

	if (at >= new->count)
		return "more pages than there are";
	describe(&old->page[at], columns[0]);
	for (int i = 0; i < 6; i++) {
		const char *got = i == 1 ? frame : column[i];

		if (!got || !strcmp(got, columns[0][i]))
			continue;
		describe(&new->page[at], columns[1]);
		if (!strcmp(got, columns[1][i]) || (i == 5 && calmed(got, columns[1][i])))
			continue;
		snprintf(wrong, sizeof wrong, "page %lx has %s in column %d instead of %s", new->page[at].address, got, i,
			 columns[1][i]);
		return wrong;
	}
	return NULL;
}

/* Whether a row of `ranges` could have been part of the one before. */
static bool one(char **last, char **row)
{
	const char *frame = following(last + 3, strtoul(last[2], NULL, 10));

	if (strcmp(last[1], row[0]) || strcmp(last[3], row[3]))
		return false;
	for (int i = 5; i < MOST; i++)
		if (strcmp(last[i], row[i]))
			return false;
	return !frame || !strcmp(frame, row[4]);
}

static void compare(bool ranges)
{
	char *rows[2][MOST] = { 0 }, *line = text, *end, *titles = ranges ? "# start end pages state frame mapcount cgroup node flags" :
						  "# address state frame mapcount cgroup node flags";
	size_t at = 0, number = 0, lead = ranges ? 3 : 1;

	if (old->count != new->count) {
		dprintf(1, "the pages moved meanwhile\n");
		return;
	}
	for (; *line; line = end + 1, number++) {
		char **row = rows[number & 1], squeezed[200] = "#";
		const char *wrong = NULL;
		size_t pages = 1;

		if (!(end = strchr(line, '\n'))) {
			dprintf(1, "line %zu has no end\n", number);
			return;
		}
		*end = 0;
		if (number < 2) {
			for (char *word = strtok(line + 1, " "); number && word; word = strtok(NULL, " "))
				snprintf(squeezed + strlen(squeezed), sizeof squeezed - strlen(squeezed), " %s", word);
			if (*line != '#' || (number && strcmp(squeezed, titles))) {
				dprintf(1, "line %zu is no header\n", number);
				return;
			}
			continue;
		}
		if (!split(line, row, lead + 6)) {
			dprintf(1, "line %zu has not %zu columns\n", number, lead + 6);
			return;
		}
		if (ranges) {
			pages = strtoul(row[2], NULL, 10);
			if (!pages || strtoul(row[1], NULL, 16) != strtoul(row[0], NULL, 16) + pages * PAGE)
				wrong = "not that many pages";
			else if (number > 2 && one(rows[~number & 1], row))
				wrong = "this row and the one before are one";
		}
		for (size_t into = 0; into < pages && !wrong; into++, at++) {
			if (at < new->count && new->page[at].address != strtoul(row[0], NULL, 16) + into * PAGE)
				wrong = "not the address of the next page";
			else
				wrong = differs(at, row + lead, into);
		}
		if (wrong) {
			dprintf(1, "line %zu at %s: %s\n", number, row[0], wrong);
			return;
		}
	}
	if (at != new->count || number < 2)
		dprintf(1, "ends after %zu of %zu pages, in %zu lines\n", at, new->count, number);
	else
		dprintf(1, "rows=%zu\n", number - 2);
}

/* Reads a path whole; an empty read after the end must stay empty. */
static bool take(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t got = -1;

	while (fd >= 0 && used + 1 < ROOM && (got = read(fd, text + used, ROOM - 1 - used)) > 0)
		used += got;
	if (got < 0)
		answer(false);
	else
		text[used] = 0;
	if (fd >= 0)
		close(fd);
	return got >= 0;
}

int main(int argc, char **argv)
{
	char line[4096];
	unsigned long start, end;

	if (argc < 3 || sscanf(argv[2], "%lx-%lx", &start, &end) != 2)
		return 2;
	text = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (text == MAP_FAILED)
		die("oracle: mmap");
	open_arrays(argv[1]);
	hidden = argc > 3;
	blind = hidden && !strcmp(argv[3], "blind");
	old = new_look(start, end);
	new = new_look(start, end);
	dprintf(1, "ready\n");
	while (hear(line, sizeof line)) {
		char *path = strchr(line, ' ');

		if (!strcmp(line, "look")) {
			take_look(old);
			dprintf(1, "entries=%zu\n", old->count);
		} else if (!strcmp(line, "flags")) {
			take_look(new);
			tell_flags(new);
		} else if (path && (!strncmp(line, "pages ", 6) || !strncmp(line, "ranges ", 7))) {
			if (!take(path + 1))
				continue;
			take_look(new);
			compare(*line == 'r');
		} else {
			errno = EINVAL;
			answer(false);
		}
	}
	return 0;
}

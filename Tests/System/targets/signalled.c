/*
 * signalled EVERY MILLISECONDS HOW PATH: a reader who is interrupted all the time, and repeats each call that was. EVERY is
 * the time between two signals in microseconds, or `random:SEED` for anything from 0.1 to 5 ms.
 * HOW it looks at PATH: `read` (a file), `list` (a folder), `crowd` (a folder whose names come and go), `stat` (type, mode and
 * number), `size` (and its size), `link`. It looks once undisturbed, then for MILLISECONDS under signals, again and again.
 * Each answer must be the undisturbed one, but for the time in its first line; where one is not, it looks undisturbed
 * again, and each line must be that of the look before or after; of a crowd, what was listed both times must be. With
 * `copy` it looks once, under signals, and writes the text to stdout.
 * Prints on stderr `looks=N signals=N open=N read=N list=N stat=N link=N most=N`: how many looks there were, how many
 * signals, how many calls of each sort failed with EINTR, and how often at most one call was repeated. Or ends with 1
 * and tells what went wrong.
 */
#define _GNU_SOURCE
#include "target.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

#define ROOM (256UL << 20)
#define REPEATS 2000 /* of one call: then the reader gives up */
#define PATIENCE 20.0 /* seconds for one call, all its repetitions included */

enum call { OPEN, READ, LIST, STAT, LINK };
static const char *const names[] = { "open", "read", "list", "stat", "link" };
static unsigned long interrupted[5], most, random_state;
static volatile sig_atomic_t signals, armed;
static long every;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

#define fail(...) (dprintf(2, __VA_ARGS__), exit(1))

static void arm(bool on)
{
	long left = every;

	armed = on;
	if (!every) {
		random_state = random_state * 6364136223846793005UL + 1442695040888963407UL;
		left = 100 + (random_state >> 33) % 4900;
	}
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value.tv_usec = on ? left : 0, .it_interval.tv_usec = on ? every : 0 }, NULL);
}

static void on_signal(int number)
{
	(void)number;
	signals++;
	if (!every && armed)
		arm(true);
}

/* Makes a call until it is not interrupted; 0 or more, or it fails. */
#define REPEATED(call, path, expression)                                                              \
	({                                                                                            \
		double begin = now();                                                                 \
		unsigned long tries = 0;                                                              \
		long value;                                                                           \
		while ((value = (expression)) < 0 && errno == EINTR) {                                \
			interrupted[call]++;                                                          \
			if (++tries > REPEATS || now() - begin > PATIENCE)                            \
				fail("gave up: %s of %s was interrupted %lu times in %.1f s\n",       \
				     names[call], path, tries, now() - begin);                        \
		}                                                                                     \
		most = tries > most ? tries : most;                                                   \
		if (value < 0)                                                                        \
			fail("%s of %s: %s\n", names[call], path, strerrorname_np(errno));            \
		value;                                                                                \
	})

static int by_text(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static size_t list(int fd, const char *path, char *text)
{
	static char piece[16384] __attribute__((aligned(8))), *name[1 << 18];
	char *copy = text + ROOM / 2;
	size_t count = 0, used = 0;
	ssize_t got;

	while ((got = REPEATED(LIST, path, getdents64(fd, piece, sizeof piece))) > 0) {
		for (ssize_t at = 0; at < got; count++) {
			const struct dirent64 *entry = (void *)(piece + at);

			if (count == sizeof name / sizeof *name)
				fail("%s: too many names\n", path);
			name[count] = copy;
			copy = stpcpy(copy, entry->d_name) + 1;
			at += entry->d_reclen;
		}
	}
	qsort(name, count, sizeof *name, by_text);
	for (size_t i = 0; i < count; i++)
		used += sprintf(text + used, "%s\n", name[i]);
	return used;
}

/* Blanks out the first time in the first line: 2026-11-20T23:14:02.118Z. */
static void forget_time(char *text, size_t used)
{
	char *end = memchr(text, '\n', used), *at = end ? memmem(text, end - text, "T", 1) : NULL;

	for (; at; at = memmem(at + 1, end - at - 1, "T", 1))
		if (at - text >= 10 && end - at > 13 && at[-3] == '-' && at[3] == ':' && at[13] == 'Z') {
			memset(at - 10, '_', 24);
			return;
		}
}

/* One answer; its size. */
static size_t look(const char *how, const char *path, char *text)
{
	bool copy = !strcmp(how, "copy");
	struct stat status;
	size_t used = 0;
	ssize_t got;
	int fd;

	if (!strcmp(how, "link"))
		return REPEATED(LINK, path, readlink(path, text, 4096));
	if (!strcmp(how, "stat") || !strcmp(how, "size")) {
		REPEATED(STAT, path, lstat(path, &status));
		return sprintf(text, "%o %lu %ld\n", status.st_mode, status.st_ino, *how == 's' && how[1] == 'i' ? status.st_size : 0);
	}
	fd = REPEATED(OPEN, path, open(path, O_RDONLY | O_CLOEXEC));
	if (strcmp(how, "read") && !copy) {
		used = list(fd, path, text);
	} else {
		while ((got = REPEATED(READ, path, read(fd, text + used, 16384))) > 0) {
			if (copy)
				for (ssize_t done = 0, one; done < got; done += one > 0 ? one : 0)
					if ((one = write(1, text + done, got - done)) < 0 && errno != EINTR)
						fail("write: %s\n", strerrorname_np(errno));
			if (!copy && (used += got) > ROOM - 32768)
				fail("%s: no room for the text\n", path);
		}
		forget_time(text, used);
	}
	close(fd);
	return used;
}

/* Number of the first line of GOT that is neither that of ONE nor that of OTHER, or 0. */
static size_t foreign(const char *got, size_t used, const char *one, size_t one_size, const char *other, size_t other_size)
{
	const char *end = got + used, *one_end = one + one_size, *other_end = other + other_size;

	for (size_t line = 1;; line++) {
		const char *next = memchr(got, '\n', end - got), *one_next = memchr(one, '\n', one_end - one);
		const char *other_next = memchr(other, '\n', other_end - other);

		if (!next && !one_next && !other_next)
			return end == got && one == one_end && other == other_end ? 0 : line;
		if (!next || !one_next || !other_next)
			return line;
		if ((next - got != one_next - one || memcmp(got, one, next - got)) &&
		    (next - got != other_next - other || memcmp(got, other, next - got)))
			return line;
		got = next + 1;
		one = one_next + 1;
		other = other_next + 1;
	}
}

static size_t lines(const char *text, size_t size)
{
	size_t count = 0;

	while (size)
		count += text[--size] == '\n';
	return count;
}

/* Whether a text has this very line. */
static bool has(const char *text, size_t size, const char *line, size_t length)
{
	for (const char *at = text; (at = memmem(at, text + size - at, line, length)); at++)
		if (at == text || at[-1] == '\n')
			return true;
	return false;
}

/* Number of the first line that both ONE and OTHER have and GOT has not, or 0: what is there all the time is listed. */
static size_t absent(const char *got, size_t used, const char *one, size_t one_size, const char *other, size_t other_size)
{
	const char *end = one + one_size, *next;

	for (size_t line = 1; one < end; one = next, line++) {
		next = (const char *)memchr(one, '\n', end - one) + 1;
		if (has(other, other_size, one, next - one) && !has(got, used, one, next - one))
			return line;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	char *text[3];
	size_t size[3] = { 0 }, looks = 0, line;
	double end;

	if (argc != 5)
		return 2;
	const char *how = argv[3], *path = argv[4];

	every = strncmp(argv[1], "random:", 7) ? atol(argv[1]) : 0;
	random_state = every ? 0 : strtoul(argv[1] + 7, NULL, 10);
	for (int i = 0; i < 3; i++) {
		text[i] = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (text[i] == MAP_FAILED)
			die("signalled: mmap");
	}
	sigaction(SIGALRM, &action, NULL);
	if (strcmp(how, "copy"))
		size[0] = look(how, path, text[0]);
	end = now() + atof(argv[2]) / 1000;
	arm(true);
	do {
		size[1] = look(how, path, text[1]);
		looks++;
		if (!strcmp(how, "copy") || (size[1] == size[0] && !memcmp(text[0], text[1], size[0])))
			continue;
		arm(false);
		size[2] = look(how, path, text[2]);
		line = (strcmp(how, "crowd") ? foreign : absent)(text[1], size[1], text[0], size[0], text[2], size[2]);
		if (line)
			fail("%s in look %zu: %zu lines in %zu bytes instead of %zu in %zu, the first difference is in line %zu\n",
			     path, looks, lines(text[1], size[1]), size[1], lines(text[2], size[2]), size[2], line);
		memcpy(text[0], text[2], size[2]);
		size[0] = size[2];
		arm(true);
	} while (strcmp(how, "copy") && now() < end);
	arm(false);
	dprintf(2, "looks=%zu signals=%d", looks, signals);
	for (int i = 0; i < 5; i++)
		dprintf(2, " %s=%lu", names[i], interrupted[i]);
	return dprintf(2, " most=%lu\n", most) < 0;
}

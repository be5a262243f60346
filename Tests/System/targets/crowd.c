/*
 * crowd WHAT:PATH...: as many processes at once, each of which does one thing and ends: WHAT is read (a file to its end),
 * list (the names of a directory), stat, link (the text of a link), or held: the file is opened now and read after `go`.
 * Facts: none. It is ready when every file that is to be held is open, or could not be opened.
 * Commands: `go`         lets those read that hold a file; answers `ok`
 *           `wait MS`    waits until all are done, but no longer; answers how many still wait
 *           `results`    a word for each: `waits`, `killed`, or ERRNO:COUNT:MICROSECONDS, where COUNT is the lines of a file,
 *                        the names of a directory, or 0
 *           `end BATCH`  ends those that wait by SIGTERM and SIGKILL in turn, BATCH at a time, each batch when the one before
 *                        is out, or after a second; answers the microseconds that each took, -1 where it did not end.
 */
#define _GNU_SOURCE
#include "target.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define LIMIT 10000000L /* of `end` in all, microseconds */

struct reader {
	pid_t pid;
	bool gone;
	volatile bool open, done;
	volatile int error;
	volatile long count, taken;
};

static struct reader *readers;
static volatile bool *going; /* in shared memory, as the readers are */
static int total;

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000L + time.tv_nsec / 1000;
}

static long lines_of(struct reader *self, const char *path, bool held)
{
	static char text[1 << 17];
	long lines = 0;
	ssize_t got;
	int fd = open(path, O_RDONLY), error = errno;

	self->open = true;
	while (held && !*going)
		usleep(500);
	errno = error;
	if (fd < 0)
		return -1;
	while ((got = read(fd, text, sizeof text)) > 0)
		for (ssize_t i = 0; i < got; i++)
			lines += text[i] == '\n';
	return got < 0 ? -1 : lines;
}

static long names_of(const char *path)
{
	DIR *folder = opendir(path);
	long names = 0;

	if (!folder)
		return -1;
	for (errno = 0; readdir(folder); errno = 0)
		names++;
	return errno ? -1 : names;
}

static long act(struct reader *self, const char *what)
{
	const char *path = strchr(what, ':') + 1;
	char text[4096];
	struct stat status;

	switch (what[0]) {
	case 'h':
	case 'r':
		return lines_of(self, path, what[0] == 'h');
	case 'l':
		return what[2] == 's' ? names_of(path) : readlink(path, text, sizeof text) < 0 ? -1 : 0;
	default:
		return lstat(path, &status);
	}
}

static void run(struct reader *self, const char *what, pid_t parent)
{
	long begin = now();

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	signal(SIGTERM, SIG_DFL);
	self->count = act(self, what);
	self->error = self->count < 0 ? errno : 0;
	self->taken = now() - begin;
	self->done = true;
	_exit(0);
}

static int waiting(int first, int end)
{
	int count = 0;

	for (int i = first; i < end; i++) {
		if (!readers[i].gone && waitpid(readers[i].pid, NULL, WNOHANG) == readers[i].pid)
			readers[i].gone = true;
		count += !readers[i].gone;
	}
	return count;
}

static void tell_results(void)
{
	waiting(0, total);
	for (int i = 0; i < total; i++) {
		struct reader *one = &readers[i];

		if (one->done)
			printf("%d:%ld:%ld ", one->error, one->count, one->taken);
		else
			printf("%s ", one->gone ? "killed" : "waits");
	}
	puts("");
}

static void end_all(int batch)
{
	long begin = now(), told;
	int turn = 0;

	for (int first = 0, end; first < total; first = end) {
		int members[batch], count = 0;

		for (end = first; end < total && count < batch; end++)
			if (waiting(end, end + 1))
				members[count++] = end;
		told = now();
		for (int i = 0; i < count; i++)
			kill(readers[members[i]].pid, turn++ & 1 ? SIGKILL : SIGTERM);
		for (int left = count; left && now() - told < 1000000 && now() - begin < LIMIT; usleep(200)) {
			for (int i = 0; i < count; i++) {
				if (members[i] >= 0 && !waiting(members[i], members[i] + 1)) {
					printf("%ld ", now() - told);
					members[i] = -1;
					left--;
				}
			}
		}
		for (int i = 0; i < count; i++)
			if (members[i] >= 0)
				printf("-1 ");
	}
	puts("");
}

int main(int argc, char **argv)
{
	pid_t parent = getpid();
	char line[32];

	total = argc - 1;
	readers = mmap(NULL, (total + 1) * sizeof *readers, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (readers == MAP_FAILED)
		die("crowd: mmap");
	going = &readers[total].done;
	for (int i = 0; i < total; i++) {
		pid_t child = fork();

		if (child < 0)
			die("crowd: fork");
		if (!child)
			run(&readers[i], argv[1 + i], parent);
		readers[i].pid = child;
	}
	for (int i = 0; i < total; i++)
		while (argv[1 + i][0] == 'h' && !readers[i].open)
			usleep(500);
	dprintf(1, "ready\n");
	while (hear(line, sizeof line)) {
		if (!strncmp(line, "wait ", 5)) {
			long limit = now() + atol(line + 5) * 1000;

			while (waiting(0, total) && now() < limit)
				usleep(500);
			printf("%d\n", waiting(0, total));
		} else if (!strcmp(line, "go")) {
			*going = true;
			puts("ok");
		} else if (!strcmp(line, "results")) {
			tell_results();
		} else if (!strncmp(line, "end ", 4)) {
			end_all(atoi(line + 4));
		}
		fflush(stdout);
	}
	return 0;
}

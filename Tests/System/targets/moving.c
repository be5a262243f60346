/*
 * moving [GENERATION]: a process that changes while it is looked at. It has one private anonymous mapping of 16 pages
 * (`range`), all written, whose page before and page after are not mapped.
 * Facts: range=START-END generation=N (0 at first, one more after each exec).
 * Commands:
 *   exec            runs this program again in the same process; the answer is the new one's `ready` line
 *   exit            ends at once with status 0, without an answer
 *   unmap           unmaps the range
 *   remap           maps 16 pages at the range again (after unmap, or over it); only the first one is written
 *   move            moves the range elsewhere; answers `range=START-END`
 *   shrink          unmaps the second half of the range; `grow` maps it again, untouched
 *   vfork           sleeps in D state until the child ends; answers `child=PID`. The child (same memory) then answers:
 *                   its next line ends it, `ok`
 *   leader-exit     the main thread ends, another one goes on; answers `thread=TID` when the leader is a zombie
 *   zombie          leaves a child that has ended and is not reaped; answers `zombie=PID`
 *   name HEX        renames the calling thread to these bytes (none: the empty name)
 */
#define _GNU_SOURCE
#include "target.h"
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define BYTES (16 * PAGE)
#define FLAGS (MAP_PRIVATE | MAP_ANONYMOUS)

static char *range;
static char *self;
static int generation;

static char *map_at(char *at, size_t bytes)
{
	return mmap(at, bytes, PROT_READ | PROT_WRITE, FLAGS | (at ? MAP_FIXED : 0), -1, 0);
}

/* Room for a range with an unmapped page on both sides. */
static char *room(void)
{
	char *at = mmap(NULL, BYTES + 2 * PAGE, PROT_NONE, FLAGS, -1, 0);

	if (at == MAP_FAILED || munmap(at, BYTES + 2 * PAGE))
		die("moving: mmap");
	return at + PAGE;
}

static void exec_again(void)
{
	char number[16];

	snprintf(number, sizeof number, "%d", generation + 1);
	execl("/proc/self/exe", self, number, NULL);
	answer(false);
}

static void vfork_child(void)
{
	char line[64];
	pid_t child = vfork();

	if (child < 0) {
		answer(false);
	} else if (!child) {
		dprintf(1, "child=%d\n", getpid());
		if (hear(line, sizeof line))
			answer(true);
		_exit(0);
	} else {
		waitpid(child, NULL, 0);
	}
}

static void leave_zombie(void)
{
	siginfo_t info;
	pid_t child = fork();

	if (!child)
		_exit(0);
	if (child < 0 || waitid(P_PID, child, &info, WEXITED | WNOWAIT))
		answer(false);
	else
		dprintf(1, "zombie=%d\n", child);
}

static void rename_self(const char *digits)
{
	char name[64];
	long length = unhex(digits, name, sizeof name);

	errno = EINVAL;
	answer(length >= 0 && !prctl(PR_SET_NAME, name));
}

static void *serve(void *leader_gone);

static void leave_leader(void)
{
	pthread_t thread;

	if ((errno = pthread_create(&thread, NULL, serve, "yes")))
		answer(false);
	else
		pthread_exit(NULL);
}

static void obey(const char *line)
{
	if (!strcmp(line, "exec")) {
		exec_again();
	} else if (!strcmp(line, "exit")) {
		_exit(0);
	} else if (!strcmp(line, "unmap")) {
		answer(!munmap(range, BYTES));
	} else if (!strcmp(line, "remap")) {
		answer(map_at(range, BYTES) == range && (*range = 'r'));
	} else if (!strcmp(line, "move")) {
		char *at = mremap(range, BYTES, BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, room());

		range = at == MAP_FAILED ? range : at;
		dprintf(1, "range=%lx-%lx\n", (unsigned long)range, (unsigned long)range + BYTES);
	} else if (!strcmp(line, "shrink")) {
		answer(!munmap(range + BYTES / 2, BYTES / 2));
	} else if (!strcmp(line, "grow")) {
		answer(map_at(range + BYTES / 2, BYTES / 2) != MAP_FAILED);
	} else if (!strcmp(line, "vfork")) {
		vfork_child();
	} else if (!strcmp(line, "leader-exit")) {
		leave_leader();
	} else if (!strcmp(line, "zombie")) {
		leave_zombie();
	} else if (!strncmp(line, "name", 4)) {
		rename_self(line[4] ? line + 5 : "");
	} else {
		errno = EINVAL;
		answer(false);
	}
}

/* The state letter of the main thread, which follows the last parenthesis of its stat. */
static char leader_state(void)
{
	char path[64], text[512], *end;
	ssize_t length;
	int fd;

	snprintf(path, sizeof path, "/proc/self/task/%d/stat", getpid());
	fd = open(path, O_RDONLY);
	length = read(fd, text, sizeof text - 1);
	close(fd);
	text[length > 0 ? length : 0] = 0;
	end = strrchr(text, ')');
	return end && end[1] ? end[2] : '?';
}

static void *serve(void *leader_gone)
{
	char line[256];

	if (leader_gone) {
		while (leader_state() != 'Z')
			sched_yield();
		dprintf(1, "thread=%d\n", gettid());
	}
	while (hear(line, sizeof line))
		obey(line);
	_exit(0);
}

int main(int argc, char **argv)
{
	self = argv[0];
	generation = argc > 1 ? atoi(argv[1]) : 0;
	range = room();
	if (map_at(range, BYTES) != range)
		die("moving: mmap");
	for (size_t i = 0; i < BYTES; i += PAGE)
		range[i] = 'm';
	dprintf(1, "ready range=%lx-%lx generation=%d\n", (unsigned long)range, (unsigned long)range + BYTES, generation);
	serve(NULL);
}

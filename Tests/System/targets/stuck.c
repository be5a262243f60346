/*
 * stuck FILE COUNT ROWS: COUNT processes whose memory locks are held for ever as soon as the filesystem of FILE is frozen and
 * they are told. In each, one thread writes to a shared mapping of FILE and waits in the fault for the thaw, with the lock
 * of the mapping; another one then changes the protection of that mapping: it waits for the first one, and has the lock of
 * the address space meanwhile. FILE has at least COUNT pages, each process writes one of its own.
 * Facts: file=START-END reads=START-END (ROWS pages of anonymous memory that are only read) pids=PID,PID,... The addresses are the same in all.
 * Commands: `stick` answers `ok` when each process has begun to be stuck.
 */
#define _GNU_SOURCE
#include "target.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>

static char *file, *page, *reads;
static size_t bytes, room;
static _Atomic pid_t writer;

static void *write_page(void *unused)
{
	writer = syscall(SYS_gettid);
	*(volatile char *)page = 's';
	return unused;
}

/* Whether a thread of this process waits uninterruptibly. */
static bool waits(pid_t thread)
{
	char path[64], text[512], *end;
	ssize_t got = -1;

	snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		got = read(fd, text, sizeof text - 1);
		close(fd);
	}
	if (got <= 0)
		return false;
	text[got] = 0;
	end = strrchr(text, ')');
	return end && end[1] && end[2] == 'D';
}

static void live(int told, int said, pid_t parent)
{
	pthread_t thread;
	char byte = *(volatile char *)page; /* mapped, but not yet to be written to */

	for (size_t at = 0; at < room; at += PAGE)
		byte += *(volatile char *)(reads + at);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || write(said, "m", 1) != 1 || read(told, &byte, 1) != 1)
		_exit(1);
	if (pthread_create(&thread, NULL, write_page, NULL))
		die("stuck: pthread_create");
	for (int tries = 0; !writer || !waits(writer); tries++) {
		if (tries > 5000)
			_exit(1);
		usleep(1000);
	}
	if (write(said, "w", 1) != 1)
		_exit(1);
	if (mprotect(file, bytes, PROT_READ | PROT_WRITE | PROT_EXEC))
		die("stuck: mprotect");
	for (;;)
		pause();
}

/* One byte of each process. */
static bool all_said(int from, int count)
{
	char byte;

	for (int i = 0; i < count; i++)
		if (read(from, &byte, 1) != 1)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[2]) : 0, told[2], said[2];
	struct stat status;
	char line[16];
	pid_t parent = getpid();

	room = argc > 3 ? strtoul(argv[3], NULL, 0) * PAGE : 0;
	if (count < 1 || !room)
		return 2;
	pid_t *pids = calloc(count, sizeof *pids);
	int fd = open(argv[1], O_RDWR | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &status))
		die("stuck: open");
	bytes = status.st_size;
	file = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	reads = mmap(NULL, room, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (file == MAP_FAILED || reads == MAP_FAILED || bytes < count * PAGE || madvise(reads, room, MADV_NOHUGEPAGE) ||
	    pipe(told) || pipe(said))
		die("stuck: mmap");
	close(fd);
	for (int i = 0; i < count; i++) {
		page = file + i * PAGE;
		pids[i] = fork();
		if (pids[i] < 0)
			die("stuck: fork");
		if (!pids[i]) {
			close(told[1]);
			close(said[0]);
			live(told[0], said[1], parent);
		}
	}
	close(said[1]);
	if (!all_said(said[0], count))
		die("stuck: a process has ended");
	printf("ready file=%lx-%lx reads=%lx-%lx pids=", (unsigned long)file, (unsigned long)file + bytes,
	       (unsigned long)reads, (unsigned long)reads + room);
	for (int i = 0; i < count; i++)
		printf("%s%d", i ? "," : "", pids[i]);
	puts("");
	fflush(stdout);
	while (hear(line, sizeof line)) {
		for (int i = 0; i < count; i++)
			if (write(told[1], "s", 1) != 1)
				die("stuck: write");
		errno = EIO;
		answer(all_said(said[0], count));
	}
	return 0;
}

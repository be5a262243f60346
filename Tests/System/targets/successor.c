/*
 * successor: processes of which a later one has the number of an earlier one. Each maps 80,000 pages that are only read and,
 * behind them, 16 that are written; those of the second lie elsewhere.
 * Facts: none.
 * Commands: `first UID` starts a process of that user; `next UID` ends it and starts one of UID with its number.
 *           The answer is `pid=N reads=START-END writes=START-END`, or `taken` when others had the number 1,000 times.
 */
#define _GNU_SOURCE
#include "target.h"
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define READS (80000 * PAGE)
#define WRITES (16 * PAGE)
#define FLAGS (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE)

static pid_t child;

static char *place(bool second)
{
	return (char *)(second ? 0x200000000000 : 0x100000000000);
}

static void live(uid_t uid, bool second, int said)
{
	char *reads = place(second), *writes = reads + READS, sum = 0;

	if (mmap(reads, READS, PROT_READ, FLAGS, -1, 0) != reads || madvise(reads, READS, MADV_NOHUGEPAGE) ||
	    mmap(writes, WRITES, PROT_READ | PROT_WRITE, FLAGS, -1, 0) != writes)
		die("successor: mmap");
	for (size_t at = 0; at < READS; at += PAGE)
		sum += *(volatile char *)(reads + at);
	memset(writes, 's' + sum, WRITES);
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid) || prctl(PR_SET_DUMPABLE, 1) ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL)) /* a change of ids has undone both */
		die("successor: setresuid");
	if (write(said, "l", 1) != 1)
		die("successor: write");
	for (;;)
		pause();
}

static bool begin(uid_t uid, bool second, pid_t number)
{
	char byte;
	int ends[2], last = number ? open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC) : -1;

	if (pipe2(ends, O_CLOEXEC) || (number && (last < 0 || dprintf(last, "%d", number - 1) < 0)))
		die("successor: ns_last_pid");
	child = fork();
	if (child < 0)
		die("successor: fork");
	if (!child && (!number || getpid() == number))
		live(uid, second, ends[1]);
	else if (!child)
		_exit(0);
	close(last);
	close(ends[1]);
	bool had = !number || child == number;

	if (had && read(ends[0], &byte, 1) != 1)
		had = false;
	close(ends[0]);
	if (!had)
		waitpid(child, NULL, 0);
	return had;
}

int main(void)
{
	char line[64];

	dprintf(1, "ready\n");
	while (hear(line, sizeof line)) {
		bool second = !strncmp(line, "next ", 5), had = false;
		uid_t uid = atoi(strchr(line, ' '));
		pid_t number = second ? child : 0;

		if (second) {
			kill(number, SIGKILL);
			waitpid(number, NULL, 0);
		}
		for (int tries = 0; !had && tries < 1000; tries++)
			had = begin(uid, second, number);
		unsigned long at = (unsigned long)place(second);

		if (had)
			dprintf(1, "pid=%d reads=%lx-%lx writes=%lx-%lx\n", child, at, at + READS, at + READS, at + READS + WRITES);
		else
			dprintf(1, "taken\n");
	}
	if (child)
		kill(child, SIGKILL);
	return 0;
}

/*
 * A guard: a process of its own that undoes something as soon as the one that began it says so, ends in any way (SIGKILL
 * counts), or has taken too long. A target that freezes a filesystem or serves one that never answers has one, so that
 * nothing stays stuck when a test fails or is killed.
 */
#ifndef GUARD_H
#define GUARD_H

#include "target.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

static int guard_pipe = -1;
static pid_t guard_pid;

/* Starts the guard. It keeps no descriptor but KEEP (or -1) and those that UNDO opens. */
static inline void guard_begin(unsigned seconds, int keep, void (*undo)(void))
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		die("guard: pipe");
	guard_pid = fork();
	if (guard_pid < 0)
		die("guard: fork");
	if (guard_pid) {
		close(ends[0]);
		guard_pipe = ends[1];
		return;
	}
	setsid();
	for (int number = 1; number < 32; number++)
		if (number != SIGCHLD)
			signal(number, SIG_IGN);
	for (int fd = 0; fd < 1024; fd++)
		if (fd != keep && fd != ends[0])
			close(fd);
	struct pollfd wait = { .fd = ends[0], .events = POLLIN };

	poll(&wait, 1, seconds * 1000);
	undo();
	_exit(0);
}

/* Lets the guard do its work, and returns when it is done. */
static inline void guard_end(void)
{
	close(guard_pipe);
	waitpid(guard_pid, NULL, 0);
}

#endif

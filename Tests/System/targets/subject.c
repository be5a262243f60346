/*
 * subject END STEP…: takes on an identity (identity.h), maps what is known, and waits for the end of stdin.
 * END: alone, threads (two more), zombie (what is to be looked at is a child that has ended) or leaderless (the main
 * thread has ended). After `exec=PROGRAM` the END stands first again.
 * Facts: pid=N thread=N file=RANGE anon=RANGE; thread is one that lives.
 */
#include "known.h"

static const char *end;
static unsigned long file, anon;

static void say_ready(long pid, long thread)
{
	char byte;

	dprintf(1, "ready pid=%ld thread=%ld file=%lx-%lx anon=%lx-%lx\n", pid, thread, file, file + KNOWN_PAGES * PAGE, anon,
		anon + ANON_PAGES * PAGE);
	while (read(0, &byte, 1) > 0)
		;
	_exit(0);
}

static void *wait_for_ever(void *nothing)
{
	for (;;)
		pause();
	return nothing;
}

/* Runs as the only thread that is left. */
static void *outlive(void *nothing)
{
	char text[8];

	/* What has lost its memory has no program. */
	while (readlinkat(PROC_FD, "self/exe", text, sizeof text) >= 0)
		sched_yield();
	say_ready(getpid(), gettid());
	return nothing;
}

static void serve(void)
{
	pthread_t thread;

	map_known(&file, &anon);
	if (!strcmp(end, "zombie")) {
		siginfo_t info;
		pid_t child = fork();

		if (!child)
			_exit(0);
		check(waitid(P_PID, child, &info, WEXITED | WNOWAIT), "zombie");
		say_ready(child, child);
	}
	if (!strcmp(end, "leaderless")) {
		pthread_create(&thread, NULL, outlive, NULL);
		pthread_exit(NULL);
	}
	for (int more = 0; !strcmp(end, "threads") && more < 2; more++)
		pthread_create(&thread, NULL, wait_for_ever, NULL);
	say_ready(outer_pid(), outer_pid());
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	keep_open("/proc", O_PATH, PROC_FD);
	end = argv[1];
	run_steps(argv + 2);
	return 0;
}

/*
 * ender EVENT ROUNDS SEED MAPPINGS MOUNT KIND: looks at MOUNT/PID/KIND of a fresh process ROUNDS times, while something
 * happens to the process at a random moment. It has MAPPINGS mappings of one page each, of a file, every second one written,
 * and a block of 4,096 written pages, whose range a `%` in KIND stands for (a `^` for that of the last small mapping). A
 * KIND that ends in / is listed. In every second round something else of the process is looked at first, so that part of
 * the answer may be at hand. The process is reaped at once: it is never a zombie.
 * EVENT: `none`, `kill`, `exec` (of this program, which then only waits), `unmap` (of the block), `remap` (the block goes away
 * and comes back all the time, the small mappings stay).
 * An answer is whole if it has as many rows as that of an undisturbed process. After an exec it may be the new program's,
 * in a file with another number: without any row of the old one, and with few pages. With the last two, what is told of the small mappings must be
 * whole, and all that is told of the block by its own folder.
 * Prints `whole=N new=N failed=N short=N wrong=N early=N usual=N`: answers that are whole, that are the new program's, that
 * failed with ESRCH or ENOENT, that are not whole, that failed with another errno; how many events came before the
 * answer was there; and how many milliseconds one takes. On stderr, for the first short or wrong ones, in words.
 */
#define _GNU_SOURCE
#include "ender.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum event { NONE, KILL, EXEC, UNMAP, REMAP };
static const char *const events[] = { "none", "kill", "exec", "unmap", "remap" };

static enum event event;
static const char *self;
static int go[2], ready[2];
static pid_t target;
static unsigned long random_state;

/* A number from 0 up to, but not including, BOUND. */
static unsigned long chance(unsigned long bound)
{
	random_state = random_state * 6364136223846793005UL + 1442695040888963407UL;
	return (random_state >> 20) % (bound ? bound : 1);
}

static void remap_for_ever(void)
{
	for (;;) {
		munmap(block, BLOCK_BYTES);
		if (mmap(block, BLOCK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != block)
			_exit(1);
		for (size_t i = 0; i < BLOCK_BYTES; i += 16 * PAGE)
			block[i] = 1;
	}
}

/* The process that is looked at: all its pages are touched before it says that it is ready. */
static void live(void)
{
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (write(ready[1], "r", 1) != 1 || event == REMAP)
		remap_for_ever();
	while (read(go[0], &byte, 1) != 1)
		;
	if (event == EXEC)
		execl(self, self, "wait", NULL);
	if (event == UNMAP)
		munmap(block, BLOCK_BYTES);
	for (;;)
		pause();
}

static void begin_target(void)
{
	char byte, path[64], stat[512], *end;
	int fd;

	target = fork();
	if (target < 0)
		die("ender: fork");
	if (!target)
		live();
	if (read(ready[0], &byte, 1) != 1)
		die("ender: no target");
	snprintf(path, sizeof path, "/proc/%d/stat", target);
	do {
		sched_yield();
		fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t got = read(fd, stat, sizeof stat - 1);

		close(fd);
		stat[got > 0 ? got : 0] = 0;
		end = strrchr(stat, ')');
	} while (end && end[2] != 'S' && event != REMAP);
}

static void end_target(void)
{
	kill(target, SIGKILL);
	while (waitpid(target, NULL, 0) > 0)
		; /* SIGCHLD is ignored: this only waits until it is gone. */
}

static volatile bool happened;

static void *first_thread(void *nothing)
{
	return nothing;
}

/* Waits and lets it happen. */
static void *strike(void *microseconds)
{
	double end = seconds() + (unsigned long)microseconds / 1e6;

	if ((unsigned long)microseconds > 200)
		usleep((unsigned long)microseconds - 100);
	while (seconds() < end)
		;
	happened = true;
	if (event == KILL)
		kill(target, SIGKILL);
	else if (write(go[1], "g", 1) != 1)
		die("ender: go");
	return NULL;
}

/* Looks at the target while it happens, or undisturbed; the time it took is in *TAKEN. */
static void one_look(struct answer *answer, const char *mount, const char *kind, long delay, bool *early, double *taken)
{
	char path[4096];
	pthread_t thread;
	double begin;

	make_path(path, mount, target, kind);
	happened = false;
	if (delay >= 0 && pthread_create(&thread, NULL, strike, (void *)delay))
		die("ender: pthread_create");
	begin = seconds();
	take_answer(answer, path);
	*taken = seconds() - begin;
	*early = happened;
	if (delay >= 0)
		pthread_join(thread, NULL);
	measure(answer, kind);
}

/* The number of the file that is there now; folders have one for all programs of a process. */
static unsigned long number_of(const char *mount, const char *kind)
{
	char path[4096];
	struct stat status;

	make_path(path, mount, target, kind);
	return lstat(path, &status) ? 0 : status.st_ino;
}

int main(int argc, char **argv)
{
	static struct answer calm, now;
	long rounds, count[6] = { 0 }, told = 0;
	double usual, taken;
	const char *kind;
	pthread_t thread;
	bool early;

	if (argc == 2)
		for (;;)
			pause();
	if (argc != 7)
		return 2;
	self = argv[0];
	while (strcmp(events[event], argv[1]))
		if (event++ == REMAP)
			return 2;
	rounds = atol(argv[2]);
	random_state = strtoul(argv[3], NULL, 10);
	kind = argv[6];
	make_mappings(strtoul(argv[4], NULL, 10));
	new_answer(&calm);
	new_answer(&now);
	signal(SIGCHLD, SIG_IGN);
	/* The first thread leaves a stack behind, which the processes then have too. */
	if (pthread_create(&thread, NULL, first_thread, NULL) || pthread_join(thread, NULL))
		die("ender: pthread_create");
	if (pipe2(go, O_CLOEXEC) || pipe2(ready, O_CLOEXEC))
		die("ender: pipe");
	/* A process takes a page more or less: the least of what some have is what each has. */
	for (int i = 0; i < 4; i++) {
		begin_target();
		one_look(&now, argv[5], kind, -1, &early, &usual);
		end_target();
		if (!i || now.error || now.rows < calm.rows)
			calm = now;
	}
	if (calm.error || !calm.rows) {
		dprintf(2, "%s: an undisturbed look gives %zu rows and %s\n", kind, calm.rows, strerrorname_np(calm.error));
		return 1;
	}
	for (long round = 0; round < rounds; round++) {
		const char *verdict = NULL;
		bool folder = strpbrk(kind, "%^"), lists = kind[strlen(kind) - 1] == '/';
		unsigned long old;

		begin_target();
		if (round & 1)
			one_look(&now, argv[5], strcmp(kind, "summary") ? "summary" : "flags", -1, &early, &taken);
		old = event == EXEC ? number_of(argv[5], kind) : 0;
		one_look(&now, argv[5], kind, event == NONE || event == REMAP ? -1 : (long)chance(usual * 1.5e6 + 200), &early, &taken);
		end_target();
		drain(go[0]);
		if (!early && !now.error)
			usual = usual * 0.9 + taken * 0.1;
		count[5] += early;
		if (now.error == ESRCH || now.error == ENOENT)
			count[2]++;
		else if (now.error)
			verdict = strerrorname_np(now.error), count[4]++;
		else if (now.fixed == calm.fixed && now.rows + (event >= UNMAP && !folder ? BLOCK_ROWS : 0) >= calm.rows)
			count[0]++;
		else if (event == EXEC && early && !folder && !now.fixed && now.rows <= FEW && (lists ? now.rows : now.number != old))
			count[1]++;
		else
			verdict = event == EXEC && now.rows && now.rows <= FEW ? "shows the new program in the old one's file" : "is short",
			count[3]++;
		if (verdict && told++ < 3)
			dprintf(2, "%s: round %ld %s: %zu rows instead of %zu, %zu of the small mappings instead of %zu, %zu bytes\n",
				kind, round, verdict, now.rows, calm.rows, now.fixed, calm.fixed, now.size);
	}
	printf("whole=%ld new=%ld failed=%ld short=%ld wrong=%ld early=%ld usual=%.2f\n", count[0], count[1], count[2], count[3],
	       count[4], count[5], usual * 1000);
	return 0;
}

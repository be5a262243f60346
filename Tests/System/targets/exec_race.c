/*
 * exec_race GUARDED PATH...: looks at processes of its own user while they execute GUARDED, whose memory that user may
 * not inspect. A PATH holds a %d for the pid; one that ends in / is a folder.
 * Facts: none.
 * Commands: `race ROUNDS` starts as many children, one after the other, each with the next PATH, and looks at that until it
 * is refused. It answers `before=N shown=N NAME…`: how many children were seen before the exec, how many mappings
 * below 4 GiB were shown, and where the first was. `late PATH` is the answer when a refusal did not come within 10 s.
 */
#define _GNU_SOURCE
#include "look.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

static char text[1 << 22];

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* Whether a line begins with an address below 4 GiB: one of the guarded program. */
static bool shows_guarded(void)
{
	for (char *line = text; line && *line; line = strchr(line, '\n'), line += !!line) {
		char *end;
		unsigned long address = strtoul(line, &end, 16);

		if (end > line && (*end == '-' || *end == ' ') && address >= PAGE && address < 1UL << 32)
			return true;
	}
	return false;
}

static pid_t start(const char *program, const char *form, int *life)
{
	char path[4096];
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) || (child = fork()) < 0)
		die("exec_race: fork");
	if (!child) {
		double go = now() + random() % 400 / 1e6;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ends[0], 0);
		snprintf(path, sizeof path, form, getpid());
		while (now() < go)
			;
		execl(program, program, path, NULL);
		die(program);
	}
	close(ends[0]);
	*life = ends[1];
	return child;
}

int main(int argc, char **argv)
{
	char line[64], path[4096];

	dprintf(1, "ready\n");
	while (hear(line, sizeof line)) {
		int rounds = !strncmp(line, "race ", 5) ? atoi(line + 5) : 0, before = 0, shown = 0;
		const char *first = "", *late = NULL;

		for (int round = 0; round < rounds && !late; round++) {
			const char *form = argv[2 + round % (argc - 2)];
			bool seen = false;
			int life;
			ssize_t got;

			srandom(round);
			pid_t child = start(argv[1], form, &life);
			double end = now() + 10;

			snprintf(path, sizeof path, form, child);
			while ((got = look(path, text, sizeof text)) != -EACCES && got != -EPERM) {
				if (got > 0 && shows_guarded()) {
					first = shown++ ? first : form;
					break;
				}
				seen |= got > 0;
				if (now() > end) {
					late = form;
					break;
				}
			}
			before += seen;
			close(life);
			waitpid(child, NULL, 0);
		}
		if (late)
			dprintf(1, "late %s\n", late);
		else
			dprintf(1, "before=%d shown=%d %s\n", before, shown, first);
	}
	return 0;
}

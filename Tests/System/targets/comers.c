/*
 * comers: processes that come and go.
 * Facts: none.
 * Commands:
 *   begin COUNT                   starts so many that sleep; answers `pids=PID,PID,...`
 *   end                           ends them; answers `ok` when they are gone
 *   visit MOUNT LOOKUPS SECONDS   starts processes one after the other, each with a name of its own, looks each up below MOUNT
 *                                 in several ways, and ends it, until there were so many look-ups or the time is over; answers
 *                                 `lookups=N processes=N wrong=N`, wrong being those that failed while the process lived, or
 *                                 found it when it was gone. A name may be known a moment later, so by-name is not judged.
 */
#define _GNU_SOURCE
#include "target.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define MOST 4096

static pid_t pids[MOST];
static int count;
static long lookups, processes, wrong;

static pid_t start(const char *name)
{
	int ends[2];
	char byte = 0;

	if (pipe(ends))
		die("comers: pipe");
	pid_t parent = getpid(), child = fork();

	if (child < 0)
		die("comers: fork");
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (name)
			prctl(PR_SET_NAME, name);
		if (write(ends[1], &byte, 1) != 1)
			_exit(1);
		while (getppid() == parent)
			pause();
		_exit(0);
	}
	if (read(ends[0], &byte, 1) != 1)
		die("comers: read");
	close(ends[0]);
	close(ends[1]);
	return child;
}

static void finish(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Looks a path up, and reads a little of what can be read; it must be there, or not. */
static void look(bool there, const char *folder, pid_t pid, const char *below)
{
	char path[4400], text[4096];
	struct stat status;

	snprintf(path, sizeof path, "%s/%d%s", folder, pid, below);
	bool found = !lstat(path, &status);

	lookups++;
	if (found && S_ISREG(status.st_mode)) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		found = fd >= 0 && read(fd, text, sizeof text) > 0;
		close(fd);
	}
	wrong += found != there;
}

static void visit(const char *mount)
{
	char name[32], folder[4224];

	snprintf(name, sizeof name, "v%ld", ++processes);
	snprintf(folder, sizeof folder, "%s/by-name/%s", mount, name);
	pid_t pid = start(name);

	look(true, mount, pid, "");
	look(true, mount, pid, "/info");
	look(true, mount, pid, "/strip");
	look(true, mount, pid, "/vma");
	long judged = wrong;

	look(true, folder, pid, "");
	wrong = judged;
	finish(pid);
	look(false, mount, pid, "/info");
}

int main(void)
{
	char line[4200], mount[4096];
	long most, seconds;

	dprintf(1, "ready\n");
	while (hear(line, sizeof line)) {
		if (sscanf(line, "begin %d", &count) == 1 && count <= MOST) {
			for (int i = 0; i < count; i++)
				pids[i] = start(NULL);
			printf("pids=");
			for (int i = 0; i < count; i++)
				printf("%s%d", i ? "," : "", pids[i]);
			puts("");
		} else if (!strcmp(line, "end")) {
			while (count)
				finish(pids[--count]);
			puts("ok");
		} else if (sscanf(line, "visit %4095s %ld %ld", mount, &most, &seconds) == 3) {
			time_t end = time(NULL) + seconds;

			lookups = wrong = 0;
			while (lookups < most && time(NULL) < end)
				visit(mount);
			printf("lookups=%ld processes=%ld wrong=%ld\n", lookups, processes, wrong);
		}
		fflush(stdout);
	}
	return 0;
}

/*
 * execing FILE: a process that execs itself with FILE open for writing and to be closed by the exec. Where FILE is of a FUSE
 * server that does not answer any more, the exec waits for it, and the process has neither its old nor its new memory to show.
 * Facts: none.
 * Commands: `exec` answers `ok` just before the exec; if that comes to its end, the process is `ready`, without FILE.
 */
#define _GNU_SOURCE
#include "target.h"
#include <fcntl.h>

int main(int argc, char **argv)
{
	char line[16], *again[] = { argv[0], NULL };

	if (argc > 1 && open(argv[1], O_RDWR | O_CLOEXEC) < 0)
		die("execing: open");
	dprintf(1, "ready\n");
	while (hear(line, sizeof line)) {
		answer(true);
		execv("/proc/self/exe", again);
		die("execing: execv");
	}
	return 0;
}

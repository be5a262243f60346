/*
 * One mapped object, held open by nothing but its mapping:
 *   holder file PATH         a shared, writable mapping of the whole file
 *   holder private PATH      a private, read-only mapping of the whole file
 *   holder shared BYTES      a shared anonymous area
 *   holder memfd NAME BYTES  a shared mapping of a memfd
 * Facts: range=START-END.
 * Commands: `read N` answers the first N bytes of the area; `write TEXT` stores TEXT at its start;
 *           `fork` starts a child with the same area, which ends with its parent, and answers `child=PID`.
 */
#define _GNU_SOURCE
#include "target.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static char *map_object(char **argv, size_t *size)
{
	int private = !strcmp(argv[1], "private"), fd = -1;
	struct stat status;

	if (!strcmp(argv[1], "shared")) {
		*size = strtoul(argv[2], NULL, 0);
		return mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	}
	if (!strcmp(argv[1], "memfd")) {
		fd = memfd_create(argv[2], MFD_CLOEXEC);
		if (fd < 0 || ftruncate(fd, strtoul(argv[3], NULL, 0)))
			die("holder: memfd");
	} else {
		fd = open(argv[2], (private ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	}
	if (fd < 0 || fstat(fd, &status))
		die("holder: open");
	*size = status.st_size;
	char *at = mmap(NULL, *size, private ? PROT_READ : PROT_READ | PROT_WRITE, private ? MAP_PRIVATE : MAP_SHARED, fd, 0);

	close(fd);
	return at;
}

static void fork_child(void)
{
	pid_t parent = getpid(), child = fork();

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (getppid() == parent)
			pause();
		_exit(0);
	}
	dprintf(1, "child=%d\n", child);
}

int main(int argc, char **argv)
{
	char line[256];
	size_t size;

	if (argc < 3 || (!strcmp(argv[1], "memfd") && argc < 4))
		return 2;
	char *at = map_object(argv, &size);

	if (at == MAP_FAILED)
		die("holder: mmap");
	dprintf(1, "ready range=%lx-%lx\n", (unsigned long)at, (unsigned long)at + ((size + PAGE - 1) & -PAGE));
	while (hear(line, sizeof line)) {
		if (!strncmp(line, "read ", 5)) {
			dprintf(1, "%.*s\n", atoi(line + 5), at);
		} else if (!strncmp(line, "write ", 6)) {
			memcpy(at, line + 6, strlen(line + 6));
			answer(true);
		} else if (!strcmp(line, "fork")) {
			fork_child();
		} else {
			errno = EINVAL;
			answer(false);
		}
	}
	return 0;
}

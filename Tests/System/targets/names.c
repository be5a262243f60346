/*
 * names NAME...: maps the first page of files with odd names, shared and read-only. Each NAME is a path in hex
 * digits, or `memfd:` and the hex digits of a memfd's name (whose page is written with zeros). The files are closed
 * again: only the mapping holds them.
 * Facts: map0=START-END map1=... in the order of the arguments, or mapN=none:ERRNO.
 * Commands: `unmap N` unmaps the N-th.
 */
#define _GNU_SOURCE
#include "target.h"
#include <fcntl.h>
#include <limits.h>

#define MOST 256

static int open_named(const char *digits, char *path)
{
	bool memory = !strncmp(digits, "memfd:", 6);
	char zeros[PAGE] = "";
	int fd;

	if (unhex(memory ? digits + 6 : digits, path, PATH_MAX) < 0) {
		errno = EINVAL;
		return -1;
	}
	if (!memory)
		return open(path, O_RDONLY | O_CLOEXEC);
	fd = memfd_create(path, MFD_CLOEXEC);
	return fd >= 0 && write(fd, zeros, PAGE) == PAGE ? fd : -1;
}

int main(int argc, char **argv)
{
	static char path[PATH_MAX];
	static char *maps[MOST];
	char line[64];
	int index;

	dprintf(1, "ready");
	for (int i = 1; i < argc && i <= MOST; i++) {
		int fd = open_named(argv[i], path);
		char *at = fd < 0 ? MAP_FAILED : mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

		if (at == MAP_FAILED) {
			dprintf(1, " map%d=none:%s", i - 1, strerrorname_np(errno));
			continue;
		}
		close(fd);
		maps[i - 1] = at;
		dprintf(1, " map%d=%lx-%lx", i - 1, (unsigned long)at, (unsigned long)at + PAGE);
	}
	dprintf(1, "\n");
	while (hear(line, sizeof line)) {
		errno = EINVAL;
		answer(sscanf(line, "unmap %d", &index) == 1 && index >= 0 && index < MOST && maps[index] &&
		       !munmap(maps[index], PAGE));
	}
	return 0;
}

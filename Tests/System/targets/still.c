/*
 * still SIZE: a process that shares no page with any other and does nothing, so that what is told of it stays the same:
 * linked statically by the test, without a vdso. It has SIZE bytes of pages touched in random order (`random`), a memfd of
 * 8 written pages (`memfd`), and 200 mappings of one page each whose protections alternate (`many`, the first one is given).
 * Facts: random=START-END memfd=START-END many=START-END. Commands: none.
 */
#define _GNU_SOURCE
#include "target.h"

static char *map(size_t bytes, int fd)
{
	/* An inaccessible page on either side keeps neighbours from merging with it. */
	char *at = mmap(NULL, bytes + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int flags = MAP_FIXED | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);

	if (at == MAP_FAILED || mmap(at + PAGE, bytes, PROT_READ | PROT_WRITE, flags, fd, 0) == MAP_FAILED ||
	    madvise(at + PAGE, bytes, MADV_NOHUGEPAGE))
		die("still: mmap");
	return at + PAGE;
}

/* The code and the clock that the kernel shares between all processes. */
static void drop_vdso(void)
{
	char line[256];
	unsigned long start, end;
	FILE *maps = fopen("/proc/self/maps", "r");

	while (maps && fgets(line, sizeof line, maps))
		if (strstr(line, "[vdso]") || strstr(line, "[vvar"))
			if (sscanf(line, "%lx-%lx", &start, &end) != 2 || munmap((void *)start, end - start))
				die("still: munmap");
	if (!maps || fclose(maps))
		die("still: maps");
}

int main(int argc, char **argv)
{
	size_t pages = argc > 1 ? strtoul(argv[1], NULL, 0) / PAGE : 0;
	int fd = memfd_create("still", MFD_CLOEXEC);
	char *at = map(pages * PAGE, -1), *memfd, *many = map(200 * PAGE, -1), line[8];

	if (fd < 0 || ftruncate(fd, 8 * PAGE))
		die("still: memfd");
	memfd = map(8 * PAGE, fd);
	for (size_t i = 0; i < 8; i++)
		memfd[i * PAGE] = 1;
	drop_vdso();
	/* Odd multiples of any step visit each page of a power of two once; what is left out is done in the end. */
	for (size_t i = 0, page = 0; i < pages; i++, page = (page * 5 + 7919) % pages)
		at[page * PAGE] = 1;
	for (size_t page = 0; page < pages; page++)
		at[page * PAGE] = 2;
	for (size_t i = 0; i < 200; i += 2) {
		many[i * PAGE] = 1;
		if (mprotect(many + i * PAGE, PAGE, PROT_READ))
			die("still: mprotect");
	}
	dprintf(1, "ready random=%lx-%lx memfd=%lx-%lx many=%lx-%lx\n", (unsigned long)at, (unsigned long)at + pages * PAGE,
		(unsigned long)memfd, (unsigned long)memfd + 8 * PAGE, (unsigned long)many, (unsigned long)many + PAGE);
	while (hear(line, sizeof line)) {
		errno = EINVAL;
		answer(false);
	}
	return 0;
}

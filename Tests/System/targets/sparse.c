/*
 * sparse SIZE PAGES [STEP [PART]]: one NORESERVE mapping of SIZE bytes with PAGES touched pages, the first at its beginning
 * and the others STEP bytes apart, by default as far as there is room. With PART, so many pages follow each other in each
 * place.
 * Facts: range=START-END pages=COUNT step=BYTES (hex). Commands: none.
 */
#define _GNU_SOURCE
#include "target.h"

int main(int argc, char **argv)
{
	size_t bytes = argc > 1 ? strtoul(argv[1], NULL, 0) & -PAGE : 0;
	size_t pages = argc > 2 ? strtoul(argv[2], NULL, 0) : 0;
	size_t step = argc > 3 ? strtoul(argv[3], NULL, 0) : pages ? bytes / pages & -PAGE : 0;
	size_t part = argc > 4 ? strtoul(argv[4], NULL, 0) : 1;
	char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), line[8];

	if (at == MAP_FAILED || madvise(at, bytes, MADV_NOHUGEPAGE))
		die("sparse: mmap");
	for (size_t i = 0; i < pages; i++)
		*(volatile size_t *)(at + i / part * step + i % part * PAGE) = i;
	dprintf(1, "ready range=%lx-%lx pages=%zu step=%lx\n", (unsigned long)at, (unsigned long)at + bytes, pages, step);
	while (hear(line, sizeof line)) {
		errno = EINVAL;
		answer(false);
	}
	return 0;
}

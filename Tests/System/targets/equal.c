/*
 * equal SIZE guard|zero|touched: SIZE bytes of 4 KiB pages that are all alike: guard pages, pages that were only read and
 * so all show the zero page (both cost page tables only), or written ones.
 * Facts: range=START-END pages=COUNT guard=yes|no (no: this kernel has no guard pages).
 * Commands: `unmap` unmaps the range; `exec` runs this program again, with one page; the answer is its `ready` line.
 */
#define _GNU_SOURCE
#include "target.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

int main(int argc, char **argv)
{
	size_t bytes = argc > 2 ? strtoul(argv[1], NULL, 0) : 0;
	char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), line[8];
	bool guard = true;

	if (at == MAP_FAILED || madvise(at, bytes, MADV_NOHUGEPAGE))
		die("equal: mmap");
	if (!strcmp(argv[2], "guard"))
		guard = !madvise(at, bytes, MADV_GUARD_INSTALL);
	else
		for (size_t i = 0; i < bytes; i += PAGE)
			if (!strcmp(argv[2], "zero"))
				(void)*(volatile char *)(at + i);
			else
				*(volatile char *)(at + i) = 1;
	dprintf(1, "ready range=%lx-%lx pages=%zu guard=%s\n", (unsigned long)at, (unsigned long)at + bytes, bytes / PAGE,
		guard ? "yes" : "no");
	while (hear(line, sizeof line)) {
		errno = EINVAL;
		if (!strcmp(line, "exec"))
			execl("/proc/self/exe", argv[0], "4096", argv[2], NULL);
		answer(!strcmp(line, "unmap") && !munmap(at, bytes));
	}
	return 0;
}

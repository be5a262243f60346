/*
 * dense SIZE [random|huge]: SIZE bytes of touched 4 KiB pages (never huge ones), in the order of addresses, or in random
 * order, so that neighbours lie in frames that are not; or of huge pages. Every page is filled with its own number.
 * Facts: range=START-END pages=COUNT. Commands: none.
 */
#define _GNU_SOURCE
#include "target.h"

int main(int argc, char **argv)
{
	size_t pages = argc > 1 ? strtoul(argv[1], NULL, 0) / PAGE : 0, *order;
	bool random_order = argc > 2 && !strcmp(argv[2], "random"), huge = argc > 2 && !strcmp(argv[2], "huge");
	char *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), line[8];

	if (at == MAP_FAILED || madvise(at, pages * PAGE, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE))
		die("dense: mmap");
	order = mmap(NULL, pages * sizeof *order, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (order == MAP_FAILED)
		die("dense: mmap");
	for (size_t i = 0; i < pages; i++) {
		size_t other = random_order ? random() % (i + 1) : i;

		order[i] = order[other];
		order[other] = i;
	}
	for (size_t i = 0; i < pages; i++)
		*(volatile size_t *)(at + order[i] * PAGE) = order[i];
	munmap(order, pages * sizeof *order);
	dprintf(1, "ready range=%lx-%lx pages=%zu\n", (unsigned long)at, (unsigned long)at + pages * PAGE, pages);
	while (hear(line, sizeof line)) {
		errno = EINVAL;
		answer(false);
	}
	return 0;
}

/*
 * mappings COUNT [file]: COUNT mappings of one page each, of no file or of a memfd, without a gap, that the kernel
 * cannot merge because their protections alternate (even ones r--p, odd ones rw-p). Every 64th odd one is written.
 * More than about 65,500 need a higher vm.max_map_count.
 * Facts: range=START-END count=COUNT. Commands: none.
 */
#define _GNU_SOURCE
#include "target.h"

int main(int argc, char **argv)
{
	size_t count = argc > 1 ? strtoul(argv[1], NULL, 0) : 0;
	/* Inaccessible borders keep the first and the last one from merging with a neighbour. */
	char *at = mmap(NULL, (count + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), line[8];
	int file = argc > 2 && !strcmp(argv[2], "file") ? memfd_create("mappings", MFD_CLOEXEC) : -1;

	if (at == MAP_FAILED)
		die("mappings: mmap");
	if (file >= 0 && (ftruncate(file, count * PAGE) ||
			  mmap(at + PAGE, count * PAGE, PROT_NONE, MAP_PRIVATE | MAP_FIXED, file, 0) == MAP_FAILED))
		die("mappings: file");
	at += PAGE;
	for (size_t i = 0; i < count; i++)
		if (mprotect(at + i * PAGE, PAGE, i & 1 ? PROT_READ | PROT_WRITE : PROT_READ))
			die("mappings: mprotect");
	for (size_t i = 1; i < count; i += 128)
		*(volatile size_t *)(at + i * PAGE) = i;
	dprintf(1, "ready range=%lx-%lx count=%zu\n", (unsigned long)at, (unsigned long)at + count * PAGE, count);
	while (hear(line, sizeof line)) {
		errno = EINVAL;
		answer(false);
	}
	return 0;
}

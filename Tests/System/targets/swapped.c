/*
 * swapped PAGES: two mappings of PAGES written 4 KiB pages: `private` (anonymous) and `shared` (shared anonymous).
 * Every page holds its own number. The machine's swap is the test's business.
 * Facts: private=START-END shared=START-END pages=COUNT.
 * Commands: `out` asks the kernel to push every page of both out (MADV_PAGEOUT; the test polls until it happened),
 *           `touch ADDRESS` reads a byte there, which brings that page back.
 */
#define _GNU_SOURCE
#include "target.h"

static char *make(size_t pages, int sharing)
{
	char *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED || madvise(at, pages * PAGE, MADV_NOHUGEPAGE))
		die("swapped: mmap");
	for (size_t i = 0; i < pages; i++)
		*(volatile size_t *)(at + i * PAGE) = i + 1;
	return at;
}

/*
 * A page that is in memory but not mapped, because an earlier attempt or a swapoff left it so, is passed over by the
 * kernel: it is mapped again first.
 */
static bool push_out(char *at, size_t bytes)
{
	unsigned char there;

	for (char *page = at; page < at + bytes; page += PAGE)
		if (!mincore(page, PAGE, &there) && there & 1)
			(void)*(volatile char *)page;
	return !madvise(at, bytes, MADV_PAGEOUT);
}

int main(int argc, char **argv)
{
	size_t pages = argc > 1 ? strtoul(argv[1], NULL, 0) : 0, bytes = pages * PAGE;
	char *private = make(pages, MAP_PRIVATE), *shared, line[64];

	/* An inaccessible page between them keeps the two apart in every kernel's order of placing. */
	if (mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		die("swapped: mmap");
	shared = make(pages, MAP_SHARED);
	dprintf(1, "ready private=%lx-%lx shared=%lx-%lx pages=%zu\n", (unsigned long)private,
		(unsigned long)private + bytes, (unsigned long)shared, (unsigned long)shared + bytes, pages);
	while (hear(line, sizeof line)) {
		char *where;

		if (!strcmp(line, "out")) {
			answer(push_out(private, bytes) && push_out(shared, bytes));
		} else if (sscanf(line, "touch %p", (void **)&where) == 1) {
			(void)*(volatile char *)where;
			answer(true);
		} else {
			errno = EINVAL;
			answer(false);
		}
	}
	return 0;
}

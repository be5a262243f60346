/*
 * zoo: one mapping of every kind, each known by its fact NAME=START-END, or NAME=none:ERRNO where this machine
 * cannot make it. No two of them touch, so each is a mapping of its own. Pages are counted from 0; a page that is
 * not mentioned is untouched.
 *
 *   forked        4 pages written, then shared with a forked child; page 0 written again (a private copy)
 *   written       8 pages, written
 *   readfault     8 pages, read: the zero page
 *   untouched     8 pages, no page table entry
 *   mixed        12 pages: 0,3,6,9 written, 1,4,7,10 read
 *   protnone      8 pages, written, then PROT_NONE
 *   lazyfree      8 pages, written, 2-5 MADV_FREE
 *   locked        8 pages, written, mlocked
 *   private_file  8 pages of a deleted file, read; 1 and 3 written (copied)
 *   shared_file   8 pages of a deleted file, read; 2 written
 *   memfd         8 pages of memfd "zoo", shared; 0-3 written, 4 read
 *   sysv          8 pages of System V shared memory; 0-3 written
 *   shared_anon   8 pages, shared; even ones written
 *   thp           2 MiB in one huge page
 *   thp_partial   2 MiB in one huge page, pages 100-115 given back
 *   hugezero      2 MiB, read: the huge zero page
 *   guard         8 pages, written; 2-4 guard pages, 7 given back
 *   uffd_wp       8 pages; 0 and 1 written, 1-4 write-protected (2-4 are markers)
 *   poison        8 pages; 0 written, 2-4 poisoned (markers)
 *   hugetlb       4 MiB of 2 MiB hugetlb pages, the first one written
 *   ksm          16 pages of equal content, MADV_MERGEABLE (merged once the machine's ksmd runs)
 *   secretmem     8 pages, 0-3 written
 *
 * Commands: `touch ADDRESS` writes a byte there.
 */
#define _GNU_SOURCE
#include "target.h"
#include "zoo_ordinary.h"
#include "zoo_special.h"

static const struct {
	const char *name;
	size_t bytes;
	bool (*make)(char *at, size_t bytes);
} exhibits[] = {
	{ "forked", 4 * PAGE, forked }, /* first: the child shares nothing of what follows */
	{ "written", 8 * PAGE, written },
	{ "readfault", 8 * PAGE, readfault },
	{ "untouched", 8 * PAGE, anonymous },
	{ "mixed", 12 * PAGE, mixed },
	{ "protnone", 8 * PAGE, protnone },
	{ "lazyfree", 8 * PAGE, lazyfree },
	{ "locked", 8 * PAGE, locked },
	{ "private_file", 8 * PAGE, private_file },
	{ "shared_file", 8 * PAGE, shared_file },
	{ "memfd", 8 * PAGE, memfd },
	{ "sysv", 8 * PAGE, sysv },
	{ "shared_anon", 8 * PAGE, shared_anon },
	{ "thp", HUGE, thp },
	{ "thp_partial", HUGE, thp_partial },
	{ "hugezero", HUGE, hugezero },
	{ "guard", 8 * PAGE, guard },
	{ "uffd_wp", 8 * PAGE, uffd_wp },
	{ "poison", 8 * PAGE, poison },
	{ "hugetlb", 2 * HUGE, hugetlb },
	{ "ksm", 16 * PAGE, ksm },
	{ "secretmem", 8 * PAGE, secretmem },
};

int main(void)
{
	char *at = (char *)0x200000000000, line[64];

	dprintf(1, "ready");
	for (size_t i = 0; i < sizeof exhibits / sizeof *exhibits; i++, at += 4 * HUGE) {
		size_t bytes = exhibits[i].bytes;

		if (exhibits[i].make(at, bytes)) {
			dprintf(1, " %s=%lx-%lx", exhibits[i].name, (unsigned long)at, (unsigned long)at + bytes);
			continue;
		}
		dprintf(1, " %s=none:%s", exhibits[i].name, strerrorname_np(errno));
		munmap(at, bytes);
	}
	dprintf(1, "\n");
	while (hear(line, sizeof line)) {
		char *where;

		if (sscanf(line, "touch %p", (void **)&where) == 1) {
			*(volatile char *)where = 't';
			answer(true);
		} else {
			errno = EINVAL;
			answer(false);
		}
	}
	return 0;
}

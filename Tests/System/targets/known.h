/*
 * Memory of a known shape, which readers and those whom they look at hold: a file, and anonymous pages of which two are
 * written, one is only read, and the rest untouched.
 */
#ifndef KNOWN_H
#define KNOWN_H

#include "identity.h"

/* A raw array of the anonymous pages takes several blocks of a file, those that are there only one. */
enum { KNOWN_PAGES = 4, ANON_PAGES = 256 };

/* The number of this process in the tree of processes that it came with. */
static inline long outer_pid(void)
{
	char text[32] = "";

	check(readlinkat(PROC_FD, "self", text, sizeof text - 1), "self");
	return atol(text);
}

/* Maps them and tells where. */
static inline void map_known(unsigned long *file, unsigned long *anon)
{
	volatile char *shown = mmap(NULL, KNOWN_PAGES * PAGE, PROT_READ, MAP_PRIVATE, KNOWN_FD, 0);
	/* With a page between it and its neighbours, with which it would merge. */
	volatile char *own = mmap(NULL, (ANON_PAGES + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (shown == MAP_FAILED || own == MAP_FAILED)
		die("mmap");
	own += PAGE;
	check(mprotect((void *)own, ANON_PAGES * PAGE, PROT_READ | PROT_WRITE), "mprotect");
	for (int page = 0; page < KNOWN_PAGES; page++)
		(void)shown[page * PAGE];
	own[0] = own[PAGE] = 1;
	(void)own[2 * PAGE];
	*file = (unsigned long)shown;
	*anon = (unsigned long)own;
}

#endif

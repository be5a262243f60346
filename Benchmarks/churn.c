/*
 * churn SIZE: SIZE bytes of touched 4 KiB pages, and a thread that maps and unmaps one page again and again, as an
 * allocator does; each call needs the lock that readers of page tables hold.
 * Facts: range=START-END. Commands: `report`: mean and worst time of a pair of calls since the last report, in ns.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include "target.h"

static atomic_ulong pairs, total, worst;

static unsigned long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000UL + time.tv_nsec;
}

static void *churn(void *unused)
{
	for (;;) {
		unsigned long start = now(), took;
		void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (page == MAP_FAILED || munmap(page, PAGE))
			die("churn: mmap");
		took = now() - start;
		pairs++;
		total += took;
		if (took > worst)
			worst = took;
	}
	return unused;
}

int main(int argc, char **argv)
{
	size_t bytes = argc > 1 ? strtoul(argv[1], NULL, 0) : 0;
	char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), line[8];
	pthread_t thread;

	if (at == MAP_FAILED || madvise(at, bytes, MADV_NOHUGEPAGE))
		die("churn: mmap");
	for (size_t i = 0; i < bytes; i += PAGE)
		*(volatile char *)(at + i) = 1;
	if (pthread_create(&thread, NULL, churn, NULL))
		die("churn: thread");
	dprintf(1, "ready range=%lx-%lx\n", (unsigned long)at, (unsigned long)at + bytes);
	while (hear(line, sizeof line)) {
		unsigned long count = atomic_exchange(&pairs, 0), sum = atomic_exchange(&total, 0);

		dprintf(1, "%lu %lu\n", count ? sum / count : 0, atomic_exchange(&worst, 0));
	}
	return 0;
}

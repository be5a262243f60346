/*
 * The exhibits of the zoo that need something of the kernel or of the machine: huge pages, guard pages, the markers of
 * userfaultfd, hugetlb pages, KSM. Each function is as those of zoo_ordinary.h.
 */
#ifndef ZOO_SPECIAL_H
#define ZOO_SPECIAL_H

#include "zoo_ordinary.h"
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>

/* Newer than the headers of the oldest system that builds this. */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#define FEATURE_WP_UNPOPULATED (1ULL << 13)
#define FEATURE_POISON (1ULL << 14)

struct poison {
	struct uffdio_range range;
	unsigned long long mode;
	long long updated;
};

/* MADV_COLLAPSE succeeds at once on what is a huge page already, and makes one where the fault could not. */
static bool thp(char *at, size_t bytes)
{
	if (!anonymous(at, bytes) || madvise(at, bytes, MADV_HUGEPAGE))
		return false;
	fill(at, 0, 1, 1);
	return !madvise(at, bytes, MADV_COLLAPSE);
}

static bool thp_partial(char *at, size_t bytes)
{
	return thp(at, bytes) && !madvise(at + 100 * PAGE, 16 * PAGE, MADV_DONTNEED);
}

static bool hugezero(char *at, size_t bytes)
{
	if (!anonymous(at, bytes) || madvise(at, bytes, MADV_HUGEPAGE))
		return false;
	look(at, 0, 1, 1);
	return true;
}

static bool guard(char *at, size_t bytes)
{
	return written(at, bytes) && !madvise(at + 2 * PAGE, 3 * PAGE, MADV_GUARD_INSTALL) &&
	       !madvise(at + 7 * PAGE, PAGE, MADV_DONTNEED);
}

/* A userfaultfd that watches the mapping; it stays open, since closing it would undo its work. */
static int watch(char *at, size_t bytes, int mode, unsigned long long feature)
{
	struct uffdio_api api = { .api = UFFD_API, .features = feature };
	struct uffdio_register area = { { (unsigned long)at, bytes }, mode, 0 };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &area))
		return -1;
	return fd;
}

static bool uffd_wp(char *at, size_t bytes)
{
	struct uffdio_writeprotect protect = { { (unsigned long)at + PAGE, 4 * PAGE }, UFFDIO_WRITEPROTECT_MODE_WP };
	int fd;

	if (!anonymous(at, bytes))
		return false;
	fill(at, 0, 2, 1);
	fd = watch(at, bytes, UFFDIO_REGISTER_MODE_WP, FEATURE_WP_UNPOPULATED);
	return fd >= 0 && !ioctl(fd, UFFDIO_WRITEPROTECT, &protect);
}

static bool poison(char *at, size_t bytes)
{
	struct poison poison = { { (unsigned long)at + 2 * PAGE, 3 * PAGE }, 0, 0 };
	int fd;

	if (!anonymous(at, bytes))
		return false;
	fill(at, 0, 1, 1);
	fd = watch(at, bytes, UFFDIO_REGISTER_MODE_MISSING, FEATURE_POISON);
	return fd >= 0 && !ioctl(fd, _IOWR(UFFDIO, 0x08, struct poison), &poison);
}

static bool hugetlb(char *at, size_t bytes)
{
	if (!map_at(at, bytes, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1))
		return false;
	fill(at, 0, 1, 1);
	return true;
}

/* Equal to each other, but not to any other process's pages. */
static bool ksm(char *at, size_t bytes)
{
	if (!anonymous(at, bytes))
		return false;
	for (size_t word = 0; word < bytes / sizeof(int); word++)
		((int *)at)[word] = getpid();
	return !madvise(at, bytes, MADV_MERGEABLE);
}

#endif

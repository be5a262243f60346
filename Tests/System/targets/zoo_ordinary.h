/*
 * The ordinary exhibits of the zoo: private and shared memory, files and shared memory objects. Each function maps
 * `bytes` at the address it is given and says whether that worked, else errno tells why.
 */
#ifndef ZOO_ORDINARY_H
#define ZOO_ORDINARY_H

#include "target.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#define RW (PROT_READ | PROT_WRITE)

static bool map_at(char *at, size_t bytes, int flags, int fd)
{
	return mmap(at, bytes, RW, flags | MAP_FIXED_NOREPLACE, fd, 0) == at;
}

static bool anonymous(char *at, size_t bytes)
{
	return map_at(at, bytes, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void fill(char *at, size_t first, size_t end, size_t step)
{
	for (size_t page = first; page < end; page += step)
		*(volatile char *)(at + page * PAGE) = 'z';
}

static void look(char *at, size_t first, size_t end, size_t step)
{
	for (size_t page = first; page < end; page += step)
		(void)*(volatile char *)(at + page * PAGE);
}

static bool written(char *at, size_t bytes)
{
	if (!anonymous(at, bytes))
		return false;
	fill(at, 0, bytes / PAGE, 1);
	return true;
}

static bool forked(char *at, size_t bytes)
{
	pid_t parent = getpid(), child;

	if (!written(at, bytes) || (child = fork()) < 0)
		return false;
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (getppid() == parent)
			pause();
		_exit(0);
	}
	fill(at, 0, 1, 1);
	return true;
}

static bool readfault(char *at, size_t bytes)
{
	if (!anonymous(at, bytes))
		return false;
	look(at, 0, bytes / PAGE, 1);
	return true;
}

static bool mixed(char *at, size_t bytes)
{
	if (!anonymous(at, bytes))
		return false;
	fill(at, 0, bytes / PAGE, 3);
	look(at, 1, bytes / PAGE, 3);
	return true;
}

static bool protnone(char *at, size_t bytes)
{
	return written(at, bytes) && !mprotect(at, bytes, PROT_NONE);
}

static bool lazyfree(char *at, size_t bytes)
{
	return written(at, bytes) && !madvise(at + 2 * PAGE, 4 * PAGE, MADV_FREE);
}

static bool locked(char *at, size_t bytes)
{
	return written(at, bytes) && !mlock(at, bytes);
}

/* A file of `bytes`, on disk and clean, without a name any more. */
static int nameless(size_t bytes)
{
	char name[] = "/tmp/zoo-XXXXXX", page[PAGE];
	int fd = mkstemp(name);

	if (fd < 0)
		return -1;
	unlink(name);
	memset(page, 'f', sizeof page);
	for (size_t done = 0; done < bytes; done += PAGE)
		if (write(fd, page, PAGE) != PAGE)
			return -1;
	return fsync(fd) ? -1 : fd;
}

static bool file(char *at, size_t bytes, int sharing)
{
	int fd = nameless(bytes);

	if (fd < 0 || !map_at(at, bytes, sharing, fd))
		return false;
	look(at, 0, bytes / PAGE, 1);
	return !close(fd);
}

static bool private_file(char *at, size_t bytes)
{
	if (!file(at, bytes, MAP_PRIVATE))
		return false;
	fill(at, 1, 4, 2);
	return true;
}

static bool shared_file(char *at, size_t bytes)
{
	if (!file(at, bytes, MAP_SHARED))
		return false;
	fill(at, 2, 3, 1);
	return true;
}

static bool object(char *at, size_t bytes, int fd)
{
	if (fd < 0 || ftruncate(fd, bytes) || !map_at(at, bytes, MAP_SHARED, fd))
		return false;
	fill(at, 0, 4, 1);
	return !close(fd);
}

static bool memfd(char *at, size_t bytes)
{
	if (!object(at, bytes, memfd_create("zoo", MFD_CLOEXEC)))
		return false;
	look(at, 4, 5, 1);
	return true;
}

static bool secretmem(char *at, size_t bytes)
{
	return object(at, bytes, syscall(SYS_memfd_secret, 0));
}

static bool sysv(char *at, size_t bytes)
{
	int id = shmget(IPC_PRIVATE, bytes, IPC_CREAT | 0600);
	bool attached = id >= 0 && shmat(id, at, 0) == at;

	if (id >= 0)
		shmctl(id, IPC_RMID, NULL);
	if (attached)
		fill(at, 0, 4, 1);
	return attached;
}

static bool shared_anon(char *at, size_t bytes)
{
	if (!map_at(at, bytes, MAP_SHARED | MAP_ANONYMOUS, -1))
		return false;
	fill(at, 0, bytes / PAGE, 2);
	return true;
}

#endif

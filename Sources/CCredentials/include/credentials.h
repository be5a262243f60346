/* Doing one system call as somebody else, and giving up what is not needed for it. */
#ifndef PAGEFS_CREDENTIALS_H
#define PAGEFS_CREDENTIALS_H

#include <stdint.h>
#include <sys/syscall.h>

/* What the kernel is to take the calling thread for; see credentials(7). */
struct credentials {
	uint32_t effective_user, file_user, file_group;
	uint64_t capabilities;		/* effective */
	const uint32_t *groups;		/* NULL: none are set */
	uint32_t group_count;
};

/* The calls that are made so. */
enum {
	CALL_OPENAT = SYS_openat,
	CALL_READLINKAT = SYS_readlinkat,
	CALL_FSTATAT = SYS_newfstatat,
	CALL_GETDENTS = SYS_getdents64,
};

/*
 * Makes a system call as `who`, or as this process itself where that is NULL; returns its result or minus errno.
 * The process must be root with the capabilities SETUID and SETGID. Only the calling thread is changed. A thread that
 * cannot be changed back must not go on: the process is aborted.
 */
long call_as(const struct credentials *who, long number, long a, long b, long c, long d);

/*
 * Gives up for good what serving does not need, before there are threads: capabilities but those of the set,
 * groups, being dumpable, gaining privileges by exec, and system calls that are not on the list in confine.c.
 * 0, or -1 with errno.
 */
int confine(uint64_t capabilities);

/* Makes the process's files in /proc root's and keeps others of the same user from tracing it. 0, or -1 with errno. */
int hide(void);

/* Permitted capabilities of the calling thread. */
uint64_t permitted_capabilities(void);

/* Whether this kernel can confine processes by Landlock. */
int has_landlock(void);

#endif

/* One system call with another user's credentials, and dropping the rights that serving does not need. */
#ifndef PAGEFS_CREDENTIALS_H
#define PAGEFS_CREDENTIALS_H

#include <stdint.h>
#include <sys/syscall.h>

/* The credentials for one system call; see credentials(7). */
struct credentials {
	uint32_t effective_user, file_user, file_group;
	uint64_t capabilities;		/* effective */
	const uint32_t *groups;		/* NULL: groups are not changed */
	uint32_t group_count;
};

/* The system calls that are made with other credentials. */
enum {
	CALL_OPENAT = SYS_openat,
	CALL_READLINKAT = SYS_readlinkat,
	CALL_FSTATAT = SYS_newfstatat,
	CALL_GETDENTS = SYS_getdents64,
};

/*
  * Makes a system call with the credentials `who`, or with those of this process if `who` is NULL. Returns its result, or
  * minus errno. The process must be root with CAP_SETUID and CAP_SETGID. Only the calling thread is switched. If it cannot
  * switch back, the process is aborted.
 */
long call_as(const struct credentials *who, long number, long a, long b, long c, long d);

/*
  * Drops for good what serving does not need: capabilities that are not in the set, supplementary groups, being dumpable,
  * new privileges by exec, and system calls that are not listed in confine.c. To be called before there are threads.
  * Returns 0, or -1 with errno.
 */
int confine(uint64_t capabilities);

/*
 * Makes root the owner of this process's files in /proc, and keeps other processes of the same user from tracing it.
 * Returns 0, or -1 with errno.
 */
int hide(void);

/* Permitted capabilities of the calling thread; 0 if they cannot be read. */
uint64_t permitted_capabilities(void);

/* Whether this kernel has, or may have, Landlock. */
int has_landlock(void);

#endif

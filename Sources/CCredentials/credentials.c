/*
  * The only place where a thread takes on the rights of a reader.
 *
  * glibc's setresuid() and similar functions change all threads of a process; the system calls behind them change one.
  * Real and saved user stay 0, so the reader may not signal or trace the thread, and the thread can always switch back.
  * While it is switched it makes one system call and nothing else: no allocation, no logging, no lock.
 */
#include "credentials.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <unistd.h>

enum { UNCHANGED = -1 };

uint64_t permitted_capabilities(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };

	return syscall(SYS_capget, &header, data) ? 0 : data[0].permitted | (uint64_t)data[1].permitted << 32;
}

static long set_effective(uint64_t effective, uint64_t permitted)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = effective, .permitted = permitted },
		{ .effective = effective >> 32, .permitted = permitted >> 32 },
	};

	return syscall(SYS_capset, &header, data);
}

static long become(const struct credentials *who, uint64_t permitted)
{
	if (who->groups && syscall(SYS_setgroups, who->group_count, who->groups))
		return -1;
	if (who->file_group && syscall(SYS_setresgid, UNCHANGED, who->file_group, UNCHANGED))
		return -1;
	/* Leaving user 0 clears the effective capabilities; returning to it sets them to the permitted ones. */
	if (who->effective_user && syscall(SYS_setresuid, UNCHANGED, who->effective_user, UNCHANGED))
		return -1;
	if (who->file_user != who->effective_user) {
		if (set_effective(1ULL << CAP_SETUID, permitted))
			return -1;
		syscall(SYS_setfsuid, who->file_user);
		if (syscall(SYS_setfsuid, -1) != who->file_user) {
			errno = EPERM;
			return -1;
		}
	}
	if (who->effective_user && who->file_user == who->effective_user && !(who->capabilities & permitted))
		return 0;
	return set_effective(who->capabilities & permitted, permitted);
}

static void go_back(const struct credentials *who, uint64_t permitted)
{
	if ((!who->effective_user && set_effective(permitted, permitted)) ||
	    syscall(SYS_setresuid, UNCHANGED, 0, UNCHANGED) || syscall(SYS_setresgid, UNCHANGED, 0, UNCHANGED) || (who->groups && syscall(SYS_setgroups, 0, NULL)))
		abort();
}

long call_as(const struct credentials *who, long number, long a, long b, long c, long d)
{
	uint64_t permitted = who ? permitted_capabilities() : 0;
	long result = who ? become(who, permitted) : 0;

	if (result == 0)
		result = syscall(number, a, b, c, d);
	if (result < 0)
		result = -errno;
	if (who)
		go_back(who, permitted);
	return result;
}

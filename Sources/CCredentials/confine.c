/* Drops the rights that the daemon does not need while it serves requests. */
#include "credentials.h"

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "add the AUDIT_ARCH of this processor"
#endif

/* The system calls of the daemon while it serves: its own, and those of libc, libfuse and the Swift runtime. */
static const unsigned short allowed[] = {
	/* FUSE requests and files of /proc. */
	SYS_read, SYS_readv, SYS_pread64, SYS_write, SYS_writev, SYS_openat, SYS_close, SYS_fstat, SYS_newfstatat,
	SYS_statx, SYS_statfs, SYS_fstatfs, SYS_lseek, SYS_getdents64, SYS_readlinkat, SYS_ioctl, SYS_ppoll, SYS_fcntl,
	SYS_dup, SYS_pidfd_open, 437 /* SYS_openat2 */, SYS_umount2, SYS_faccessat,
	/* Acting as a reader. */
	SYS_setresuid, SYS_setresgid, SYS_setfsuid, SYS_setgroups, SYS_capset, SYS_capget,
	/* Memory and threads. */
	SYS_brk, SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_madvise, SYS_futex, SYS_clone, SYS_clone3, SYS_exit,
	SYS_exit_group, SYS_set_robust_list, SYS_rseq, SYS_sched_yield, SYS_sched_getaffinity, SYS_membarrier,
	SYS_gettid, SYS_getpid, SYS_prctl, SYS_prlimit64, SYS_sysinfo,
	/* Signals, time, random numbers. */
	SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_rt_sigreturn, SYS_rt_sigtimedwait, SYS_sigaltstack, SYS_tgkill,
	SYS_restart_syscall, SYS_nanosleep, SYS_clock_nanosleep, SYS_clock_gettime, SYS_gettimeofday, SYS_getrusage,
	SYS_getrandom, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid,
	/* syslog(3). */
	SYS_socket, SYS_connect, SYS_sendto, SYS_sendmsg,
#ifdef SYS_poll
	SYS_poll, SYS_open, SYS_stat, SYS_lstat, SYS_access, SYS_readlink,
#endif
};

enum { COUNT = sizeof allowed / sizeof *allowed };
_Static_assert(COUNT < 256, "a jump of the filter has 8 bits");

static int filter_calls(void)
{
	static struct sock_filter code[COUNT + 6];
	struct sock_fprog program = { .filter = code };
	struct sock_filter *next = code;

	*next++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	*next++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
	*next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	*next++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (int i = 0; i < COUNT; i++)
		*next++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i], COUNT - i, 0);
	/* EPERM, not a kill: libc may try other calls on rare paths and do without them. That must not end the mount. */
	*next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	*next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = next - code;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) ? -1 : 0;
}

static int drop_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = keep, .permitted = keep }, { .effective = keep >> 32, .permitted = keep >> 32 },
	};

	/* EPERM means that CAP_SETPCAP is missing, as under systemd: then the bounding set was reduced before the start. */
	for (int number = 0; prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; number++)
		if (!(keep >> number & 1) && prctl(PR_CAPBSET_DROP, number, 0, 0, 0) && errno != EPERM)
			return -1;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
		return -1;
	return syscall(SYS_capset, &header, data) ? -1 : 0;
}

int hide(void)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int confine(uint64_t capabilities)
{
	if ((getgroups(0, NULL) > 0 && setgroups(0, NULL)) || drop_capabilities(capabilities & permitted_capabilities()) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return filter_calls() || hide() ? -1 : 0;
}

int has_landlock(void)
{
	long version = syscall(444 /* landlock_create_ruleset */, NULL, 0, 1 /* LANDLOCK_CREATE_RULESET_VERSION */);

	/* If this process is not allowed to ask, assume that there is Landlock. */
	return version > 0 || (version < 0 && errno != ENOSYS && errno != EOPNOTSUPP);
}

/*
 * Taking on an identity, step by step as the command line says.
 * Steps, in any order and number:
 *   roots=PROC:MOUNT     the two trees that requests are about; they stay within reach in a chroot
 *   known=FILE           the file that is mapped in the end (known.h)
 *   uid=N uid=R,E,S gid=N gid=R,E,S groups=A,B fsuid=N
 *   keepcaps caps=HEX    the mask becomes the permitted and effective set; caps=~HEX leaves these out
 *   dumpable=N nnp landlock
 *   userns=IN:OUT        a new user namespace, mapped by itself; rootns=IN:OUT:COUNT: mapped by a parent outside it
 *   pidns mntns chroot=DIR
 *   exec=PROGRAM         goes on with the steps that follow in another program
 *   thread               goes on in a thread, to which all that follows is confined
 *   name=NAME            of the thread
 * All are raw system calls, which concern the calling thread alone, and nothing here allocates.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#define _GNU_SOURCE
#include "target.h"
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { PROC_FD = 100, MOUNT_FD = 101, KNOWN_FD = 102 };

static inline void check(long result, const char *step)
{
	if (result < 0)
		die(step);
}

static inline void keep_open(const char *path, int flags, int number)
{
	int fd = open(path, flags);

	check(fd, path);
	check(dup2(fd, number), path);
	close(fd);
}

/* One id for all three, or the real, effective and saved one. */
static inline void take_ids(int call, const char *value, const char *step)
{
	unsigned real, effective, saved;

	if (sscanf(value, "%u,%u,%u", &real, &effective, &saved) != 3)
		real = effective = saved = strtoul(value, NULL, 10);
	check(syscall(call, real, effective, saved), step);
}

static inline void take_groups(char *value)
{
	gid_t groups[16];
	int count = 0;

	for (char *word = strtok(value, ","); word && count < 16; word = strtok(NULL, ","))
		groups[count++] = strtoul(word, NULL, 10);
	check(syscall(SYS_setgroups, count, groups), "groups");
}

static inline void take_capabilities(const char *value)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	uint64_t mask = strtoull(*value == '~' ? value + 1 : value, NULL, 16);

	check(syscall(SYS_capget, &header, data), "capget");
	for (int half = 0; half < 2; half++) {
		uint32_t word = mask >> (32 * half);

		if (*value == '~')
			word = data[half].permitted & ~word;
		data[half] = (struct __user_cap_data_struct){ .permitted = word, .effective = word };
	}
	check(syscall(SYS_capset, &header, data), "caps");
}

/* A Landlock domain whose rules forbid nothing that a reader does; what it confines is ptrace. */
static inline void enter_landlock(void)
{
	struct landlock_ruleset_attr rules = { .handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_BLOCK };
	int fd = syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);

	check(fd, "landlock");
	check(syscall(SYS_landlock_restrict_self, fd, 0), "landlock");
	close(fd);
}

static inline void write_file(pid_t pid, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	int fd = open(path, O_WRONLY);

	check(fd, path);
	check(write(fd, text, strlen(text)), path);
	close(fd);
}

static inline void enter_user_namespace(const char *value, bool by_parent)
{
	unsigned inside, outside, count = 1;
	char map[64];
	int go[2], status;
	pid_t self = getpid(), helper;

	sscanf(value, "%u:%u:%u", &inside, &outside, &count);
	snprintf(map, sizeof map, "%u %u %u", inside, outside, count);
	check(pipe(go), "userns");
	helper = by_parent ? fork() : -1;
	if (!helper) {
		close(go[1]);
		if (read(go[0], map + sizeof map - 1, 1) == 1) {
			write_file(self, "uid_map", map);
			write_file(self, "gid_map", map);
		}
		_exit(0);
	}
	check(unshare(CLONE_NEWUSER), "userns");
	if (by_parent) {
		check(write(go[1], "", 1), "userns");
		if (waitpid(helper, &status, 0) != helper || status)
			die("rootns");
	} else {
		write_file(self, "setgroups", "deny");
		write_file(self, "uid_map", map);
		write_file(self, "gid_map", map);
	}
	close(go[0]);
	close(go[1]);
}

/* Goes on as the first process of the namespace, which ends with this one. */
static inline void enter_pid_namespace(void)
{
	int status;

	check(unshare(CLONE_NEWPID), "pidns");
	pid_t child = fork();

	check(child, "pidns");
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		return;
	}
	close(0);
	waitpid(child, &status, 0);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static void run_steps(char **steps);

static inline void *continue_in_thread(void *steps)
{
	run_steps(steps);
	_exit(0);
}

static inline void start_thread(char **steps)
{
	pthread_t thread;

	if ((errno = pthread_create(&thread, NULL, continue_in_thread, steps)))
		die("thread");
	pthread_join(thread, NULL);
}

/* What comes after the last step. */
static void serve(void);

static void run_steps(char **steps)
{
	for (; *steps; steps++) {
		char *value = strchr(*steps, '=');
		size_t length = value ? (size_t)(value++ - *steps) : strlen(*steps);

#define STEP(word) (length == sizeof word - 1 && !strncmp(*steps, word, length))
		if (STEP("roots")) {
			char *mount = strchr(value, ':');

			*mount++ = 0;
			keep_open(value, O_PATH, PROC_FD);
			keep_open(mount, O_PATH, MOUNT_FD);
		} else if (STEP("known")) {
			keep_open(value, O_RDONLY, KNOWN_FD);
		} else if (STEP("uid")) {
			take_ids(SYS_setresuid, value, *steps);
		} else if (STEP("gid")) {
			take_ids(SYS_setresgid, value, *steps);
		} else if (STEP("groups")) {
			take_groups(value);
		} else if (STEP("fsuid")) {
			syscall(SYS_setfsuid, atoi(value));
		} else if (STEP("keepcaps")) {
			check(prctl(PR_SET_KEEPCAPS, 1), *steps);
		} else if (STEP("caps")) {
			take_capabilities(value);
		} else if (STEP("dumpable")) {
			check(prctl(PR_SET_DUMPABLE, atoi(value)), *steps);
		} else if (STEP("nnp")) {
			check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), *steps);
		} else if (STEP("landlock")) {
			enter_landlock();
		} else if (STEP("userns") || STEP("rootns")) {
			enter_user_namespace(value, **steps == 'r');
		} else if (STEP("pidns")) {
			enter_pid_namespace();
		} else if (STEP("mntns")) {
			check(unshare(CLONE_NEWNS), *steps);
		} else if (STEP("chroot")) {
			check(chroot(value), *steps);
			check(chdir("/"), *steps);
		} else if (STEP("exec")) {
			*steps = value;
			check(execv(value, steps), value);
		} else if (STEP("thread")) {
			return start_thread(steps + 1);
		} else if (STEP("name")) {
			prctl(PR_SET_NAME, value);
		} else {
			errno = EINVAL;
			die(*steps);
		}
#undef STEP
	}
	serve();
}

#endif

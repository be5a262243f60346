/* Kernel interfaces that Swift cannot call through Glibc, since they are variadic, macros, or not in glibc. */
#ifndef PAGEFS_CLINUX_H
#define PAGEFS_CLINUX_H

#include <linux/types.h>
#include <linux/stat.h>
#include <fcntl.h>
#include <malloc.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* PAGEMAP_SCAN of <linux/fs.h> since 6.7; Debian 12's headers are older. */
struct linux_scan_region {
    __u64 start, end, categories;
};

struct linux_scan {
    __u64 size, flags, start, end, walk_end, vec, vec_len, max_pages;
    __u64 category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define LINUX_PAGEMAP_SCAN _IOWR('f', 16, struct linux_scan)

static inline long linux_pagemap_scan(int fd, struct linux_scan *scan)
{
    return ioctl(fd, LINUX_PAGEMAP_SCAN, scan);
}

/* PROCMAP_QUERY of <linux/fs.h> since 6.11. */
struct linux_vma_query {
    __u64 size, query_flags, query_addr, vma_start, vma_end, vma_flags, vma_page_size, vma_offset, inode;
    __u32 dev_major, dev_minor, vma_name_size, build_id_size;
    __u64 vma_name_addr, build_id_addr;
};

#define LINUX_PROCMAP_QUERY _IOWR('f', 17, struct linux_vma_query)

static inline int linux_vma_query(int fd, struct linux_vma_query *query)
{
    return ioctl(fd, LINUX_PROCMAP_QUERY, query);
}

static inline int linux_pidfd_open(int pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* Opens a path below a directory with O_PATH; fails if there is a link on the way. See openat2(2). */
static inline int linux_open_without_links(int directory, const char *path)
{
    struct { __u64 flags, mode, resolve; } how = {
        O_CLOEXEC | 010000000 /* O_PATH */ | O_NOFOLLOW, 0, 0x4 | 0x8 /* RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH */,
    };
    return (int)syscall(437 /* SYS_openat2 */, directory, path, &how, sizeof how);
}

static inline int linux_memfd(const char *name, unsigned int flags)
{
    return (int)syscall(SYS_memfd_create, name, flags | 1 /* MFD_CLOEXEC */);
}

static inline int linux_memfd_secret(void)
{
    return (int)syscall(447 /* SYS_memfd_secret */, O_CLOEXEC);
}

static inline unsigned int linux_major(unsigned long long device)
{
    return major(device);
}

static inline unsigned int linux_minor(unsigned long long device)
{
    return minor(device);
}

static inline int linux_gettid(void)
{
    return (int)syscall(SYS_gettid);
}

/* How often the calling thread has slept to wait for something (voluntary context switches). */
static inline long linux_thread_waits(void)
{
    struct rusage usage;
    return getrusage(1 /* RUSAGE_THREAD */, &usage) == 0 ? usage.ru_nvcsw : 0;
}

/* Device and inode as by fstatat(), without asking a server, which may never answer. Returns 0, or -1 with errno. */
static inline int linux_stat_at_hand(int fd, const char *path, unsigned long long *device, unsigned long long *inode)
{
    struct statx status;

    if (syscall(SYS_statx, fd, path, 0x4000 /* AT_STATX_DONT_SYNC */ | 0x800 /* AT_NO_AUTOMOUNT */, STATX_INO, &status))
        return -1;
    *device = (unsigned long long)status.stx_dev_major << 32 | status.stx_dev_minor;
    *inode = status.stx_ino;
    return 0;
}

/* Type number of the filesystem of an open file, or -1. */
static inline long linux_fs_type(int fd)
{
    struct statfs s;
    return fstatfs(fd, &s) == 0 ? (long)s.f_type : -1;
}

/* GNU extensions of glibc, which are hidden without _GNU_SOURCE. */
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *, const char *);
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);

static inline int linux_pipe(int ends[2])
{
    return (int)syscall(SYS_pipe2, ends, O_CLOEXEC);
}

/* Keep freed buffers for reuse, instead of returning their pages and faulting them in again. Use a single arena:
 * malloc_trim returns the free end of the first one only, so any other could keep up to the trim threshold for ever. */
static inline void linux_tune_malloc(void)
{
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
    mallopt(M_ARENA_MAX, 1);
}

/* Return freed pages to the kernel, from the middle of the arena too. */
static inline void linux_return_free_memory(void)
{
    malloc_trim(0);
}

/* Name the calling thread. ps and top show the name of the main thread. */
static inline int linux_set_name(const char *name)
{
    return prctl(PR_SET_NAME, name, 0, 0, 0);
}

#endif

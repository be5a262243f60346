/*
 * personality UID SUBMITTER: an io_uring whose requests are made under credentials that are not the caller's. Started by
 * root, it registers those of a process of UID, becomes SUBMITTER for good, and submits under the registered ones.
 * Facts: none; `ready none=ERRNO` where this machine has no io_uring.
 * Commands: `plain PATH`, `async PATH` (by a worker thread) and `polled PATH` (by the kernel's polling thread) open a file
 *           and read its beginning; the answer is `shown FIRST-LINE` or the errno. `own PATH` opens it without io_uring.
 */
#define _GNU_SOURCE
#include "target.h"
#include <fcntl.h>
#include <grp.h>
#include <linux/io_uring.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

struct ring {
	int fd;
	bool polled;
	unsigned *tail, *mask, *array, *flags, *done_head, *done_tail;
	struct io_uring_sqe *requests;
	struct io_uring_cqe *answers;
	unsigned answers_mask;
};

static void *part(int fd, size_t size, unsigned long what)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what);

	if (at == MAP_FAILED)
		die("personality: mmap");
	return at;
}

static bool set_up(struct ring *ring, bool polled)
{
	struct io_uring_params params = { .flags = polled ? IORING_SETUP_SQPOLL : 0, .sq_thread_idle = 100 };
	char *at, *done;

	ring->fd = syscall(SYS_io_uring_setup, 4, &params);
	if (ring->fd < 0)
		return false;
	ring->polled = polled;
	at = part(ring->fd, params.sq_off.array + params.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
	done = part(ring->fd, params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe), IORING_OFF_CQ_RING);
	ring->tail = (unsigned *)(at + params.sq_off.tail);
	ring->mask = (unsigned *)(at + params.sq_off.ring_mask);
	ring->array = (unsigned *)(at + params.sq_off.array);
	ring->flags = (unsigned *)(at + params.sq_off.flags);
	ring->done_head = (unsigned *)(done + params.cq_off.head);
	ring->done_tail = (unsigned *)(done + params.cq_off.tail);
	ring->answers = (struct io_uring_cqe *)(done + params.cq_off.cqes);
	ring->answers_mask = *(unsigned *)(done + params.cq_off.ring_mask);
	ring->requests = part(ring->fd, params.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
	return true;
}

/* The result of one request, waited for. */
static int submit(struct ring *ring, const struct io_uring_sqe *request)
{
	unsigned tail = *ring->tail, slot = tail & *ring->mask, flags = IORING_ENTER_GETEVENTS;
	int result;

	ring->requests[slot] = *request;
	ring->array[slot] = slot;
	__atomic_store_n(ring->tail, tail + 1, __ATOMIC_SEQ_CST);
	if (ring->polled && __atomic_load_n(ring->flags, __ATOMIC_SEQ_CST) & IORING_SQ_NEED_WAKEUP)
		flags |= IORING_ENTER_SQ_WAKEUP;
	while (*ring->done_head == __atomic_load_n(ring->done_tail, __ATOMIC_ACQUIRE)) {
		if (syscall(SYS_io_uring_enter, ring->fd, ring->polled ? 0 : 1, 1, flags, NULL, 0) < 0 && errno != EINTR)
			die("personality: io_uring_enter");
	}
	result = ring->answers[*ring->done_head & ring->answers_mask].res;
	__atomic_store_n(ring->done_head, *ring->done_head + 1, __ATOMIC_RELEASE);
	return result;
}

static void become(unsigned uid)
{
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		die("personality: setresuid");
}

/* Registers the credentials of a process that is of UID in every respect; returns their number. */
static int credentials(struct ring *ring, unsigned uid)
{
	int status;
	pid_t child = fork();

	if (!child) {
		become(uid);
		int id = syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_PERSONALITY, NULL, 0);

		_exit(id < 0 ? 0 : id);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || !WEXITSTATUS(status))
		return -1;
	return WEXITSTATUS(status);
}

static void report(int fd)
{
	static char text[4096];
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (got < 0) {
		errno = fd < 0 ? -fd : errno;
		answer(false);
	} else {
		text[got] = 0;
		dprintf(1, "shown %.*s\n", (int)strcspn(text, "\n"), text);
	}
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	char line[4200], *path;
	struct ring rings[2];
	int ids[2];

	if (argc != 3)
		return 2;
	for (int polled = 0; polled < 2; polled++) {
		if (!set_up(&rings[polled], polled) || (ids[polled] = credentials(&rings[polled], atoi(argv[1]))) < 0) {
			dprintf(1, "ready none=%s\n", strerrorname_np(errno));
			return 0;
		}
	}
	if (atoi(argv[2]))
		become(atoi(argv[2]));
	prctl(PR_SET_DUMPABLE, 1);
	dprintf(1, "ready\n");
	while (hear(line, sizeof line) && (path = strchr(line, ' '))) {
		bool polled = !strncmp(line, "polled", 6);
		struct io_uring_sqe request = {
			.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (unsigned long)(path + 1), .open_flags = O_RDONLY,
			.personality = ids[polled], .flags = !strncmp(line, "async", 5) ? IOSQE_ASYNC : 0,
		};

		if (!strncmp(line, "own ", 4)) {
			int fd = open(path + 1, O_RDONLY);

			report(fd < 0 ? -errno : fd);
		} else {
			report(submit(&rings[polled], &request));
		}
	}
	return 0;
}

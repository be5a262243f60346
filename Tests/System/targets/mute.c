/*
 * mute FOLDER BYTES SECONDS: a FUSE server, without a library. It mounts FOLDER, which has one file, `file`, of BYTES bytes,
 * all of them `m`; it may be mapped and removed. SIGSTOP makes a server of it that never answers again. The connection is
 * ended and FOLDER detached when this process ends in any way, and after SECONDS.
 * Facts: connection=N, its name in /sys/fs/fuse/connections.
 * Commands: `asked` answers how many requests came since the last time, without those that nobody waits for.
 */
#define _GNU_SOURCE
#include "guard.h"
#include <linux/fuse.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define FILE_NODE 2

static const char *folder;
static int device, aborts = -1;
static unsigned long bytes;
static bool removed;
static int asked;

/* The number of the device that is mounted at the folder. The server is not asked. */
static unsigned connection(void)
{
	char line[4096], point[2048];
	unsigned minor, found = 0;
	FILE *list = fopen("/proc/self/mountinfo", "re");

	while (list && fgets(line, sizeof line, list))
		if (sscanf(line, "%*d %*d %*d:%u %*s %2047s", &minor, point) == 2 && !strcmp(point, folder))
			found = minor;
	if (list)
		fclose(list);
	return found;
}

/* Opens the file that ends the connection, in a mount that nobody else sees. */
static int open_abort(unsigned number)
{
	int context = fsopen("fusectl", FSOPEN_CLOEXEC), mount, file;
	char path[64];

	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		die("mute: fusectl");
	mount = fsmount(context, FSMOUNT_CLOEXEC, 0);
	snprintf(path, sizeof path, "%u/abort", number);
	file = openat(mount, path, O_WRONLY | O_CLOEXEC);
	if (file < 0)
		die("mute: abort");
	close(context);
	close(mount);
	return file;
}

static void undo(void)
{
	if (write(aborts, "1", 1) != 1) {
		/* The connection is gone already. */
	}
	umount2(folder, MNT_DETACH);
}

static void reply(const struct fuse_in_header *in, int error, const void *data, size_t size)
{
	static char out[sizeof(struct fuse_out_header) + (1 << 17)];
	struct fuse_out_header header = { .len = sizeof header + size, .error = error, .unique = in->unique };

	memcpy(out, &header, sizeof header);
	memcpy(out + sizeof header, data, size);
	if (write(device, out, header.len) < 0 && errno != ENOENT)
		die("mute: write");
}

/* What is told of a node; nothing of it may be kept. */
static struct fuse_attr attributes(uint64_t node)
{
	struct fuse_attr attr = { .ino = node, .mode = S_IFDIR | 0755, .nlink = 2, .blksize = PAGE };

	if (node == FILE_NODE) {
		attr.mode = S_IFREG | 0666;
		attr.nlink = !removed;
		attr.size = bytes;
	}
	return attr;
}

static void answer_request(const struct fuse_in_header *in, const void *argument)
{
	static char text[1 << 17];

	asked++;
	switch (in->opcode) {
	case FUSE_INIT: {
		const struct fuse_init_in *wish = argument;
		struct fuse_init_out out = { .major = 7, .minor = FUSE_KERNEL_MINOR_VERSION, .max_readahead = wish->max_readahead,
					     .max_write = 1 << 16, .max_background = 16, .congestion_threshold = 12 };

		reply(in, 0, &out, sizeof out);
		break;
	}
	case FUSE_LOOKUP: {
		struct fuse_entry_out out = { .nodeid = FILE_NODE, .generation = 1, .attr = attributes(FILE_NODE) };
		bool found = !removed && !strcmp(argument, "file");

		reply(in, found ? 0 : -ENOENT, &out, found ? sizeof out : 0);
		break;
	}
	case FUSE_GETATTR: {
		struct fuse_attr_out out = { .attr = attributes(in->nodeid) };

		reply(in, 0, &out, sizeof out);
		break;
	}
	case FUSE_OPEN:
	case FUSE_OPENDIR: {
		struct fuse_open_out out = { .fh = in->nodeid };

		reply(in, 0, &out, sizeof out);
		break;
	}
	case FUSE_READ: {
		const struct fuse_read_in *wish = argument;
		size_t size = wish->offset < bytes ? bytes - wish->offset : 0;

		memset(text, 'm', sizeof text);
		size = size < wish->size ? size : wish->size;
		reply(in, 0, text, size < sizeof text ? size : sizeof text);
		break;
	}
	case FUSE_UNLINK:
		removed = true;
		reply(in, 0, NULL, 0);
		break;
	case FUSE_FLUSH: /* Answered, so that it is asked at each close. */
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
	case FUSE_READDIR:
		reply(in, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		asked--;
		break;
	default:
		reply(in, -ENOSYS, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	static char request[(1 << 17) + PAGE] __attribute__((aligned(8)));
	char options[128], line[16];
	unsigned number;

	if (argc < 4)
		return 2;
	folder = argv[1];
	bytes = strtoul(argv[2], NULL, 0);
	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", device);
	if (device < 0 || mount("mute", folder, "fuse", MS_NOSUID | MS_NODEV, options))
		die("mute: mount");
	number = connection();
	aborts = open_abort(number);
	guard_begin(atoi(argv[3]), aborts, undo);
	close(aborts);
	dprintf(1, "ready connection=%u\n", number);
	struct pollfd from[] = { { .fd = device, .events = POLLIN }, { .fd = 0, .events = POLLIN } };

	while (poll(from, 2, -1) > 0) {
		if (from[0].revents) {
			ssize_t got = read(device, request, sizeof request);

			if (got < 0 && errno != EINTR && errno != EAGAIN && errno != ENOENT)
				break;
			if (got >= (ssize_t)sizeof(struct fuse_in_header))
				answer_request((void *)request, request + sizeof(struct fuse_in_header));
		} else if (hear(line, sizeof line)) {
			dprintf(1, "%d\n", asked);
			asked = 0;
		} else {
			break;
		}
	}
	guard_end();
	return 0;
}

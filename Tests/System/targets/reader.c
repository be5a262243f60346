/*
 * reader STEP…: takes on an identity (identity.h) and answers requests about the two trees, never executing anything else.
 * Facts: pid=N file=RANGE anon=RANGE. A line of stdin holds requests separated by tabs, each `OP TREE PATH`; its answer is
 * one line with as many answers, separated by tabs: `ok HEX` (what was read) or `no ERRNO`.
 * TREE is p (/proc) or m (the mount). OP:
 *   read             the whole file
 *   OFFSET,COUNT     a part of it
 *   list             the names in a directory, each with a newline, itself and its parent left out
 *   link             the text of a link
 *   stat             `SIZE BLOCKS` of what is there, links not followed
 *   access           whether something is there, asked with the real ids as access(2) does, links not followed
 */
#include "known.h"
#include <dirent.h>
#include <sys/stat.h>

/* Touched before the first answer, so that answering changes neither mappings nor pages. */
static char line[1 << 16], data[1 << 20], output[1 << 16];

static long read_file(int tree, const char *path, const char *op)
{
	long offset = 0, count = sizeof data, used = 0, got = 1;
	int fd = openat(tree, path, O_RDONLY);

	if (fd < 0)
		return -1;
	if (strcmp(op, "read"))
		sscanf(op, "%ld,%ld", &offset, &count);
	while (used < count && got > 0) {
		got = offset ? pread(fd, data + used, count - used, offset + used) : read(fd, data + used, count - used);
		used += got > 0 ? got : 0;
	}
	int failure = errno;

	close(fd);
	errno = failure;
	return got < 0 ? -1 : used;
}

static long list_folder(int tree, const char *path)
{
	static char entries[1 << 15];
	long used = 0, got;
	int fd = openat(tree, path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return -1;
	while ((got = syscall(SYS_getdents64, fd, entries, sizeof entries)) > 0)
		for (long at = 0; at < got;) {
			struct dirent64 *entry = (void *)(entries + at);

			at += entry->d_reclen;
			if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
				used += snprintf(data + used, sizeof data - used, "%s\n", entry->d_name);
		}
	int failure = errno;

	close(fd);
	errno = failure;
	return got < 0 ? -1 : used;
}

static long look_at(int tree, const char *path)
{
	struct stat status;

	if (fstatat(tree, path, &status, AT_SYMLINK_NOFOLLOW))
		return -1;
	return snprintf(data, sizeof data, "%ld %ld", (long)status.st_size, (long)status.st_blocks);
}

static long obey(char *request)
{
	char *rest, *op = strtok_r(request, " ", &rest), *word = strtok_r(NULL, " ", &rest);
	int tree = *word == 'm' ? MOUNT_FD : PROC_FD;

	if (!strcmp(op, "list"))
		return list_folder(tree, rest);
	if (!strcmp(op, "link"))
		return readlinkat(tree, rest, data, sizeof data);
	if (!strcmp(op, "stat"))
		return look_at(tree, rest);
	if (!strcmp(op, "access"))
		return syscall(SYS_faccessat2, tree, rest, F_OK, AT_SYMLINK_NOFOLLOW);
	return read_file(tree, rest, op);
}

static void say(long size)
{
	static const char digits[] = "0123456789abcdef";

	if (size < 0) {
		printf("no %s\t", strerrorname_np(errno));
		return;
	}
	fputs("ok ", stdout);
	for (long at = 0; at < size; at++) {
		putchar_unlocked(digits[(unsigned char)data[at] >> 4]);
		putchar_unlocked(digits[data[at] & 15]);
	}
	putchar_unlocked('\t');
}

static void serve(void)
{
	static char input[1 << 16];
	unsigned long file, anon;
	char *rest;

	setvbuf(stdin, input, _IOFBF, sizeof input);
	setvbuf(stdout, output, _IOFBF, sizeof output);
	memset(line, 1, sizeof line);
	memset(data, 1, sizeof data);
	map_known(&file, &anon);
	printf("ready pid=%ld file=%lx-%lx anon=%lx-%lx\n", outer_pid(), file, file + KNOWN_PAGES * PAGE, anon,
	       anon + ANON_PAGES * PAGE);
	fflush(stdout);
	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = 0;
		for (char *one = strtok_r(line, "\t", &rest); one; one = strtok_r(NULL, "\t", &rest))
			say(obey(one));
		putchar('\n');
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	(void)argc;
	run_steps(argv + 1);
	return 0;
}

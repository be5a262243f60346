/*
 * How the programs that race look at a path of a tree: a file is read whole, a folder (a path that ends in /) is listed
 * whole, one name a line. Nothing is allocated.
 */
#ifndef LOOK_H
#define LOOK_H

#include "target.h"
#include <dirent.h>
#include <fcntl.h>

/* Returns how many bytes of the text are in ROOM, what does not fit is read and dropped, or -errno. */
static inline ssize_t look(const char *path, char *text, size_t room)
{
	bool folder = path[strlen(path) - 1] == '/';
	static char piece[65536] __attribute__((aligned(8)));
	size_t used = 0;
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	while ((got = folder ? getdents64(fd, piece, sizeof piece) : read(fd, piece, sizeof piece)) > 0) {
		for (ssize_t at = 0; at < got;) {
			const struct dirent64 *entry = (void *)(piece + at);
			const char *from = folder ? entry->d_name : piece;
			size_t length = folder ? strlen(from) : (size_t)got;

			at += folder ? entry->d_reclen : got;
			if (used + length + 2 > room)
				continue;
			memcpy(text + used, from, length);
			used += length;
			if (folder)
				text[used++] = '\n';
		}
	}
	got = got < 0 ? -errno : (ssize_t)used;
	text[used] = 0;
	close(fd);
	return got;
}

#endif

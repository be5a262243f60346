/*
 * frozen FOLDER SECONDS: freezes the filesystem that is mounted at FOLDER. It is thawed by the command, when this process
 * ends in any way, and after SECONDS.
 * Facts: none.
 * Commands: `thaw` answers `ok` when the filesystem is thawed.
 */
#define _GNU_SOURCE
#include "guard.h"
#include <linux/fs.h>
#include <sys/ioctl.h>

static int folder;

static void thaw(void)
{
	ioctl(folder, FITHAW, 0);
}

int main(int argc, char **argv)
{
	char line[16];

	if (argc < 3)
		return 2;
	folder = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		die("frozen: open");
	guard_begin(atoi(argv[2]), folder, thaw);
	if (ioctl(folder, FIFREEZE, 0))
		die("frozen: FIFREEZE");
	dprintf(1, "ready\n");
	while (hear(line, sizeof line)) {
		guard_end();
		answer(true);
	}
	return 0;
}

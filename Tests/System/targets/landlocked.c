/*
 * landlocked COMMAND...: runs a command in a Landlock domain of its own. The domain forbids nothing of files but the
 * creation of symbolic links; what counts is that a process in it may inspect no process outside. Ends with 77 where this
 * kernel has no Landlock.
 */
#define _GNU_SOURCE
#include "target.h"
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

int main(int argc, char **argv)
{
	struct landlock_ruleset_attr rules = { .handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_SYM };
	int fd = syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);

	if (fd < 0)
		return 77;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_landlock_restrict_self, fd, 0))
		die("landlocked: restrict_self");
	close(fd);
	if (argc > 1)
		execvp(argv[1], argv + 1);
	die("landlocked: exec");
}

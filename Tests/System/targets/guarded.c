/*
 * guarded [PATH]: installed setuid root by the test, and linked to an address below 4 GiB, where no program has mappings
 * that was not linked so. As the one process that may, it looks at PATH, which shows itself, so that the answer is in
 * every cache; then it waits for the end of stdin.
 */
#define _GNU_SOURCE
#include "look.h"

static char text[1 << 20];

int main(int argc, char **argv)
{
	char line[8];

	if (argc > 1)
		look(argv[1], text, sizeof text);
	while (hear(line, sizeof line))
		;
	return 0;
}

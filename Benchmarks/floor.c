/*
 * floor PID START-END [cgroup]: what reading alone costs. Reads the entries of all pages of the range, and for each run
 * of consecutive frames the words of kpageflags and kpagecount, with "cgroup" those of kpagecgroup too, in one thread
 * and without looking at them. Prints how many pages were present, and the sum of all words, so that nothing is left out.
 */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PAGE = 4096, BATCH = 4096 };

static uint64_t sum;

static int must_open(const char *path)
{
	int file = open(path, O_RDONLY);

	if (file < 0)
		err(1, "%s", path);
	return file;
}

static void read_words(int file, uint64_t first, uint64_t *words, size_t count)
{
	ssize_t got = pread(file, words, count * 8, first * 8);

	if (got < 0)
		err(1, "pread");
	sum += words[0];
}

int main(int argc, char **argv)
{
	static uint64_t entries[BATCH], words[BATCH];
	static const char *const names[] = { "/proc/kpageflags", "/proc/kpagecount", "/proc/kpagecgroup" };
	uint64_t start, end, present = 0;
	int files[3], kinds = argc == 4 && !strcmp(argv[3], "cgroup") ? 3 : 2, pagemap;
	char path[64];

	if (argc < 3 || sscanf(argv[2], "%" SCNx64 "-%" SCNx64, &start, &end) != 2)
		errx(2, "usage: floor PID START-END [cgroup]");
	snprintf(path, sizeof path, "/proc/%s/pagemap", argv[1]);
	pagemap = must_open(path);
	for (int kind = 0; kind < kinds; kind++)
		files[kind] = must_open(names[kind]);
	for (uint64_t page = start / PAGE; page < end / PAGE; page += BATCH) {
		size_t count = end / PAGE - page < BATCH ? end / PAGE - page : BATCH;

		read_words(pagemap, page, entries, count);
		for (size_t i = 0, next; i < count; i = next) {
			uint64_t frame = entries[i] << 9 >> 9;

			next = i + 1;
			if (!(entries[i] >> 63))
				continue;
			while (next < count && entries[next] >> 63 && entries[next] << 9 >> 9 == frame + next - i)
				next++;
			present += next - i;
			for (int kind = 0; kind < kinds; kind++)
				read_words(files[kind], frame, words, next - i);
		}
	}
	printf("%" PRIu64 " pages, sum %" PRIx64 "\n", present, sum);
	return 0;
}

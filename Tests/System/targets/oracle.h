/*
 * What is true of the pages of a range, decoded from /proc/PID/pagemap and the arrays of frames, with the names and
 * rules of the kernel's documentation written down once more.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include "target.h"
#include <dirent.h>
#include <fcntl.h>

#define BLOCK 512 /* words of an array of frames that are read at once */

struct page {
	unsigned long address, entry, word[3]; /* of kpageflags, kpagecount, kpagecgroup */
};

struct look {
	unsigned long start, end;
	struct page *page, **by_frame;
	size_t count;
};

static const char *const kernel_names[64] = {
	"locked", "error", "referenced", "uptodate", "dirty", "lru", "active", "slab", "writeback", "reclaim", "buddy", "mmap",
	"anonymous", "swapcache", "swapbacked", "compound_head", "compound_tail", "huge", "unevictable", "hwpoison", "nopage",
	"ksm", "thp", "offline", "zero_page", "idle_page", "pgtable",
	[32] = "reserved", "mlocked", "owner_2", "private", "private_2", "owner_private", "arch", "uncached", "softdirty",
	"arch_2", "arch_3",
};
static const struct { int bit; const char *name; } entry_names[] = {
	{ 55, "softdirty" }, { 56, "mmap_exclusive" }, { 57, "uffd_wp" }, { 58, "guard" }, { 61, "file" },
};
enum { SLAB = 7, WRITEBACK = 8, RECLAIM = 9, BUDDY = 10, MMAP = 11, ANONYMOUS = 12, SWAPCACHE = 13, KSM = 21, OFFLINE = 23,
       ZERO_PAGE = 24, PGTABLE = 26, OWNER_2 = 34 };

static bool hidden, blind;
static int pagemap, arrays[3];
static int node_of_block[1 << 16];
static unsigned long frames_of_block = 1;

#define BIT(word, bit) ((word) >> (bit) & 1)
#define FRAME(entry) ((entry) & ((1UL << 55) - 1))

/* The node of each memory block: the folder of a block has a link to the folder of its node. */
static void find_nodes(void)
{
	char path[600], text[32] = "";
	int fd = open("/sys/devices/system/memory/block_size_bytes", O_RDONLY), block, node;
	DIR *all = opendir("/sys/devices/system/memory"), *links;
	struct dirent *entry, *link;

	memset(node_of_block, -1, sizeof node_of_block);
	if (fd < 0 || !all || read(fd, text, sizeof text - 1) <= 0)
		return;
	close(fd);
	frames_of_block = strtoul(text, NULL, 16) / PAGE;
	while ((entry = readdir(all))) {
		if (sscanf(entry->d_name, "memory%d", &block) != 1 || block >= 1 << 16)
			continue;
		snprintf(path, sizeof path, "/sys/devices/system/memory/%s", entry->d_name);
		links = opendir(path);
		while (links && (link = readdir(links)))
			if (sscanf(link->d_name, "node%d", &node) == 1)
				node_of_block[block] = node;
		if (links)
			closedir(links);
	}
	closedir(all);
}

static void open_arrays(const char *pid)
{
	static const char *const names[] = { "/proc/kpageflags", "/proc/kpagecount", "/proc/kpagecgroup" };
	char path[64];

	snprintf(path, sizeof path, "/proc/%s/pagemap", pid);
	if ((pagemap = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		die(path);
	for (int i = 0; i < 3; i++)
		if ((arrays[i] = open(names[i], O_RDONLY | O_CLOEXEC)) < 0)
			die(names[i]);
	find_nodes();
}

static struct look *new_look(unsigned long start, unsigned long end)
{
	struct look *look = calloc(1, sizeof *look);
	size_t pages = (end - start) / PAGE;

	*look = (struct look){ .start = start, .end = end };
	look->page = calloc(pages, sizeof *look->page);
	look->by_frame = calloc(pages, sizeof *look->by_frame);
	return look;
}

static int frame_order(const void *left, const void *right)
{
	unsigned long one = FRAME((*(struct page *const *)left)->entry), other = FRAME((*(struct page *const *)right)->entry);

	return one < other ? -1 : one > other;
}

static void take_look(struct look *look)
{
	static unsigned long words[1 << 13], known[3][BLOCK], first;
	size_t present = 0;

	look->count = 0;
	for (unsigned long at = look->start; at < look->end;) {
		size_t wanted = (look->end - at) / PAGE * 8;
		ssize_t got = pread(pagemap, words, wanted < sizeof words ? wanted : sizeof words, at / PAGE * 8);

		if (got <= 0)
			die("oracle: pagemap");
		for (ssize_t i = 0; i < got / 8; i++, at += PAGE) {
			if (!words[i])
				continue;
			look->page[look->count] = (struct page){ .address = at, .entry = words[i] };
			if (BIT(words[i], 63))
				look->by_frame[present++] = &look->page[look->count];
			look->count++;
		}
	}
	qsort(look->by_frame, present, sizeof *look->by_frame, frame_order);
	first = -1UL;
	for (size_t i = 0; i < present; i++) {
		unsigned long frame = FRAME(look->by_frame[i]->entry), block = frame & ~(BLOCK - 1UL);

		for (int one = 0; one < 3 && block != first; one++) {
			memset(known[one], 0, sizeof known[one]);
			if (pread(arrays[one], known[one], sizeof known[one], block * 8) < 0)
				die("oracle: an array of frames");
		}
		first = block;
		for (int one = 0; one < 3; one++)
			look->by_frame[i]->word[one] = known[one][frame - block];
	}
}

/* The word of flags without what the kernel says of frames that are not for users. */
static unsigned long truthful(const struct page *page)
{
	unsigned long word = page->word[0];

	if (BIT(word, SLAB) || BIT(word, BUDDY) || BIT(word, OFFLINE) || BIT(word, PGTABLE))
		word &= ~(1UL << MMAP | 1UL << ANONYMOUS | 1UL << SWAPCACHE | 1UL << KSM);
	return word;
}

static const char *state(const struct page *page)
{
	unsigned kind = page->entry & 31;

	if (BIT(page->entry, 63))
		return BIT(truthful(page), ZERO_PAGE) && !blind ? "zero" : "present";
	if (BIT(page->entry, 58))
		return "guard";
	return hidden ? "swapped" : kind == 31 ? "marker" : kind >= 24 ? "special" : "swapped";
}

static const char *names(const struct page *page)
{
	static char found[600];
	static unsigned long last[2] = { -1UL, -1UL };
	unsigned long word = hidden ? 0 : truthful(page), own = page->entry & (31UL << 55 | 1UL << 61);
	size_t used = 0;

	if (last[0] == word && last[1] == own)
		return found;
	last[0] = word;
	last[1] = own;
	for (int bit = 0; bit < 64; bit++) {
		const char *name = bit == OWNER_2 && BIT(word, ANONYMOUS)	     ? "anon_exclusive" :
				   bit == RECLAIM && !BIT(word, WRITEBACK) ? "readahead" :
									     kernel_names[bit];

		if (BIT(word, bit) && name)
			used += sprintf(found + used, "%s,", name);
		else if (BIT(word, bit))
			used += sprintf(found + used, "bit%d,", bit);
	}
	for (size_t i = 0; i < sizeof entry_names / sizeof *entry_names; i++)
		if (BIT(own, entry_names[i].bit))
			used += sprintf(found + used, "%s,", entry_names[i].name);
	strcpy(found + (used ? used - 1 : 0), used ? "" : "-");
	return found;
}

/* The six columns that say something of a page: state, frame, mapcount, cgroup, node, flags. */
static void describe(const struct page *page, char (*column)[600])
{
	unsigned long frame = FRAME(page->entry), block = frame / frames_of_block;
	int node = block < 1 << 16 ? node_of_block[block] : -1;

	strcpy(column[0], state(page));
	for (int i = 1; i < 5; i++)
		strcpy(column[i], hidden && *column[0] != 'g' && (i == 1 || BIT(page->entry, 63)) ? "?" : "-");
	strcpy(column[5], names(page));
	if (hidden)
		return;
	if (BIT(page->entry, 63)) {
		sprintf(column[1], "%lx", frame);
		sprintf(column[2], "%lu", page->word[1]);
		sprintf(column[3], "%lu", page->word[2]);
		sprintf(column[4], node < 0 ? "-" : "%d", node);
	} else if (column[0][0] == 's') {
		sprintf(column[1], "%lu:%lu", page->entry & 31, frame >> 5);
	}
}

static void tell_flags(const struct look *look)
{
	static struct { char word[20], names[600]; size_t pages; } rows[1000];
	size_t used = 0, i;

	for (size_t at = 0; at < look->count; at++) {
		const struct page *page = &look->page[at];
		bool present = BIT(page->entry, 63);
		const char *name = present ? names(page) : state(page);
		char word[20] = "-";

		if (present)
			snprintf(word, sizeof word, hidden ? "?" : "%016lx", page->word[0]);
		for (i = 0; i < used && (strcmp(rows[i].word, word) || strcmp(rows[i].names, name)); i++)
			;
		if (i == sizeof rows / sizeof *rows)
			die("oracle: too many rows");
		if (i == used) {
			strcpy(rows[used].word, word);
			strcpy(rows[used].names, name);
			rows[used++].pages = 0;
		}
		rows[i].pages++;
	}
	for (i = 0; i < used; i++)
		dprintf(1, "%zu %s %s ", rows[i].pages, rows[i].word, rows[i].names);
	dprintf(1, "\n");
}

#endif

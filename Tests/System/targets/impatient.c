/*
 * impatient COUNT FROM-TO SAMPLES open|read PATH...: COUNT threads at once, each with the next PATH, open it, or open it and
 * read it to its end. Some time between FROM and TO milliseconds after the last one has begun each gets a signal, from the
 * last one on, the next one when the one before is out. That is done again until SAMPLES were interrupted, at most 10 times
 * as often as it takes if none is done before. Two lines of numbers: microseconds from each signal to EINTR, of those that
 * were not done before, and as many that two round trips to another process took, which tell how busy the machine is. It
 * ends with status 1 and the errno when something else failed.
 */
#define _GNU_SOURCE
#include "target.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

struct reader {
	pthread_t thread;
	const char *path;
	_Atomic long told;
	long result;
	atomic_bool done;
};

static bool reads;
static atomic_int begun;

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000L + time.tv_nsec / 1000;
}

static void ignore(int number)
{
	(void)number;
}

static void *run(void *argument)
{
	struct reader *self = argument;
	static __thread char text[1 << 17];
	ssize_t got = 1;
	int fd, failure;

	begun++;
	fd = open(self->path, O_RDONLY);
	while (fd >= 0 && reads && got > 0)
		got = read(fd, text, sizeof text);
	failure = errno;
	if (fd >= 0 && got >= 0)
		self->result = -1;
	else if (failure == EINTR && self->told)
		self->result = now() - self->told;
	else
		self->result = -1 - failure;
	self->done = true;
	if (fd >= 0)
		close(fd);
	return NULL;
}

static void start(struct reader *one, void *(*what)(void *))
{
	pthread_attr_t small;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 1 << 20);
	one->told = 0;
	one->done = false;
	if (pthread_create(&one->thread, &small, what, one))
		die("impatient: pthread_create");
}

static long interrupt(struct reader *one)
{
	one->told = now();
	if (!one->done)
		pthread_kill(one->thread, SIGUSR1);
	pthread_join(one->thread, NULL);
	return one->result;
}

static int there[2], back[2];

/* Another process that answers: what a wait for a daemon costs that has nothing to do. */
static void start_echo(void)
{
	char byte;

	if (pipe(there) || pipe(back))
		die("impatient: pipe");
	fflush(stdout);
	if (fork())
		return;
	close(there[1]);
	while (read(there[0], &byte, 1) == 1)
		if (write(back[1], &byte, 1) != 1)
			break;
	_exit(0);
}

/* Twice there and back, as a signal goes to the reader, its interruption to the daemon and the answer to the reader. */
static long echo(void)
{
	long begin = now();
	char byte = 0;

	for (int i = 0; i < 2; i++)
		if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
			die("impatient: echo");
	return now() - begin;
}

int main(int argc, char **argv)
{
	int count = argc > 5 ? atoi(argv[1]) : 0, samples = count ? atoi(argv[3]) : 0, paths = argc - 5, found = 0, measured = 0;
	struct sigaction action = { .sa_handler = ignore };
	struct reader *readers = calloc(count + 1, sizeof *readers);
	long *times = calloc(samples + count + 1, sizeof *times), *busy = calloc(samples + count + 1, sizeof *busy), from, to, result;

	if (!count || !samples || sscanf(argv[2], "%ld-%ld", &from, &to) != 2 || sigaction(SIGUSR1, &action, NULL))
		return 2;
	reads = !strcmp(argv[4], "read");
	srandom(1);
	start_echo();
	for (int rounds = 10 * (samples / count + 1); rounds && found < samples; rounds--) {
		begun = 0;
		for (int i = 0; i < count; i++) {
			readers[i].path = argv[5 + i % paths];
			start(&readers[i], run);
		}
		while (begun < count)
			usleep(100);
		usleep(from * 1000 + random() % ((to - from) * 1000 + 1));
		for (int i = count - 1; i >= 0; i--) {
			result = interrupt(&readers[i]);
			if (result < -1) {
				printf("%ld\n", -1 - result);
				return 1;
			}
			if (result >= 0)
				times[found++] = result;
		}
		while (measured < found)
			busy[measured++] = echo();
	}
	for (int i = 0; i < found; i++)
		printf("%ld ", times[i]);
	puts("");
	for (int i = 0; i < found; i++)
		printf("%ld ", busy[i]);
	puts("");
	return 0;
}

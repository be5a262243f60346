/*
 * impatient COUNT MILLISECONDS open|read PATH...: COUNT threads at once, each with the next PATH, open it, or open it and
 * read it to its end. MILLISECONDS after the last one has begun, five of them get a signal, from the last one on, each
 * when the one before is out; then all others do. Prints a number for each of the five: microseconds from the signal to
 * EINTR, or -1 when the thread was done before, or - and the errno when something else failed.
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
	int fd;

	begun++;
	fd = open(self->path, O_RDONLY);
	while (fd >= 0 && reads && got > 0)
		got = read(fd, text, sizeof text);
	if (fd >= 0 && got >= 0)
		self->result = -1;
	else if (errno == EINTR && self->told)
		self->result = now() - self->told;
	else
		self->result = -errno;
	self->done = true;
	return NULL;
}

int main(int argc, char **argv)
{
	int count = argc > 4 ? atoi(argv[1]) : 0, paths = argc - 4;
	struct sigaction action = { .sa_handler = ignore };
	struct reader *readers = calloc(count + 1, sizeof *readers);
	pthread_attr_t small;

	if (!count || sigaction(SIGUSR1, &action, NULL))
		return 2;
	reads = !strcmp(argv[3], "read");
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 1 << 20);
	for (int i = 0; i < count; i++) {
		readers[i].path = argv[4 + i % paths];
		if (pthread_create(&readers[i].thread, &small, run, &readers[i]))
			die("impatient: pthread_create");
	}
	while (begun < count)
		usleep(100);
	usleep(atoi(argv[2]) * 1000);
	for (int i = count - 1; i >= 0; i--) {
		readers[i].told = now();
		if (!readers[i].done)
			pthread_kill(readers[i].thread, SIGUSR1);
		if (i < count - 5)
			continue;
		pthread_join(readers[i].thread, NULL);
		printf("%ld ", readers[i].result);
	}
	puts("");
	for (int i = 0; i < count - 5; i++)
		pthread_join(readers[i].thread, NULL);
	return 0;
}

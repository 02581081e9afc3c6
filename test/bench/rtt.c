/*
 * rtt BATCHES ROUNDS IDLE OURS BARE - round trips of genctld's port beside a bare echo's.
 *
 * OURS and BARE are ports on this machine, BARE that of `echo`. One blocking client asks
 * both: ping and status on an open connection; connect is connect, Hello and STATUS on a
 * new one. The bare server is asked for the sizes that genctld was seen to use. Batches of
 * ROUNDS alternate between the two and, third, genctld with IDLE greeted clients that say
 * nothing, so that a machine that drifts slows all alike. Prints one line a measurement:
 * `ping bare MEDIAN P99 N` in ns. Exit: 0, 1 something failed, 2 usage.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/frame.h"
#include "common/mem.h"
#include "proto/genctl.pb-c.h"
#include "test/bench/samples.h"

/* clang-format off */
enum what { HELLO, PING, STATUS, NWHAT };
enum test { TEST_PING, TEST_STATUS, TEST_CONNECT, NTESTS };
enum side { BARE, OURS, CROWDED, NSIDES };
/* clang-format on */

enum { REQUEST_MAX = 64, REPLY_MAX = 8192, WARM_UP = 20, IDLE_MAX = 31, SLACK = 24 };

static const char *const test_names[] = { "ping", "status", "connect" };
static const char *const side_names[] = { "bare", "ours", "crowded" };

struct exchange {
	uint8_t request[REQUEST_MAX];
	size_t request_n, reply_n;
};

struct bench {
	int port[NSIDES];
	struct exchange ask[NSIDES][NWHAT];
	struct samples samples[NSIDES][NTESTS];
	uint8_t reply[REPLY_MAX];
	int idle[IDLE_MAX], nidle;
};

static void fail(const char *what)
{
	fprintf(stderr, "rtt: %s\n", what);
	exit(1);
}

static int dial(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval limit = { .tv_sec = 5 };
	int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		fail("cannot connect");
	return fd;
}

/* Sends a request and reads one whole frame into b->reply; its size. */
static size_t ask(struct bench *b, int fd, const struct exchange *e)
{
	ssize_t got, whole = 0;
	size_t n = 0;

	if (send(fd, e->request, e->request_n, MSG_NOSIGNAL) != (ssize_t)e->request_n)
		fail("cannot send");
	while (whole == 0) {
		got = recv(fd, b->reply + n, sizeof(b->reply) - n, 0);
		if (got <= 0)
			fail("no answer");
		n += (size_t)got;
		whole = frame_size(b->reply, n);
	}
	if (whole != (ssize_t)n)
		fail("more than one answer");
	return n;
}

/* An error in place of an answer has another size. */
static void ask_again(struct bench *b, int fd, const struct exchange *e)
{
	size_t n = ask(b, fd, e);

	if (n > e->reply_n + SLACK || n + SLACK < e->reply_n)
		fail("an answer of another kind");
}

static void put_be32(uint8_t *at, size_t v)
{
	uint32_t be = htonl((uint32_t)v);

	memcpy(at, &be, sizeof(be));
}

/* Asks genctld once, checks the answer's kind, and makes both sides' requests of it. */
static void learn(struct bench *b, int fd, enum what what, Genctl__Request *request,
    Genctl__Reply__BodyCase expected)
{
	struct exchange *ours = &b->ask[OURS][what], *bare = &b->ask[BARE][what];
	uint8_t *frame = frame_pack(&request->base, &ours->request_n);
	Genctl__Reply *reply;

	if (!frame || ours->request_n > REQUEST_MAX)
		fail("a request is too long");
	memcpy(ours->request, frame, ours->request_n);
	free(frame);
	ours->reply_n = ask(b, fd, ours);
	reply = genctl__reply__unpack(NULL, ours->reply_n - FRAME_HEAD, b->reply + FRAME_HEAD);
	if (!reply || reply->body_case != expected)
		fail("genctld answers something else");
	genctl__reply__free_unpacked(reply, NULL);
	*bare = *ours;
	put_be32(bare->request + FRAME_HEAD, ours->reply_n - FRAME_HEAD);
	b->ask[CROWDED][what] = *ours;
}

static void learn_all(struct bench *b)
{
	int fd = dial(b->port[OURS]);
	Genctl__Hello hello;
	Genctl__Empty empty;
	Genctl__Request request;

	genctl__hello__init(&hello);
	genctl__empty__init(&empty);
	genctl__request__init(&request);
	hello.major = 1;
	hello.name = "bench";
	request.id = 1;
	request.body_case = GENCTL__REQUEST__BODY_HELLO;
	request.hello = &hello;
	learn(b, fd, HELLO, &request, GENCTL__REPLY__BODY_HELLO);
	request.body_case = GENCTL__REQUEST__BODY_PING;
	request.ping = &empty;
	learn(b, fd, PING, &request, GENCTL__REPLY__BODY_PONG);
	request.body_case = GENCTL__REQUEST__BODY_STATUS;
	request.status = &empty;
	learn(b, fd, STATUS, &request, GENCTL__REPLY__BODY_STATUS);
	close(fd);
}

static void round_trips(struct bench *b, enum side side, enum test test, int rounds)
{
	const struct exchange *e = &b->ask[side][test == TEST_PING ? PING : STATUS];
	int fd = dial(b->port[side]);

	ask_again(b, fd, &b->ask[side][HELLO]);
	for (int i = -WARM_UP; i < rounds; i++) {
		int64_t began_ns = samples_clock_ns(CLOCK_MONOTONIC);

		ask_again(b, fd, e);
		if (i >= 0)
			samples_add(&b->samples[side][test],
			    samples_clock_ns(CLOCK_MONOTONIC) - began_ns);
	}
	close(fd);
}

static void connects(struct bench *b, enum side side, int rounds)
{
	for (int i = -WARM_UP; i < rounds; i++) {
		int64_t began_ns = samples_clock_ns(CLOCK_MONOTONIC);
		int fd = dial(b->port[side]);

		ask_again(b, fd, &b->ask[side][HELLO]);
		ask_again(b, fd, &b->ask[side][STATUS]);
		if (i >= 0)
			samples_add(&b->samples[side][TEST_CONNECT],
			    samples_clock_ns(CLOCK_MONOTONIC) - began_ns);
		close(fd);
	}
}

static void crowd(struct bench *b)
{
	for (int i = 0; i < b->nidle; i++) {
		b->idle[i] = dial(b->port[OURS]);
		ask_again(b, b->idle[i], &b->ask[OURS][HELLO]);
	}
}

static void disperse(struct bench *b)
{
	for (int i = 0; i < b->nidle; i++)
		close(b->idle[i]);
}

static void measure(struct bench *b, enum side side, int rounds)
{
	if (side == CROWDED)
		crowd(b);
	for (enum test t = TEST_PING; t <= TEST_STATUS; t++)
		round_trips(b, side, t, rounds);
	connects(b, side, rounds);
	if (side == CROWDED)
		disperse(b);
}

int main(int argc, char **argv)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	char name[32];

	if (argc != 6 || atoi(argv[3]) > IDLE_MAX) {
		fprintf(stderr, "usage: rtt BATCHES ROUNDS IDLE OURS BARE\n");
		return 2;
	}
	b->nidle = atoi(argv[3]);
	b->port[OURS] = b->port[CROWDED] = atoi(argv[4]);
	b->port[BARE] = atoi(argv[5]);
	learn_all(b);
	for (int i = 0; i < atoi(argv[1]) * NSIDES; i++)
		measure(b, i % NSIDES, atoi(argv[2]));
	for (int i = 0; i < NSIDES * NTESTS; i++) {
		snprintf(name, sizeof(name), "%s %s", test_names[i / NSIDES],
		    side_names[i % NSIDES]);
		samples_print(&b->samples[i % NSIDES][i / NSIDES], name);
	}
	free(b);
	return 0;
}

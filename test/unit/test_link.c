#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include <event2/event.h>

#include "common/address.h"
#include "common/clock.h"
#include "common/link.h"

enum { DEADLINE_MS = 5000, HOG = 200 * 1024 };

/* What the listening end saw; the units' bytes one after the other, '|' between. */
struct seen {
	struct event_base *base;
	struct link_listener *listener;
	int opened, closed, ended, units;
	char text[1024];
	char why[64];
	struct link *last;
};

static void note_opened(struct link *l)
{
	struct seen *s = link_owner(l);

	s->opened++;
	s->last = l;
}

/* "quit" ends the link, "drop" closes it, "hog" and "flood" answer more than one reads. */
static void note_unit(struct link *l, const uint8_t *data, size_t n)
{
	static const char much[HOG];
	struct seen *s = link_owner(l);
	size_t used = strlen(s->text);

	s->units++;
	snprintf(s->text + used, sizeof(s->text) - used, "%.*s|", (int)n, (const char *)data);
	if (n == 4 && memcmp(data, "quit", 4) == 0) {
		link_send(l, "bye\n", 4);
		link_close_after_send(l);
	} else if (n == 4 && memcmp(data, "drop", 4) == 0) {
		link_close(l, "dropped");
	} else if (n == 3 && memcmp(data, "hog", 3) == 0) {
		link_send(l, much, sizeof(much));
		link_close_after_send(l);
	} else if (n == 5 && memcmp(data, "flood", 5) == 0) {
		for (int i = 0; i < 100; i++)
			link_send(l, much, sizeof(much));
		assert_int_equal(s->closed, 0); /* never under the sender's feet */
	} else if (n == 4 && memcmp(data, "ping", 4) == 0) {
		link_send(l, "pong\n", 5);
	}
}

static void note_closed(struct link *l, const char *why)
{
	struct seen *s = link_owner(l);

	s->closed++;
	snprintf(s->why, sizeof(s->why), "%s", why);
}

static const struct link_ops ops = {
	.opened = note_opened, .unit = note_unit, .closed = note_closed
};

static void start(struct seen *s, struct link_config config)
{
	*s = (struct seen){ .base = event_base_new() };
	config.ops = config.ops ? config.ops : &ops;
	config.owner = s;
	config.max_links = config.max_links ? config.max_links : 8;
	assert_int_equal(link_listen(s->base, "127.0.0.1:0", &config, &s->listener), 0);
}

static void finish(struct seen *s)
{
	link_listener_free(s->listener);
	assert_int_equal(s->closed, s->opened);
	event_base_free(s->base);
}

static int client(const struct seen *s)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(link_port(s->listener)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void say(int fd, const void *data, size_t n)
{
	assert_int_equal(send(fd, data, n, MSG_NOSIGNAL), n);
}

static void wake(evutil_socket_t fd, short what, void *arg)
{
}

/* One turn of the loop, 5 ms at most. */
static void turn(struct seen *s)
{
	struct timeval tv = { .tv_usec = 5000 };
	struct event *e = evtimer_new(s->base, wake, NULL);

	event_add(e, &tv);
	event_base_loop(s->base, EVLOOP_ONCE);
	event_free(e);
}

#define TURN_UNTIL(s, condition)                                                               \
	for (int64_t end_ms = clock_ms() + DEADLINE_MS; !(condition); turn(s))                 \
		if (clock_ms() > end_ms)                                                       \
	fail_msg("never: %s", #condition)

/* All that comes until the far end closes; its length. */
static size_t hear_all(struct seen *s, int fd, char *text, size_t size)
{
	char buf[4096];
	size_t total = 0;
	ssize_t n = -1;

	memset(text, 0, size);
	for (int64_t end_ms = clock_ms() + DEADLINE_MS; n != 0; turn(s)) {
		assert_true(clock_ms() < end_ms);
		n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		for (ssize_t i = 0; i < n; i++, total++) {
			if (total + 1 < size)
				text[total] = buf[i];
		}
	}
	return total;
}

static void frames_arrive_whole_however_they_are_cut(void **state)
{
	static const char stream[] = "\0\0\0\003one\0\0\0\005three\0\0\0\003two";
	struct seen s;
	int fd;

	start(&s, (struct link_config){ .kind = LINK_FRAMES, .max_unit = 5 });
	fd = client(&s);
	for (size_t i = 0; i < sizeof(stream) - 1; i++) {
		say(fd, stream + i, 1);
		turn(&s);
	}
	say(fd, stream, sizeof(stream) - 1);
	TURN_UNTIL(&s, s.units == 6);
	assert_string_equal(s.text, "one|three|two|one|three|two|");
	assert_true(link_peer_is_loopback(s.last));
	assert_memory_equal(link_peer(s.last), "127.0.0.1:", 10);
	close(fd);
	TURN_UNTIL(&s, s.closed == 1);
	assert_string_equal(s.why, "peer closed");
	finish(&s);
}

static void lines_lose_either_end(void **state)
{
	struct seen s;
	int fd;

	start(&s, (struct link_config){ .kind = LINK_LINES, .max_unit = 8 });
	fd = client(&s);
	say(fd, "STATUS\r\nPING\n\n12345678\r\n", 24);
	TURN_UNTIL(&s, s.units == 4);
	assert_string_equal(s.text, "STATUS|PING||12345678|");
	close(fd);
	finish(&s);
}

static void closes_with(enum link_kind kind, const char *bytes, size_t n, const char *why)
{
	struct seen s;
	char text[64];
	int fd;

	start(&s,
	    (struct link_config){ .kind = kind, .max_unit = 8, .unit_ms = 50, .idle_ms = 150 });
	fd = client(&s);
	say(fd, bytes, n);
	hear_all(&s, fd, text, sizeof(text));
	assert_int_equal(s.closed, 1);
	assert_string_equal(s.why, why);
	assert_int_equal(link_count(s.listener), 0);
	close(fd);
	finish(&s);
}

static void bad_lengths_end_the_link(void **state)
{
	closes_with(LINK_FRAMES, "\0\0\0\0", 4, "bad length");
	closes_with(LINK_FRAMES, "\0\1\0\1x", 5, "bad length");
	closes_with(LINK_FRAMES, "\377\377\377\377", 4, "bad length");
	closes_with(LINK_FRAMES, "\0\0\0\011123456789", 13, "bad length");
	closes_with(LINK_FRAMES, "\0\0\0\020123456789", 13, "bad length");
	closes_with(LINK_LINES, "123456789abc", 12, "too long");
	closes_with(LINK_LINES, "123456789abc\n", 13, "too long");
}

static void half_a_unit_is_waited_for_only_so_long(void **state)
{
	closes_with(LINK_FRAMES, "\0\0\0\5abc", 7, "too slow");
	closes_with(LINK_LINES, "a\nSTAT", 6, "too slow");
	closes_with(LINK_LINES, "STATUS\n", 7, "idle");
}

static void drip_of_bytes_does_not_extend_a_unit(void **state)
{
	struct seen s;
	int64_t began_ms;
	int fd;

	start(
	    &s, (struct link_config){ .kind = LINK_LINES, .max_unit = 100000, .unit_ms = 100 });
	fd = client(&s);
	began_ms = clock_ms();
	for (; !s.closed && clock_ms() < began_ms + DEADLINE_MS; turn(&s))
		(void)send(fd, "x", 1, MSG_NOSIGNAL);
	assert_string_equal(s.why, "too slow");
	/* the loop's clock is a coarse one; a drip that counts would last for ever */
	assert_in_range(clock_ms() - began_ms, 50, DEADLINE_MS - 1);
	close(fd);
	finish(&s);
}

static void peer_that_does_not_read_is_dropped(void **state)
{
	struct seen s;
	int fd;

	start(&s, (struct link_config){ .kind = LINK_LINES, .max_unit = 8 });
	fd = client(&s);
	say(fd, "flood\n", 6);
	TURN_UNTIL(&s, s.closed);
	assert_string_equal(s.why, "not reading");
	close(fd);
	finish(&s);
}

static void peer_over_the_limit_is_told_and_the_others_stay(void **state)
{
	static const char full[] = "ERROR: full\n";
	struct seen s;
	char text[64];
	int fd[3];

	start(&s, (struct link_config){ .kind = LINK_LINES,
		      .max_unit = 8,
		      .max_links = 2,
		      .refuse = (const uint8_t *)full,
		      .refuse_n = strlen(full) });
	for (int i = 0; i < 3; i++)
		fd[i] = client(&s);
	say(fd[2], "ping\n", 5);
	hear_all(&s, fd[2], text, sizeof(text));
	assert_string_equal(text, full);
	assert_int_equal(link_count(s.listener), 2);
	say(fd[0], "ping\n", 5);
	TURN_UNTIL(&s, s.units == 1);
	close(fd[1]);
	TURN_UNTIL(&s, link_count(s.listener) == 1);
	close(fd[2]);
	fd[2] = client(&s);
	say(fd[2], "ping\n", 5);
	TURN_UNTIL(&s, s.units == 2);
	close(fd[0]);
	close(fd[2]);
	finish(&s);
}

static void half_closed_peer_still_gets_its_answer(void **state)
{
	struct seen s;
	char text[64];
	int fd;

	start(&s, (struct link_config){ .kind = LINK_LINES, .max_unit = 8 });
	fd = client(&s);
	say(fd, "ping\nping\n", 10);
	shutdown(fd, SHUT_WR);
	hear_all(&s, fd, text, sizeof(text));
	assert_string_equal(text, "pong\npong\n");
	close(fd);
	finish(&s);
}

static void note_ended(struct link *l)
{
	struct seen *s = link_owner(l);

	s->ended++;
}

static void owner_may_answer_a_half_closed_peer_later(void **state)
{
	static const struct link_ops patient = { .opened = note_opened,
		.unit = note_unit,
		.ended = note_ended,
		.closed = note_closed };
	struct seen s;
	char text[64];
	int fd;

	start(&s, (struct link_config){ .kind = LINK_LINES, .max_unit = 8, .ops = &patient });
	fd = client(&s);
	say(fd, "START\n", 6);
	shutdown(fd, SHUT_WR);
	TURN_UNTIL(&s, s.ended == 1);
	assert_int_equal(s.closed, 0);
	link_send(s.last, "done\n", 5);
	link_close_after_send(s.last);
	hear_all(&s, fd, text, sizeof(text));
	assert_string_equal(text, "done\n");
	assert_int_equal(s.closed, 1);
	close(fd);
	finish(&s);
}

static void last_words_are_sent_before_the_close(void **state)
{
	struct seen s;
	char text[64];
	int fd;

	start(&s, (struct link_config){ .kind = LINK_LINES, .max_unit = 8 });
	fd = client(&s);
	say(fd, "quit\nping\nping\n", 15);
	hear_all(&s, fd, text, sizeof(text));
	assert_string_equal(text, "bye\n");
	assert_int_equal(s.units, 1);
	close(fd);
	fd = client(&s);
	say(fd, "hog\nunread\n", 11);
	assert_int_equal(hear_all(&s, fd, text, sizeof(text)), HOG);
	close(fd);
	TURN_UNTIL(&s, s.closed == 2);
	finish(&s);
}

static void closing_inside_a_unit_leaves_the_rest_unread(void **state)
{
	struct seen s;
	int fd;

	start(&s, (struct link_config){ .kind = LINK_LINES, .max_unit = 8 });
	fd = client(&s);
	say(fd, "drop\nping\n", 10);
	TURN_UNTIL(&s, s.closed);
	assert_string_equal(s.why, "dropped");
	assert_int_equal(s.units, 1);
	close(fd);
	finish(&s);
}

static void both_ends_talk(void **state)
{
	static const struct link_config mine = {
		.kind = LINK_LINES, .max_unit = 8, .ops = &ops
	};
	struct link_config config = mine;
	struct seen s, far = { 0 };
	struct link *l;
	char address[32];

	start(&s, (struct link_config){ .kind = LINK_LINES, .max_unit = 8 });
	config.owner = &far;
	snprintf(address, sizeof(address), "localhost:%d", link_port(s.listener));
	assert_int_equal(link_connect(s.base, address, 1000, &config, &l), 0);
	TURN_UNTIL(&s, far.opened);
	link_send(l, "ping\n", 5);
	TURN_UNTIL(&s, far.units == 1);
	assert_string_equal(far.text, "pong|");
	link_close(l, "enough");
	assert_string_equal(far.why, "enough");
	TURN_UNTIL(&s, s.closed == 1);
	finish(&s);
}

static void refused_connection_says_so(void **state)
{
	struct link_config config = { .kind = LINK_LINES, .max_unit = 8, .ops = &ops };
	struct seen s, far = { 0 };
	struct link *l;
	char address[32];

	start(&s, (struct link_config){ .kind = LINK_LINES, .max_unit = 8 });
	config.owner = &far;
	snprintf(address, sizeof(address), "127.0.0.1:%d", link_port(s.listener));
	link_listener_free(s.listener);
	assert_int_equal(link_connect(s.base, address, 1000, &config, &l), 0);
	TURN_UNTIL(&s, far.closed);
	assert_string_equal(far.why, strerror(ECONNREFUSED));
	event_base_free(s.base);
}

/* A listener whose queue is full does not answer at all. */
static void connecting_takes_no_longer_than_allowed(void **state)
{
	struct seen far = { .base = event_base_new() };
	struct link_config config = {
		.kind = LINK_LINES, .max_unit = 8, .ops = &ops, .owner = &far
	};
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	struct link *l;
	char address[32];
	int fd[4] = { socket(AF_INET, SOCK_STREAM, 0) };

	assert_int_equal(listen(fd[0], 0), 0);
	getsockname(fd[0], (struct sockaddr *)&at, &len);
	for (int i = 1; i < 4; i++) {
		fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fd[i], (struct sockaddr *)&at, len);
	}
	snprintf(address, sizeof(address), "127.0.0.1:%d", ntohs(at.sin_port));
	assert_int_equal(link_connect(far.base, address, 50, &config, &l), 0);
	TURN_UNTIL(&far, far.closed);
	assert_string_equal(far.why, "no answer");
	for (int i = 0; i < 4; i++)
		close(fd[i]);
	event_base_free(far.base);
}

static int descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void ten_thousand_connects_leave_no_descriptor(void **state)
{
	struct linger reset = { .l_onoff = 1 };
	struct seen s;
	int before;

	start(&s, (struct link_config){
		      .kind = LINK_LINES, .max_unit = 8, .unit_ms = 1000, .idle_ms = 1000 });
	before = descriptors();
	for (int i = 0; i < 10000; i++) {
		int fd = client(&s);

		if (i % 3)
			say(fd, "ping\npin", 8);
		if (i % 2)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
		event_base_loop(s.base, EVLOOP_NONBLOCK);
	}
	TURN_UNTIL(&s, link_count(s.listener) == 0);
	assert_int_equal(descriptors(), before);
	finish(&s);
}

static void addresses_are_host_and_port(void **state)
{
	static const struct {
		const char *text, *meant;
		int rc;
		bool loopback;
	} t[] = {
		{ "127.0.0.1:9999", "127.0.0.1:9999", 0, true },
		{ "localhost:9999", "127.0.0.1:9999", 0, true },
		{ "[::1]:80", "[::1]:80", 0, true },
		{ "[::ffff:127.0.0.1]:80", "[::ffff:127.0.0.1]:80", 0, true },
		{ "10.2.242.109:0", "10.2.242.109:0", 0, false },
		{ "*:9998", "0.0.0.0:9998", 0, false },
		{ "::1:80", "", -EINVAL, false },
		{ "9999", "", -EINVAL, false },
		{ ":9999", "", -EINVAL, false },
		{ "[]:9999", "", -EINVAL, false },
		{ "127.0.0.1:", "", -EINVAL, false },
		{ "127.0.0.1:65536", "", -EINVAL, false },
		{ "127.0.0.1:http", "", -EINVAL, false },
		{ "300.1.1.1.:80", "", -EADDRNOTAVAIL, false },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct sockaddr_storage sa;
		socklen_t len;
		char text[64];

		assert_int_equal(address_parse(t[i].text, &sa, &len), t[i].rc);
		if (t[i].rc < 0)
			continue;
		address_format((struct sockaddr *)&sa, len, text, sizeof(text));
		assert_string_equal(text, t[i].meant);
		assert_int_equal(address_is_loopback((struct sockaddr *)&sa), t[i].loopback);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_arrive_whole_however_they_are_cut),
		cmocka_unit_test(lines_lose_either_end),
		cmocka_unit_test(bad_lengths_end_the_link),
		cmocka_unit_test(half_a_unit_is_waited_for_only_so_long),
		cmocka_unit_test(drip_of_bytes_does_not_extend_a_unit),
		cmocka_unit_test(peer_that_does_not_read_is_dropped),
		cmocka_unit_test(peer_over_the_limit_is_told_and_the_others_stay),
		cmocka_unit_test(half_closed_peer_still_gets_its_answer),
		cmocka_unit_test(owner_may_answer_a_half_closed_peer_later),
		cmocka_unit_test(last_words_are_sent_before_the_close),
		cmocka_unit_test(closing_inside_a_unit_leaves_the_rest_unread),
		cmocka_unit_test(both_ends_talk),
		cmocka_unit_test(refused_connection_says_so),
		cmocka_unit_test(connecting_takes_no_longer_than_allowed),
		cmocka_unit_test(ten_thousand_connects_leave_no_descriptor),
		cmocka_unit_test(addresses_are_host_and_port),
	};
	return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}

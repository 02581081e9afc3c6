#include "node-genctl/gencli_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/frame.h"
#include "common/mem.h"

struct wire {
	struct wire_config config;
	int fd;
	uint32_t last_id;
	size_t n;
	uint8_t buf[FRAME_HEAD + FRAME_MAX];
};

const char *wire_strerror(int rc)
{
	switch (rc) {
	case -ETIMEDOUT:
		return "no answer in time";
	case -EBADMSG:
	case -EMSGSIZE:
		return "it does not speak the engine node's protocol";
	case -ECONNRESET:
		return "it closed the connection";
	case -EHOSTUNREACH:
		return "the host is unknown or cannot be reached";
	default:
		return strerror(-rc);
	}
}

/* 0 when the socket is ready for `events`; WIRE_UNREAD, with `watch_out` only. */
static int await(const struct wire *w, short events, int64_t deadline_ms, bool watch_out)
{
	struct pollfd p[2] = { { .fd = w->fd, .events = events }, { .fd = STDOUT_FILENO } };
	int rc;

	do {
		int64_t left = deadline_ms - clock_ms();

		rc = poll(p, watch_out ? 2 : 1, left > 0 ? (int)left : 0);
	} while (rc < 0 && errno == EINTR);
	if (rc < 0)
		return -errno;
	if (watch_out && (p[1].revents & POLLERR))
		return WIRE_UNREAD;
	return p[0].revents ? 0 : -ETIMEDOUT;
}

static int send_all(struct wire *w, const uint8_t *data, size_t n, int64_t deadline_ms)
{
	while (n > 0) {
		ssize_t sent = send(w->fd, data, n, MSG_NOSIGNAL);
		int rc = 0;

		if (sent > 0) {
			data += sent;
			n -= (size_t)sent;
		} else if (errno == EAGAIN) {
			rc = await(w, POLLOUT, deadline_ms, false);
		} else {
			rc = errno == EPIPE ? -ECONNRESET : -errno;
		}
		if (rc)
			return rc;
	}
	return 0;
}

static int receive(struct wire *w)
{
	ssize_t got = recv(w->fd, w->buf + w->n, sizeof(w->buf) - w->n, 0);

	if (got > 0) {
		w->n += (size_t)got;
		return 0;
	}
	if (got == 0)
		return -ECONNRESET;
	return errno == EAGAIN ? 0 : -errno;
}

/* The next whole message; 0 with *out NULL when more bytes are needed. */
static int take(struct wire *w, Genctl__Reply **out)
{
	ssize_t size = frame_size(w->buf, w->n);

	*out = NULL;
	if (size <= 0)
		return (int)size;
	*out = (Genctl__Reply *)frame_unpack(
	    &genctl__reply__descriptor, w->buf + FRAME_HEAD, (size_t)size - FRAME_HEAD, false);
	w->n -= (size_t)size;
	memmove(w->buf, w->buf + size, w->n);
	return *out ? 0 : -EBADMSG;
}

static int next_reply(struct wire *w, int64_t deadline_ms, bool watch_out, Genctl__Reply **out)
{
	for (;;) {
		int rc = take(w, out);

		if (rc || *out)
			return rc;
		rc = await(w, POLLIN, deadline_ms, watch_out);
		if (rc == 0)
			rc = receive(w);
		if (rc)
			return rc;
	}
}

static void push(struct wire *w, Genctl__Reply *reply)
{
	if (reply->body_case == GENCTL__REPLY__BODY_EVENT && w->config.on_event)
		w->config.on_event(w->config.arg, reply->event);
	genctl__reply__free_unpacked(reply, NULL);
}

int wire_ask(struct wire *w, Genctl__Request *request, Genctl__Reply **out)
{
	int64_t deadline_ms = clock_ms() + w->config.timeout_ms;
	size_t size;
	uint8_t *frame;
	int rc;

	request->id = ++w->last_id;
	frame = frame_pack(&request->base, &size);
	if (!frame)
		return -EMSGSIZE;
	rc = send_all(w, frame, size, deadline_ms);
	free(frame);
	while (rc == 0) {
		Genctl__Reply *reply;

		rc = next_reply(w, deadline_ms, false, &reply);
		if (rc == 0 && reply->id == request->id) {
			*out = reply;
			return 0;
		}
		if (rc == 0)
			push(w, reply);
	}
	return rc;
}

int wire_wait(struct wire *w, int64_t ms)
{
	Genctl__Reply *reply;
	int rc = next_reply(w, clock_ms() + ms, true, &reply);

	if (rc == 0)
		push(w, reply);
	return rc == -ETIMEDOUT ? 0 : rc;
}

static int connected(struct wire *w, const struct addrinfo *a, int64_t deadline_ms)
{
	int err = 0, rc = 0;
	socklen_t len = sizeof(err);

	w->fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (w->fd < 0)
		return -errno;
	if (connect(w->fd, a->ai_addr, a->ai_addrlen) == 0)
		return 0;
	rc = errno == EINPROGRESS ? await(w, POLLOUT, deadline_ms, false) : -errno;
	if (rc == 0 && getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0)
		rc = -err;
	if (rc) {
		close(w->fd);
		w->fd = -1;
	}
	return rc;
}

static int connect_any(struct wire *w, int64_t deadline_ms)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	char port[8];
	int rc = -EHOSTUNREACH;

	snprintf(port, sizeof(port), "%d", w->config.port);
	if (getaddrinfo(w->config.host, port, &hints, &list) != 0)
		return -EHOSTUNREACH;
	for (const struct addrinfo *a = list; a && rc; a = a->ai_next)
		rc = connected(w, a, deadline_ms);
	freeaddrinfo(list);
	return rc;
}

static int say_hello(struct wire *w)
{
	Genctl__Hello hello;
	Genctl__Request request;
	Genctl__Reply *reply;
	char name[] = "gencli", version[] = PIGENNY_VERSION;
	int rc;

	genctl__hello__init(&hello);
	hello.major = 1;
	hello.name = name;
	hello.role = GENCTL__ROLE__OPERATOR;
	hello.version = version;
	genctl__request__init(&request);
	request.body_case = GENCTL__REQUEST__BODY_HELLO;
	request.hello = &hello;
	rc = wire_ask(w, &request, &reply);
	if (rc)
		return rc;
	rc = reply->body_case == GENCTL__REPLY__BODY_HELLO ? 0 : -EPROTONOSUPPORT;
	genctl__reply__free_unpacked(reply, NULL);
	return rc;
}

int wire_open(const struct wire_config *config, struct wire **out)
{
	struct wire *w = xcalloc(1, sizeof(*w));
	int rc;

	w->config = *config;
	w->fd = -1;
	rc = connect_any(w, clock_ms() + config->timeout_ms);
	if (rc == 0)
		rc = say_hello(w);
	if (rc) {
		wire_close(w);
		return rc;
	}
	*out = w;
	return 0;
}

void wire_close(struct wire *w)
{
	if (w && w->fd >= 0)
		close(w->fd);
	free(w);
}

#include "node-genctl/board.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"

enum { PACKET = 16, CALL_MS = 50, CANARY = 0x59 };

struct board_sim {
	struct board base;
	struct sockaddr_un at;
	int fd; /* -1: not connected */
	int64_t deadline_ms;
};

/* Whole calls are bounded, not single transfers: each starts with its own deadline. */
static int begin(struct board_sim *s)
{
	s->deadline_ms = clock_ms() + CALL_MS;
	if (s->fd >= 0)
		return 0;
	s->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return -ENODEV;
	if (connect(s->fd, (struct sockaddr *)&s->at, sizeof(s->at)) == 0)
		return 0;
	close(s->fd);
	s->fd = -1;
	return -ENODEV;
}

static bool answered(struct board_sim *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	int64_t left_ms = s->deadline_ms - clock_ms();

	return poll(&p, 1, left_ms > 0 ? left_ms : 0) == 1;
}

/* A late answer must not be taken for the next one's, so any failure ends the connection. */
static int drop(struct board_sim *s)
{
	close(s->fd);
	s->fd = -1;
	return -EIO;
}

/* One transaction; *value is set when the answer carries a byte. */
static int transfer(struct board_sim *s, const char *request, uint8_t *value)
{
	char answer[PACKET] = "";
	unsigned int byte;
	ssize_t n;

	if (send(s->fd, request, strlen(request), MSG_NOSIGNAL) < 0 || !answered(s))
		return drop(s);
	n = recv(s->fd, answer, sizeof(answer) - 1, 0);
	if (n <= 0)
		return drop(s);
	if (answer[0] != 'A')
		return -EIO;
	if (value) {
		if (sscanf(answer, "A %2x", &byte) != 1)
			return -EIO;
		*value = byte;
	}
	return 0;
}

static int board_sim_open(struct board **out, const struct board_config *config)
{
	struct board_sim *s = xcalloc(1, sizeof(*s));

	s->base.ops = &board_sim;
	s->fd = -1;
	s->at.sun_family = AF_UNIX;
	snprintf(s->at.sun_path, sizeof(s->at.sun_path), "%s", config->socket);
	*out = &s->base;
	return 0;
}

static int board_sim_write(struct board *self, uint8_t relays)
{
	struct board_sim *s = (struct board_sim *)self;
	char request[PACKET];
	int rc = begin(s);

	if (rc < 0)
		return rc;
	snprintf(request, sizeof(request), "W 10 %02x", relays);
	return transfer(s, request, NULL);
}

static int board_sim_read(struct board *self, uint8_t *raw)
{
	struct board_sim *s = (struct board_sim *)self;
	char canary[PACKET];
	uint8_t byte, lie;
	int rc = begin(s);

	if (rc == 0)
		rc = transfer(s, "C 20", NULL);
	if (rc == 0)
		rc = transfer(s, "R", &byte);
	if (rc < 0)
		return rc;
	snprintf(canary, sizeof(canary), "@%02x R", CANARY);
	if (byte == 0 && s->fd >= 0 && transfer(s, canary, &lie) == 0)
		return -EBADMSG;
	*raw = byte;
	return 0;
}

static void board_sim_close(struct board *self)
{
	struct board_sim *s = (struct board_sim *)self;

	if (s && s->fd >= 0)
		close(s->fd);
	free(s);
}

const struct board_ops board_sim = {
	.name = "sim",
	.open = board_sim_open,
	.write_relays = board_sim_write,
	.read_inputs = board_sim_read,
	.close = board_sim_close,
};

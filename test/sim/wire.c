#include "test/sim/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

enum { MBAP = 7, SILENCE_MS = 50 };

const char *const wire_mode_names[WIRE_NMODES] = { "ok", "silent", "crc", "late", "dribble",
	"half", "lost-first", "nonsense", "busy" };

void wire_device_init(struct wire_device *d)
{
	*d = (struct wire_device){ .unit = 1,
		.poll_ms = 1000,
		.delay_ms = 400,
		.idle_ms = 5000,
		.heard_ms = INT_MIN };
	for (int i = 0; i < SLAVE_NREGS; i++)
		d->answered_ms[0][i] = d->answered_ms[1][i] = INT_MIN;
}

/* Sets the far end raw, as a serial line is that nobody has configured for text. */
static int make_raw(const char *pty)
{
	int fd = open(pty, O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios tio;

	if (fd < 0)
		return -errno;
	if (tcgetattr(fd, &tio) == 0) {
		cfmakeraw(&tio);
		tcsetattr(fd, TCSANOW, &tio);
	}
	close(fd);
	return 0;
}

int wire_open_pty(struct wire *w, const char *link)
{
	char name[64];
	int rc;

	*w = (struct wire){ .fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) };
	if (w->fd < 0)
		return -errno;
	if (grantpt(w->fd) < 0 || unlockpt(w->fd) < 0 || ptsname_r(w->fd, name, sizeof(name))) {
		wire_close(w);
		return -EIO;
	}
	rc = make_raw(name);
	unlink(link);
	if (rc == 0 && symlink(name, link) < 0)
		rc = -errno;
	if (rc < 0)
		wire_close(w);
	return rc;
}

int wire_listen(const char *address, int *listener, int *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t size = sizeof(at);
	const char *colon = strchr(address, ':');
	char host[16] = "";
	int on = 1;

	if (!colon || (size_t)(colon - address) >= sizeof(host))
		return -EINVAL;
	memcpy(host, address, (size_t)(colon - address));
	at.sin_port = htons((uint16_t)atoi(colon + 1));
	if (inet_pton(AF_INET, host, &at.sin_addr) != 1)
		return -EINVAL;
	*listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*listener < 0)
		return -errno;
	setsockopt(*listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(*listener, (struct sockaddr *)&at, size) < 0 || listen(*listener, 1) < 0 ||
	    getsockname(*listener, (struct sockaddr *)&at, &size) < 0)
		return -errno;
	*port = ntohs(at.sin_port);
	return 0;
}

void wire_close(struct wire *w)
{
	if (w->fd >= 0)
		close(w->fd);
	*w = (struct wire){ .fd = -1 };
}

void wire_accept(struct wire *w, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	wire_close(w);
	*w = (struct wire){ .fd = fd, .tcp = true };
}

static bool lost(const struct wire_device *d, int64_t pause_ms)
{
	return d->mode == WIRE_SILENT || (d->mode == WIRE_LOST_FIRST && pause_ms > d->idle_ms);
}

/* The answer to a request PDU for us, or 0 bytes of it. */
static size_t respond(struct wire_device *d, const uint8_t request[static 5],
    uint8_t answer[static SLAVE_PDU], int64_t now_ms)
{
	unsigned first = request[1] << 8 | request[2];
	int64_t *answered_ms = &d->answered_ms[request[0] == 4][first % SLAVE_NREGS];
	int64_t pause_ms = now_ms - d->heard_ms;
	size_t n;

	d->requests++;
	d->heard_ms = now_ms;
	if (lost(d, pause_ms))
		return 0;
	if (now_ms - *answered_ms < d->poll_ms) {
		d->early++;
		return 0;
	}
	*answered_ms = now_ms;
	if (d->mode == WIRE_BUSY) {
		answer[0] = request[0] | 0x80;
		answer[1] = 6;
		return 2;
	}
	n = slave_pdu(&d->input, &d->holding, request, answer);
	if (d->mode == WIRE_NONSENSE && n > 2)
		memset(answer + 2, 0xff, n - 2);
	return n;
}

static void put_on_line(struct wire *w, const struct wire_device *d, size_t n, int64_t now_ms)
{
	if (d->mode == WIRE_CRC)
		w->out[n - 1] ^= 0x5a;
	w->out_n = d->mode == WIRE_HALF ? n / 2 : n;
	w->out_sent = 0;
	w->gap_ms = d->mode == WIRE_DRIBBLE ? d->delay_ms : 0;
	w->due_ms = now_ms + (d->mode == WIRE_LATE ? d->delay_ms : w->gap_ms);
}

static void answer_rtu(struct wire *w, struct wire_device *d, int64_t now_ms)
{
	size_t n;

	if (!slave_addressed(w->in, d->unit))
		return;
	n = respond(d, w->in + 1, w->out + 1, now_ms);
	if (n == 0)
		return;
	w->out[0] = w->in[0];
	put_on_line(w, d, slave_seal(w->out, 1 + n), now_ms);
}

static void answer_tcp(struct wire *w, struct wire_device *d, int64_t now_ms)
{
	size_t n = respond(d, w->in + MBAP, w->out + MBAP, now_ms);

	if (n == 0)
		return;
	memcpy(w->out, w->in, MBAP);
	w->out[4] = 0;
	w->out[5] = (uint8_t)(n + 1);
	put_on_line(w, d, MBAP + n, now_ms);
}

static void receive(struct wire *w, struct wire_device *d, int64_t now_ms)
{
	size_t whole = w->tcp ? MBAP + 5 : SLAVE_REQUEST;
	ssize_t n;

	if (now_ms - w->in_ms > SILENCE_MS && !w->tcp)
		w->in_n = 0; /* a pause ends a frame, whole or not */
	n = read(w->fd, w->in + w->in_n, whole - w->in_n);
	w->hung = n < 0 && errno == EIO;
	if (w->tcp && (n == 0 || (n < 0 && errno != EAGAIN))) {
		wire_close(w);
		return;
	}
	if (n <= 0)
		return;
	w->in_ms = now_ms;
	w->in_n += (size_t)n;
	if (w->in_n < whole)
		return;
	w->in_n = 0;
	if (w->tcp)
		answer_tcp(w, d, now_ms);
	else
		answer_rtu(w, d, now_ms);
}

static void transmit(struct wire *w, int64_t now_ms)
{
	size_t n = w->gap_ms ? 1 : w->out_n - w->out_sent;

	if (write(w->fd, w->out + w->out_sent, n) < 0)
		n = w->out_n - w->out_sent; /* nobody listens: as on a cut line */
	w->out_sent += n;
	w->due_ms = now_ms + w->gap_ms;
	if (w->out_sent == w->out_n)
		w->out_n = w->out_sent = 0;
}

void wire_serve(struct wire *w, struct wire_device *d, int64_t now_ms)
{
	if (w->fd >= 0 && !w->out_n)
		receive(w, d, now_ms);
	if (w->fd >= 0 && w->out_n && now_ms >= w->due_ms)
		transmit(w, now_ms);
}

int64_t wire_due_ms(const struct wire *w)
{
	return w->fd >= 0 && w->out_n ? w->due_ms : INT64_MAX;
}

#include "node-genctl/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/log.h"

enum { FEED_MS = 1000 };

/* sd_notify(3): a datagram to the socket that systemd named; '@' is the abstract space. */
static int open_notify(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	socklen_t len;
	int fd;

	if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(at.sun_path))
		return -1;
	len = offsetof(struct sockaddr_un, sun_path) + strlen(path);
	memcpy(at.sun_path, path, strlen(path));
	if (at.sun_path[0] == '@')
		at.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, len) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void notify(const struct watchdog *w, const char *text)
{
	if (w->notify >= 0)
		(void)!send(w->notify, text, strlen(text), MSG_NOSIGNAL);
}

void watchdog_open(struct watchdog *w, const char *device)
{
	*w = (struct watchdog){ .device = -1, .notify = open_notify() };
	if (!device[0])
		return;
	w->device = open(device, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
	if (w->device < 0)
		log_warn("watchdog", "%s: %s; going on without it", device, strerror(errno));
}

void watchdog_feed(struct watchdog *w, int64_t now_ms)
{
	if (now_ms - w->fed_ms < FEED_MS)
		return;
	w->fed_ms = now_ms;
	if (w->device >= 0)
		(void)!write(w->device, "", 1);
	notify(w, "WATCHDOG=1");
}

void watchdog_ready(struct watchdog *w, pid_t main)
{
	char text[64];

	snprintf(text, sizeof(text), "MAINPID=%d\nREADY=1", (int)main);
	notify(w, text);
}

void watchdog_stopping(struct watchdog *w)
{
	notify(w, "STOPPING=1");
}

void watchdog_disarm(struct watchdog *w)
{
	/* The "magic close" of the kernel's watchdog interface. */
	if (w->device >= 0) {
		(void)!write(w->device, "V", 1);
		close(w->device);
	}
	if (w->notify >= 0)
		close(w->notify);
	w->device = w->notify = -1;
}

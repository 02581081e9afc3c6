#include "test/sim/endpoint.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int seqpacket(void)
{
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static const struct sockaddr *address(const struct endpoint *ep)
{
	return (const struct sockaddr *)&ep->at;
}

/* Removes a socket file that no server stands behind. */
static void remove_stale(const struct endpoint *ep)
{
	int fd = seqpacket();

	if (fd >= 0 && connect(fd, address(ep), sizeof(ep->at)) < 0 && errno == ECONNREFUSED)
		unlink(ep->at.sun_path);
	if (fd >= 0)
		close(fd);
}

int endpoint_open(struct endpoint *ep, const char *path)
{
	int err;

	ep->at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	for (int i = 0; i < EP_CLIENTS; i++)
		ep->clients[i].fd = -1;
	ep->listener = -1;
	if (strlen(path) >= sizeof(ep->at.sun_path))
		return -ENAMETOOLONG;
	strcpy(ep->at.sun_path, path);
	remove_stale(ep);
	ep->listener = seqpacket();
	if (ep->listener >= 0 && bind(ep->listener, address(ep), sizeof(ep->at)) == 0 &&
	    listen(ep->listener, EP_CLIENTS) == 0)
		return 0;
	err = errno;
	if (ep->listener >= 0)
		close(ep->listener);
	ep->listener = -1;
	return -err;
}

static void drop(struct ep_client *c)
{
	close(c->fd);
	c->fd = -1;
	c->due_ms = 0;
}

void endpoint_close(struct endpoint *ep)
{
	if (ep->listener < 0)
		return;
	for (int i = 0; i < EP_CLIENTS; i++)
		if (ep->clients[i].fd >= 0)
			drop(&ep->clients[i]);
	close(ep->listener);
	ep->listener = -1;
	unlink(ep->at.sun_path);
}

void endpoint_poll(const struct endpoint *ep, struct pollfd slots[static EP_SLOTS])
{
	slots[0] = (struct pollfd){ .fd = ep->listener, .events = POLLIN };
	for (int i = 0; i < EP_CLIENTS; i++) {
		const struct ep_client *c = &ep->clients[i];
		int fd = ep->listener >= 0 && !c->due_ms ? c->fd : -1;

		slots[1 + i] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
}

static void take_client(struct endpoint *ep)
{
	int fd = accept4(ep->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	for (int i = 0; i < EP_CLIENTS; i++) {
		if (ep->clients[i].fd >= 0)
			continue;
		ep->clients[i].fd = fd;
		return;
	}
	close(fd);
}

static void answer(struct ep_client *c)
{
	size_t n = strlen(c->reply);

	c->due_ms = 0;
	if (send(c->fd, c->reply, n, MSG_NOSIGNAL) != (ssize_t)n)
		drop(c);
}

static void request(struct endpoint *ep, struct ep_client *c, int64_t delay_ms, int64_t now_ms)
{
	char text[EP_REQUEST + 1];
	ssize_t n = recv(c->fd, text, EP_REQUEST, 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	text[n] = 0;
	text[strcspn(text, "\r\n")] = 0;
	ep->handle(ep->owner, text, c->reply);
	c->due_ms = now_ms + delay_ms;
}

void endpoint_serve(struct endpoint *ep, const struct pollfd slots[static EP_SLOTS],
    int64_t delay_ms, int64_t now_ms)
{
	for (int i = 0; i < EP_CLIENTS; i++) {
		struct ep_client *c = &ep->clients[i];

		if (ep->listener < 0 || c->fd < 0)
			continue;
		if (slots[1 + i].fd == c->fd && slots[1 + i].revents)
			request(ep, c, delay_ms, now_ms);
		if (c->due_ms && c->due_ms <= now_ms)
			answer(c);
	}
	if (slots[0].revents & POLLIN)
		take_client(ep);
}

int64_t endpoint_due_ms(const struct endpoint *ep)
{
	int64_t due_ms = INT64_MAX;

	for (int i = 0; ep->listener >= 0 && i < EP_CLIENTS; i++)
		if (ep->clients[i].due_ms && ep->clients[i].due_ms < due_ms)
			due_ms = ep->clients[i].due_ms;
	return due_ms;
}

int endpoint_count(const struct endpoint *ep)
{
	int n = 0;

	for (int i = 0; ep->listener >= 0 && i < EP_CLIENTS; i++)
		n += ep->clients[i].fd >= 0;
	return n;
}

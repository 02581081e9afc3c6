/* Descriptors and the sockets between the processes of one node. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "test/simulate/judge.h"
#include "test/simulate/os.h"
#include "test/simulate/report.h"
#include "test/simulate/wraps.h"

static struct fd fds[FDS];

struct fd *os_fd(int fd)
{
	if (fd < FD_BASE || fd >= FDS || fds[fd].kind == FD_NONE) {
		errno = EBADF;
		return NULL;
	}
	return &fds[fd];
}

int os_open(enum fd_kind kind)
{
	for (int fd = FD_BASE; fd < FDS; fd++) {
		struct fd *f = &fds[fd];

		if (f->kind != FD_NONE)
			continue;
		f->kind = kind;
		f->owner = proc_self;
		f->peer = -1;
		f->ended = f->reset = f->locked = false;
		f->address = 0;
		f->nbacklog = 0;
		f->head = f->tail = 0;
		return fd;
	}
	report_broken("the simulation is out of descriptors");
}

void os_reset(void)
{
	for (int fd = 0; fd < FDS; fd++)
		fds[fd].kind = FD_NONE;
}

void os_close(int fd)
{
	struct fd *f = &fds[fd], *peer = f->peer >= 0 ? &fds[f->peer] : NULL;

	if (f->kind == FD_DOOR) {
		for (int i = 0; i < f->nbacklog; i++)
			os_close(f->backlog[i]);
	}
	if (peer) {
		peer->ended = true;
		peer->reset = f->head != f->tail;
		peer->peer = -1;
		proc_wake(peer->owner);
	}
	f->kind = FD_NONE;
	f->peer = -1;
}

bool os_readable(int fd)
{
	const struct fd *f = &fds[fd];

	switch (f->kind) {
	case FD_PAIR:
	case FD_CLIENT:
		return f->head != f->tail || f->ended || f->reset;
	case FD_SIGNALS:
		return f->owner->signals != 0;
	case FD_DOOR:
		return f->nbacklog > 0;
	default:
		return false;
	}
}

static int count_ready(struct pollfd *p, nfds_t n)
{
	int ready = 0;

	for (nfds_t i = 0; i < n; i++) {
		p[i].revents = p[i].fd >= 0 && os_readable(p[i].fd) ? POLLIN : 0;
		ready += p[i].revents != 0;
	}
	return ready;
}

int __wrap_poll(struct pollfd *p, nfds_t n, int timeout_ms)
{
	int64_t end_ms = timeout_ms < 0 ? INT64_MAX : sim_ms + timeout_ms;
	int ready;

	proc_call();
	while ((ready = count_ready(p, n)) == 0 && sim_ms < end_ms)
		proc_block(end_ms);
	return ready;
}

int __wrap_socketpair(int domain, int type, int protocol, int pair[2])
{
	proc_call();
	pair[0] = os_open(FD_PAIR);
	pair[1] = os_open(FD_PAIR);
	fds[pair[0]].peer = pair[1];
	fds[pair[1]].peer = pair[0];
	return 0;
}

static bool put(struct fd *to, const void *data, size_t n)
{
	uint32_t size = (uint32_t)n;

	if (to->head == to->tail)
		to->head = to->tail = 0;
	if (to->tail + sizeof(size) + n > QUEUE_BYTES)
		return false;
	memcpy(to->queue + to->tail, &size, sizeof(size));
	memcpy(to->queue + to->tail + sizeof(size), data, n);
	to->tail += sizeof(size) + n;
	return true;
}

static size_t take(struct fd *from, void *data, size_t n)
{
	uint32_t size;

	memcpy(&size, from->queue + from->head, sizeof(size));
	memcpy(data, from->queue + from->head + sizeof(size), size < n ? size : n);
	from->head += sizeof(size) + size;
	return size;
}

ssize_t __wrap_send(int fd, const void *data, size_t n, int flags)
{
	struct fd *f;

	proc_call();
	f = os_fd(fd);
	if (!f)
		return -1;
	if (f->peer < 0) {
		errno = EPIPE;
		return -1;
	}
	if (!put(&fds[f->peer], data, n)) {
		errno = EAGAIN;
		return -1;
	}
	judge_message(proc_self, data, n);
	proc_wake(fds[f->peer].owner);
	return (ssize_t)n;
}

ssize_t __wrap_recv(int fd, void *data, size_t n, int flags)
{
	struct fd *f;
	size_t size;

	proc_call();
	f = os_fd(fd);
	if (!f)
		return -1;
	while (!(flags & MSG_DONTWAIT) && !os_readable(fd))
		proc_block(INT64_MAX);
	if (f->reset) {
		f->reset = false;
		errno = ECONNRESET;
		return -1;
	}
	if (f->head != f->tail) {
		size = take(f, data, n);
		return (ssize_t)(flags & MSG_TRUNC || size < n ? size : n);
	}
	if (f->ended)
		return 0;
	errno = EAGAIN;
	return -1;
}

int __wrap_shutdown(int fd, int how)
{
	struct fd *f;

	proc_call();
	f = os_fd(fd);
	if (!f || f->peer < 0)
		return -1;
	fds[f->peer].ended = true;
	proc_wake(fds[f->peer].owner);
	return 0;
}

int __wrap_close(int fd)
{
	proc_call();
	if (!os_fd(fd))
		return -1;
	os_close(fd);
	return 0;
}

/* The operator's socket */

int __wrap_socket(int domain, int type, int protocol)
{
	proc_call();
	if (domain != AF_UNIX || !(type & SOCK_STREAM)) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return os_open(FD_DOOR);
}

int __wrap_bind(int fd, const struct sockaddr *at, socklen_t len)
{
	proc_call();
	return os_fd(fd) ? 0 : -1;
}

int __wrap_listen(int fd, int backlog)
{
	proc_call();
	return os_fd(fd) ? 0 : -1;
}

int __wrap_accept4(int fd, struct sockaddr *peer, socklen_t *len, int flags)
{
	struct fd *f;
	int client;

	proc_call();
	f = os_fd(fd);
	if (!f || f->nbacklog == 0) {
		errno = f ? EAGAIN : EBADF;
		return -1;
	}
	client = f->backlog[0];
	f->nbacklog--;
	memmove(f->backlog, f->backlog + 1, sizeof(f->backlog) - sizeof(f->backlog[0]));
	fds[client].owner = proc_self;
	return client;
}

/* As a fork does, after which the child closed all others and the parent closes this one. */
int os_hand_over(int fd, struct proc *to)
{
	int other = os_open(fds[fd].kind);

	fds[other] = fds[fd];
	fds[other].owner = to;
	fds[fds[fd].peer].peer = other;
	fds[fd].peer = -1;
	return other;
}

static struct fd *find_door(void)
{
	for (int fd = FD_BASE; fd < FDS; fd++)
		if (fds[fd].kind == FD_DOOR && fds[fd].nbacklog < DOOR_BACKLOG)
			return &fds[fd];
	return NULL;
}

int os_ask_door(const char *word, char *answer, size_t size, int64_t limit_ms)
{
	struct fd *door = find_door();
	int64_t end_ms = sim_ms + limit_ms;
	int ours, theirs, rc = -ETIMEDOUT;

	if (!door)
		return -ECONNREFUSED;
	ours = os_open(FD_CLIENT);
	theirs = os_open(FD_CLIENT);
	fds[ours].peer = theirs;
	fds[theirs].peer = ours;
	fds[theirs].owner = NULL;
	put(&fds[theirs], word, strlen(word));
	door->backlog[door->nbacklog++] = theirs;
	proc_wake(door->owner);
	while (!os_readable(ours) && sim_ms < end_ms)
		proc_block(end_ms);
	if (fds[ours].head != fds[ours].tail) {
		rc = (int)take(&fds[ours], answer, size - 1);
		answer[rc < (int)size - 1 ? rc : (int)size - 1] = 0;
	}
	os_close(ours);
	return rc;
}

void os_ended(struct proc *p)
{
	for (int fd = FD_BASE; fd < FDS; fd++)
		if (fds[fd].kind != FD_NONE && fds[fd].owner == p)
			os_close(fd);
}

#include "node-monitor/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "common/clock.h"
#include "common/mem.h"
#include "node-monitor/view.h"

enum { ASKERS_MAX = 4, WORD_MAX = 16 };

struct asker {
	LIST_ENTRY(asker) entry;
	struct status *status;
	struct bufferevent *bev;
	bool answered;
};

struct status {
	const struct site *site; /* borrowed */
	struct evconnlistener *listener;
	LIST_HEAD(askers, asker) askers;
	int count, lock;
	struct sockaddr_un at;
};

static const struct {
	const char *word;
	void (*render)(const struct site *, int64_t, char *);
} words[] = { { "screen", view_screen }, { "line", view_line }, { "json", view_json } };

static void asker_free(struct asker *a)
{
	LIST_REMOVE(a, entry);
	a->status->count--;
	bufferevent_free(a->bev);
	free(a);
}

static void on_end(struct bufferevent *bev, short what, void *arg)
{
	asker_free(arg);
}

static void on_written(struct bufferevent *bev, void *arg)
{
	struct asker *a = arg;

	if (a->answered)
		asker_free(a);
}

static void answer(struct asker *a, const char *word)
{
	char text[VIEW_SIZE];

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, word) != 0)
			continue;
		words[i].render(a->status->site, clock_ms(), text);
		bufferevent_write(a->bev, text, strlen(text));
	}
	a->answered = true;
}

static void on_word(struct bufferevent *bev, void *arg)
{
	struct asker *a = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	char *word = evbuffer_readln(in, NULL, EVBUFFER_EOL_LF);

	if (word && !a->answered)
		answer(a, word);
	else if (evbuffer_get_length(in) > WORD_MAX)
		a->answered = true;
	free(word);
	if (a->answered && evbuffer_get_length(bufferevent_get_output(bev)) == 0)
		asker_free(a);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *peer, int len, void *arg)
{
	const struct timeval limit = { .tv_sec = 1 };
	struct status *st = arg;
	struct asker *a;

	if (st->count == ASKERS_MAX) {
		close(fd);
		return;
	}
	a = xcalloc(1, sizeof(*a));
	a->status = st;
	a->bev = bufferevent_socket_new(
	    evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);
	if (!a->bev)
		abort(); /* out of memory */
	LIST_INSERT_HEAD(&st->askers, a, entry);
	st->count++;
	bufferevent_setcb(a->bev, on_word, on_written, on_end, a);
	bufferevent_set_timeouts(a->bev, &limit, &limit);
	bufferevent_enable(a->bev, EV_READ | EV_WRITE);
}

static int address(const char *runtime_dir, struct sockaddr_un *at)
{
	*at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (snprintf(at->sun_path, sizeof(at->sun_path), "%s/monitord.sock", runtime_dir) >=
	    (int)sizeof(at->sun_path))
		return -ENAMETOOLONG;
	return 0;
}

static int lock(const char *runtime_dir)
{
	char path[160];
	int fd;

	if (mkdir(runtime_dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	snprintf(path, sizeof(path), "%s/monitord.lock", runtime_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		return -EBUSY;
	}
	return fd;
}

/* The lock is ours, so a socket that is there was left by a monitor that died. */
static int listen_at(struct status *st, struct event_base *base)
{
	const struct sockaddr *sa = (const struct sockaddr *)&st->at;
	mode_t before;

	(void)unlink(st->at.sun_path);
	before = umask(0177);
	st->listener = evconnlistener_new_bind(base, on_accept, st,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, ASKERS_MAX, sa, sizeof(st->at));
	umask(before);
	return st->listener ? 0 : -errno;
}

int status_open(struct event_base *base, const char *runtime_dir, const struct site *site,
    struct status **out)
{
	struct status *st = xcalloc(1, sizeof(*st));
	int rc;

	LIST_INIT(&st->askers);
	st->site = site;
	rc = address(runtime_dir, &st->at);
	st->lock = rc < 0 ? rc : lock(runtime_dir);
	if (st->lock >= 0)
		rc = listen_at(st, base);
	else
		rc = st->lock;
	if (rc < 0) {
		status_close(st);
		return rc;
	}
	*out = st;
	return 0;
}

void status_close(struct status *st)
{
	if (!st)
		return;
	while (!LIST_EMPTY(&st->askers))
		asker_free(LIST_FIRST(&st->askers)); /* NOLINT: a freed one is off the list */
	if (st->listener) {
		evconnlistener_free(st->listener);
		(void)unlink(st->at.sun_path);
	}
	if (st->lock >= 0)
		close(st->lock);
	free(st);
}

/* Client */

static ssize_t exchange(int fd, const char *word, char *text, size_t size)
{
	size_t n = 0;
	ssize_t got;

	if (send(fd, word, strlen(word), MSG_NOSIGNAL) < 0 ||
	    send(fd, "\n", 1, MSG_NOSIGNAL) < 0)
		return -errno;
	while (n + 1 < size && (got = recv(fd, text + n, size - 1 - n, 0)) != 0) {
		if (got < 0)
			return -errno;
		n += (size_t)got;
	}
	text[n] = 0;
	return (ssize_t)n;
}

int status_ask(const char *runtime_dir, const char *word, char *text, size_t size)
{
	const struct timeval limit = { .tv_sec = 1 };
	struct sockaddr_un at;
	ssize_t n = address(runtime_dir, &at);
	int fd = n < 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return n < 0 ? (int)n : -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	n = connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0
		? -errno
		: exchange(fd, word, text, size);
	close(fd);
	return n < 0 ? (int)n : n == 0 ? -EAGAIN : 0;
}

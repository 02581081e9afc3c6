/*
 * echo - a bare libevent server: what round trips cost with nothing behind them.
 *
 * Listens on a loopback port it prints. Each request says how long its answer must be, so
 * that requests and answers have the sizes of another server's. Runs until killed.
 *
 *   offset 0  length of what follows, big-endian
 *          4  length of the answer without its head, big-endian
 *          8  anything
 *
 * The answer is its own length, big-endian, and zeros.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

enum { HEAD = 4, BODY_MAX = 65536 };

static void on_read(struct bufferevent *bev, void *arg)
{
	static struct {
		uint32_t head;
		uint8_t body[BODY_MAX];
	} answer;
	struct evbuffer *in = bufferevent_get_input(bev);
	uint32_t word[2];

	while (evbuffer_copyout(in, word, sizeof(word)) == sizeof(word) &&
	       evbuffer_get_length(in) >= HEAD + ntohl(word[0])) {
		evbuffer_drain(in, HEAD + ntohl(word[0]));
		answer.head = word[1];
		if (ntohl(word[1]) <= BODY_MAX)
			bufferevent_write(bev, &answer, HEAD + ntohl(word[1]));
	}
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	bufferevent_free(bev);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *peer, int len, void *arg)
{
	struct bufferevent *bev = bufferevent_socket_new(arg, fd, BEV_OPT_CLOSE_ON_FREE);
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	bufferevent_setcb(bev, on_read, NULL, on_event, NULL);
	bufferevent_enable(bev, EV_READ);
}

int main(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	struct event_base *base = event_base_new();
	struct evconnlistener *listener = evconnlistener_new_bind(base, on_accept, base,
	    LEV_OPT_CLOSE_ON_FREE, 64, (struct sockaddr *)&at, sizeof(at));

	if (!listener ||
	    getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&at, &len) < 0) {
		perror("echo");
		return 1;
	}
	printf("%d\n", ntohs(at.sin_port));
	fflush(stdout);
	return event_base_dispatch(base) < 0;
}

/*
 * endpoint - a UNIX SOCK_SEQPACKET server: one packet is one request, one packet answers it.
 *
 * Serves EP_CLIENTS at once, a further one is closed at once. An answer may be held back
 * (delay_ms); its client's next request waits in the socket until then. Never blocks.
 *
 * Errors: endpoint_open 0 or -errno, -EADDRINUSE when another server answers there; a dead
 * server's socket file is replaced.
 */
#ifndef SIM_ENDPOINT_H
#define SIM_ENDPOINT_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

enum { EP_CLIENTS = 8, EP_SLOTS = 1 + EP_CLIENTS, EP_REQUEST = 128, EP_REPLY = 1024 };

struct endpoint {
	struct sockaddr_un at;
	int listener; /* -1: closed */
	/* Turns the request text (ends in 0, may be changed) into an answer of EP_REPLY bytes.
	 */
	void (*handle)(void *owner, char *request, char *reply);
	void *owner;
	struct ep_client {
		int fd;
		int64_t due_ms; /* of the waiting reply; 0: none waits */
		char reply[EP_REPLY];
	} clients[EP_CLIENTS];
};

int endpoint_open(struct endpoint *ep, const char *path);
void endpoint_close(struct endpoint *ep); /* removes the socket file */
void endpoint_poll(const struct endpoint *ep, struct pollfd slots[static EP_SLOTS]);
void endpoint_serve(struct endpoint *ep, const struct pollfd slots[static EP_SLOTS],
    int64_t delay_ms, int64_t now_ms);
int64_t endpoint_due_ms(const struct endpoint *ep); /* INT64_MAX: nothing waits */
int endpoint_count(const struct endpoint *ep);

#endif

#include "common/address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum { HOST_MAX = 256 };

/* Copies the host without brackets; returns the port's text or NULL. */
static const char *split(const char *text, char host[HOST_MAX])
{
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;

	if (n == 0 || colon[1] == '\0')
		return NULL;
	if (text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	} else if (memchr(text, ':', n)) {
		return NULL; /* IPv6 without brackets: which colon starts the port? */
	}
	if (n == 0 || n >= HOST_MAX)
		return NULL;
	memcpy(host, text, n);
	host[n] = '\0';
	return colon + 1;
}

static const struct addrinfo *preferred(const struct addrinfo *list)
{
	for (const struct addrinfo *a = list; a; a = a->ai_next) {
		if (a->ai_family == AF_INET)
			return a;
	}
	return list;
}

static bool port_is_number(const char *port)
{
	size_t n = strspn(port, "0123456789");
	int value = 0;

	for (size_t i = 0; i < n && value <= 65535; i++)
		value = value * 10 + (port[i] - '0');
	return port[n] == '\0' && value <= 65535;
}

int address_parse(const char *text, struct sockaddr_storage *out, socklen_t *len)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct addrinfo *list = NULL;
	const struct addrinfo *a;
	char host[HOST_MAX];
	const char *port = split(text, host);

	if (!port || !port_is_number(port))
		return -EINVAL;
	if (strcmp(host, "*") == 0)
		strcpy(host, "0.0.0.0");
	if (getaddrinfo(host, port, &hints, &list) != 0)
		return -EADDRNOTAVAIL;
	a = preferred(list);
	memset(out, 0, sizeof(*out));
	memcpy(out, a->ai_addr, a->ai_addrlen);
	*len = a->ai_addrlen;
	freeaddrinfo(list);
	return 0;
}

void address_format(const struct sockaddr *sa, socklen_t len, char *text, size_t size)
{
	char host[NI_MAXHOST], port[NI_MAXSERV];
	int flags = NI_NUMERICHOST | NI_NUMERICSERV;

	if (getnameinfo(sa, len, host, sizeof(host), port, sizeof(port), flags) != 0)
		snprintf(text, size, "unknown");
	else if (sa->sa_family == AF_INET6)
		snprintf(text, size, "[%s]:%s", host, port);
	else
		snprintf(text, size, "%s:%s", host, port);
}

bool address_is_loopback(const struct sockaddr *sa)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (sa->sa_family == AF_INET) {
		memcpy(&v4, sa, sizeof(v4));
		return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
	}
	if (sa->sa_family != AF_INET6)
		return false;
	memcpy(&v6, sa, sizeof(v6));
	return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) ||
	       (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) && v6.sin6_addr.s6_addr[12] == 127);
}

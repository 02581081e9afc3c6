/*
 * address - "host:port" as a socket address, and back.
 *
 * Host is a name, an IPv4 address or an IPv6 one in brackets; "*" is every interface. A
 * name is looked up (blocking, at start only); IPv4 is preferred, as "localhost" means.
 *
 * Errors: -EINVAL not of this shape; -EADDRNOTAVAIL the name is not known.
 */
#ifndef COMMON_ADDRESS_H
#define COMMON_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

int address_parse(const char *text, struct sockaddr_storage *out, socklen_t *len);
void address_format(const struct sockaddr *sa, socklen_t len, char *text, size_t size);
bool address_is_loopback(const struct sockaddr *sa);

#endif

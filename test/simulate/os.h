/*
 * os - the operating system that the nodes' code meets: descriptors, sockets, processes,
 * clocks. Calls of the shipped code come here by the linker's --wrap.
 *
 * Units: ms. Offsets are added to the true clock.
 */
#ifndef SIMULATE_OS_H
#define SIMULATE_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "test/simulate/sched.h"

enum { FD_BASE = 3, FDS = 96, QUEUE_BYTES = 32768, DOOR_BACKLOG = 4 };
enum fd_kind {
	FD_NONE,
	FD_PAIR,
	FD_SIGNALS,
	FD_LEDGER,
	FD_BOOT_ID,
	FD_FOLDER,
	FD_I2C,
	FD_GPIO,
	FD_LINE,
	FD_DOOR,
	FD_CLIENT,
	FD_NULL
};

struct fd {
	enum fd_kind kind;
	struct proc *owner;
	int peer;	   /* -1: none, or it is closed */
	bool ended, reset; /* the peer sends no more; and left something unread */
	bool locked;
	int address; /* of the I2C device */
	int backlog[DOOR_BACKLOG], nbacklog;
	size_t head, tail; /* of the messages in `queue`, each after its size */
	uint8_t queue[QUEUE_BYTES];
};

struct machine {
	int64_t mono_ms; /* what the monotonic clock read at sim_ms 0 */
	int64_t wall_ms; /* what the wall clock did */
	char boot_id[37];
};
extern struct machine machines[NODES];

struct fd *os_fd(int fd); /* of whoever runs; NULL and EBADF */
int os_open(enum fd_kind kind);
void os_close(int fd);
int os_hand_over(int fd, struct proc *to); /* the number it has there */
void os_reset(void);
bool os_readable(int fd);
void os_ended(struct proc *p); /* closes what it had and tells its parent */
/* The operator's side of the guard's socket: the answer's length, or -errno. */
int os_ask_door(const char *word, char *answer, size_t size, int64_t limit_ms);
/* A start of the engine node's children that fails, for a while. */
extern int64_t os_no_fork_until_ms;

#endif

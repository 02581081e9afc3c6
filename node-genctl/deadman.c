#include "node-genctl/deadman.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

enum { RETRY_MS = 20, SLOW_MS = 1000, PROBE_MS = 500, TAKEN_MS = 1000, GIVE_UP_MS = 600000 };
enum ending { ENDED, SILENT, ORDERLY };

struct deadman {
	const struct genctl_config *config;
	struct board *board;
	pid_t guard;
	int fd;
	uint8_t relays;
	bool proved;
};

/* Waits for the next beat; false: none came in `limit_ms`. */
static bool readable(const struct deadman *d, int limit_ms)
{
	struct pollfd p = { .fd = d->fd, .events = POLLIN };

	return poll(&p, 1, limit_ms) > 0;
}

/* Of an attempt: there is no run to keep. */
static bool starting(const struct deadman *d)
{
	return d->relays && (!d->proved || (d->relays & RELAY_STARTER));
}

static int silence_ms(const struct deadman *d)
{
	if (d->relays & RELAY_STARTER)
		return DEADMAN_CRANK_MS;
	return starting(d) ? DEADMAN_START_MS : DEADMAN_SILENT_MS;
}

static enum ending listen_to_guard(struct deadman *d)
{
	for (;;) {
		struct deadman_beat beat;
		ssize_t n;

		if (!readable(d, silence_ms(d)))
			return SILENT;
		n = recv(d->fd, &beat, sizeof(beat), 0);
		/* Told once when the guard left echoes unread; its last beats still follow. */
		if (n < 0 && errno == ECONNRESET)
			continue;
		if (n != (ssize_t)sizeof(beat))
			return ENDED;
		if (beat.orderly)
			return ORDERLY;
		d->relays = beat.relays;
		d->proved = beat.proved;
		(void)!send(
		    d->fd, &beat.serial, sizeof(beat.serial), MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}

/* True once the old guard's end of the socket is closed: it can write no more. */
static bool guard_is_gone(const struct deadman *d, int limit_ms)
{
	int64_t end_ms = clock_ms() + limit_ms;
	struct deadman_beat beat;

	if (getppid() == d->guard)
		kill(d->guard, SIGKILL);
	do {
		int64_t left_ms = end_ms - clock_ms();

		if (readable(d, left_ms > 0 ? left_ms : 0) &&
		    recv(d->fd, &beat, sizeof(beat), 0) <= 0)
			return true;
	} while (clock_ms() < end_ms);
	return false;
}

static void open_everything(struct deadman *d)
{
	int64_t begin_ms = clock_ms();
	bool gone = guard_is_gone(d, RETRY_MS);

	while (clock_ms() - begin_ms < GIVE_UP_MS) {
		bool acked = d->board->ops->write_relays(d->board, 0) == 0;

		if (acked && gone) {
			log_warn("deadman", "guard gone in an attempt: all relays opened");
			return;
		}
		gone = gone || guard_is_gone(d, 0);
		poll(NULL, 0, clock_ms() - begin_ms < SLOW_MS ? RETRY_MS : SLOW_MS);
	}
	log_error("deadman", "the board never acknowledged 0x00: stop the engine by hand");
}

/* Writes under the board's lock. -EWOULDBLOCK: a new guard is there. */
static int write_locked(struct deadman *d, uint8_t relays)
{
	int lock = board_lock(&d->config->board), rc;

	if (lock < 0)
		return lock;
	rc = d->board->ops->write_relays(d->board, relays);
	close(lock);
	return rc;
}

/* Until acknowledged; false: a new guard has taken over, or the board is gone for good. */
static bool insist(struct deadman *d, uint8_t relays)
{
	int64_t begin_ms = clock_ms();

	while (clock_ms() - begin_ms < GIVE_UP_MS) {
		int rc = write_locked(d, relays);

		if (rc == 0 || rc == -EWOULDBLOCK)
			return rc == 0;
		poll(NULL, 0, SLOW_MS);
	}
	return false;
}

/* False: a new guard came in the meantime. A dead process's lock may go a moment after its
 * socket, and a lock may be held round a single write, so only one that stays is a guard's. */
static bool alone_for(const struct deadman *d, int64_t span_ms)
{
	int64_t end_ms = clock_ms() + span_ms, free_ms = clock_ms();

	while (clock_ms() < end_ms) {
		int lock = board_lock(&d->config->board);

		if (lock != -EWOULDBLOCK)
			free_ms = clock_ms();
		else if (clock_ms() - free_ms >= TAKEN_MS)
			return false;
		if (lock >= 0)
			close(lock);
		poll(NULL, 0, PROBE_MS);
	}
	return true;
}

static void bring_down(struct deadman *d)
{
	log_warn("deadman", "guard gone while the engine runs: %d s for a new one",
	    DEADMAN_WAIT_MS / 1000);
	while (!guard_is_gone(d, SLOW_MS))
		;
	if (!alone_for(d, DEADMAN_WAIT_MS) || !insist(d, RELAY_IGNITION))
		return;
	log_warn("deadman", "no new guard: cooling down, then stopping");
	if (alone_for(d, d->config->engine.cooldown_ms) && insist(d, 0))
		log_warn("deadman", "engine stopped");
}

static void act(struct deadman *d)
{
	if (!d->relays)
		guard_is_gone(d, SLOW_MS);
	else if (starting(d))
		open_everything(d);
	else
		bring_down(d);
}

int deadman_main(const struct genctl_config *config, pid_t guard, int guard_fd)
{
	struct deadman d = { .config = config, .guard = guard, .fd = guard_fd };

	if (board_kinds[config->board.kind]->open(&d.board, &config->board) < 0)
		return 1;
	if (listen_to_guard(&d) != ORDERLY)
		act(&d);
	d.board->ops->close(d.board);
	return 0;
}

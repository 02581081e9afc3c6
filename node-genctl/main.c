#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/options.h"
#include "node-genctl/config.h"
#include "node-genctl/guard.h"
#include "node-genctl/handover.h"

enum { EXIT_DEVICE = 3, LOCK_WAIT_MS = 3000, LOCK_RETRY_MS = 50 };

static const struct option_row rows[] = { { .name = NULL } };

/* A deadman holds the lock for moments, another genctld for good. */
static int take_lock(const struct genctl_config *config)
{
	int64_t end_ms = clock_ms() + LOCK_WAIT_MS;
	int lock;

	while ((lock = board_lock(&config->board)) == -EWOULDBLOCK && clock_ms() < end_ms)
		poll(NULL, 0, LOCK_RETRY_MS);
	return lock;
}

static const char *device(const struct genctl_config *config)
{
	return board_kinds[config->board.kind] == &board_sim ? config->board.socket
							     : config->board.bus;
}

/* A device that is missing may come later; the guard shows the fault until then. */
static int start(struct genctl_config *config, int handover, char *const *argv)
{
	int lock = handover < 0 ? take_lock(config) : -1;

	if (handover < 0 && lock == -EWOULDBLOCK) {
		log_error("genctld", "%s belongs to another genctld: stop that one first",
		    device(config));
		return EXIT_DEVICE;
	}
	if (handover < 0 && lock < 0)
		log_error("genctld", "%s: %s: no relay can be moved until it is there",
		    device(config), strerror(-lock));
	if (config->insecure)
		log_warn("genctld", "insecure = true: whoever reaches %s may start the engine",
		    config->listen);
	config_scale(config);
	return guard_run(config, lock, handover, argv);
}

int main(int argc, char **argv)
{
	static const struct options options = { .program = "genctld",
		.about = "Runs a diesel generator through a relay board, within its limits.",
		.config = "/etc/pigenny/genctl.conf",
		.keys = config_keys,
		.rows = rows,
		.check = config_check };
	static struct genctl_config config;
	const char *handover = getenv(HANDOVER_ENV);
	struct options o = options;
	int fd = handover ? atoi(handover) : -1, rc;

	unsetenv(HANDOVER_ENV);
	o.nkeys = config_nkeys;
	rc = options_start(&o, argc, argv, &config);
	if (rc >= 0)
		return rc;
	log_set_level((enum log_level)config.log_level);
	return start(&config, fd, argv);
}

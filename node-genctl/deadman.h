/*
 * deadman - opens the relays when the guard itself is gone or hangs.
 *
 * The guard tells it before and after each write which relays may be closed, and beats
 * with every sample; each beat is echoed. It acts when the socket ends, or when beats stop:
 * for 200 ms while the starter may be closed, for 1 s in the rest of an attempt, for 5 s
 * otherwise.
 *
 *   starter may be closed  -> 0x00 at once, until acknowledged
 *   engine not proved      -> the same: fuel is on and there is no run to keep
 *   engine runs            -> 60 s for a new guard, then 0x08, the cool-down, 0x00
 *   nothing closed         -> ends
 *
 * Never two writers: a silent guard is SIGKILLed first, and a descriptor of a dead process
 * closes only after its last system call has returned; so the end of the socket proves that
 * no write of the old guard is still to come. Until that end is seen 0x00 is written again.
 * A new guard holds the board's lock: whoever finds it taken for 1 s, or when it wants to
 * write, leaves. The lock is held here only round a write, and a new guard waits up to 3 s
 * for it.
 */
#ifndef GENCTL_DEADMAN_H
#define GENCTL_DEADMAN_H

#include <sys/types.h>

#include "node-genctl/config.h"

struct deadman_beat { /* guard -> deadman; `serial` alone comes back */
	uint32_t serial;
	uint8_t relays;	 /* that may be closed */
	uint8_t proved;	 /* 1: the engine runs */
	uint8_t orderly; /* 1: the guard leaves with every relay open: end */
};

enum {
	DEADMAN_CRANK_MS = 200,
	DEADMAN_START_MS = 1000,
	DEADMAN_SILENT_MS = 5000,
	DEADMAN_WAIT_MS = 60000
};

int deadman_main(const struct genctl_config *config, pid_t guard, int guard_fd);

#endif

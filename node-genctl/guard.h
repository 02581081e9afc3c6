/*
 * guard - the parent process: owns board, inputs and interlock, and every relay write.
 *
 * One thread, one poll(), nothing allocated after the start. It samples every 20 ms while
 * the starter is closed, every 100 ms while any relay is, else every second; passes what
 * control asks for through the interlock; writes what the interlock demands by itself; and
 * keeps control, saver and deadman alive. It never waits for any of them.
 *
 *   audit   nothing is written until the inputs have proved that a running engine is ours
 *           (then 0x08), else the first byte is 0x00
 *   live    orders pass the gate
 *   leaving SIGTERM: the engine comes down, then all end
 *
 * Errors: guard_run returns the status to exit with: 0 ended, 3 board or folder unusable.
 */
#ifndef GENCTL_GUARD_H
#define GENCTL_GUARD_H

#include "node-genctl/config.h"

/* `lock`: the board's lock, held; or `handover`: the old guard's socket, which passes it on.
 * The other is -1. `argv` starts an heir. */
int guard_run(const struct genctl_config *config, int lock, int handover, char *const *argv);

#endif

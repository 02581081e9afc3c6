/*
 * control - the engine node's thinking process: orders in, one wish out, step by step.
 *
 * Feeds lease and sequence from what the guard tells, asks the guard for bytes, answers the
 * network. It never touches the board, and loses nothing that matters when it dies: the
 * guard starts it again and it takes on what runs.
 */
#ifndef GENCTL_CONTROL_H
#define GENCTL_CONTROL_H

#include "node-genctl/config.h"

/* Runs until the guard's end closes or the guard says so; the process's exit status. */
int control_main(const struct genctl_config *config, int guard_fd);

#endif

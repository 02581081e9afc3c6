/*
 * child - starts one of the guard's three child processes.
 *
 * The child keeps `fd`, its end of the guard's socket, and no other descriptor; it ends with
 * the guard, except the deadman. The terminal's Ctrl-C is the guard's affair.
 *
 * Errors: -errno of fork.
 */
#ifndef GENCTL_CHILD_H
#define GENCTL_CHILD_H

#include <sys/types.h>

#include "node-genctl/config.h"

enum child_kind { CHILD_CONTROL, CHILD_SAVER, CHILD_DEADMAN, CHILDREN };

const char *child_name(enum child_kind kind); /* of the process */
/* The child's number; `guard` is the caller's own. */
pid_t child_start(
    const struct genctl_config *config, enum child_kind kind, pid_t guard, int fd);

#endif

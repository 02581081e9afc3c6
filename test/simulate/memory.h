/*
 * memory - each virtual process's own heap, so that a kill frees it and an end shows a leak.
 *
 * malloc and its kin of the whole program are defined here; the simulation's own memory comes
 * from the C library as ever. The k-th allocation of the nodes can be made to fail.
 */
#ifndef SIMULATE_MEMORY_H
#define SIMULATE_MEMORY_H

#include <stddef.h>

struct proc;

void memory_release(struct proc *p); /* all it still has */

#endif

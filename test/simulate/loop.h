/*
 * loop - the dozen libevent calls that control and schedule use, over virtual time.
 *
 * What the network and the workers have for a process is posted to its loop and runs there.
 */
#ifndef SIMULATE_LOOP_H
#define SIMULATE_LOOP_H

#include <stdint.h>

struct event_base;

typedef void loop_fn(void *arg, int64_t number);
void loop_post(struct event_base *base, loop_fn *fn, void *arg, int64_t number);
struct proc *loop_owner(const struct event_base *base);
void loop_reset(void);
void loop_ended(const struct proc *p); /* its loop is gone */
/* Runs the loop of a process of the simulation's own until *stop, at most until end_ms. */
void loop_until(struct event_base *base, const _Bool *stop, int64_t end_ms);

#endif

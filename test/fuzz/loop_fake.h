/*
 * loop_fake - the part of libevent that control.c uses, on the target's clock.
 *
 * Timers fire when loop_fake_until() moves the clock past them, in order; descriptors are
 * asked when loop_fake_heard() says so. event_base_dispatch() runs the target's own
 * conversation, set with loop_fake_set(), and returns when that does.
 */
#ifndef TEST_LOOP_FAKE_H
#define TEST_LOOP_FAKE_H

#include <stdbool.h>
#include <stdint.h>

void loop_fake_set(void (*run)(void *arg), void *arg);
void loop_fake_until(int64_t now_ms);
void loop_fake_heard(void);  /* calls who waits to read */
bool loop_fake_broken(void); /* event_base_loopbreak() was called */
void *loop_fake_owner(void); /* the argument of the events: the control */

#endif

/*
 * guard_fake - a control process whose guard, engine and clock are played by the target.
 *
 * control_main() runs as shipped, on loop_fake and link_fake; its socket to the guard ends
 * here, in two short queues. The guard is the shipped interlock with an engine that catches
 * when it is told to, and moods: it may refuse, keep silent or not even read.
 *
 * Asserts of every order: it is one; its serial grows; a byte is one of the sequence's; raw bytes
 * only in maintenance; after an emergency stop no byte that closes a relay and no start until the
 * guard says another mode; a first attempt only while somebody who may has asked for a run since.
 */
#ifndef TEST_GUARD_FAKE_H
#define TEST_GUARD_FAKE_H

#include "node-genctl/control_parts.h"
#include "test/fuzz/fuzz.h"

enum guard_mood { GUARD_OBEYS, GUARD_REFUSES, GUARD_SILENT, GUARD_DEAF, GUARD_MOODS };

/* Runs one conversation between a control that starts and a guard that leaves. */
void guard_fake_run(
    const struct genctl_config *config, void (*conversation)(void *arg), void *arg);
/* Short times inside the table's bounds, both servers listening. */
void guard_fake_config(struct genctl_config *config);
struct control *guard_fake_control(void);

/* One of the things that time, guard, engine and operator do; `what` 0..15 and `arg` 0..15. */
enum guard_act { ACT_WAIT, ACT_WAIT_LONG, ACT_MOOD, ACT_ENGINE, ACT_OPERATOR };
void guard_fake_act(enum guard_act what, unsigned arg);
void guard_fake_wait(int64_t ms);
/* All is well, the operator says off, and the engine gets the time to come down. */
void guard_fake_rest(void);
/* Orders that were sent are carried out, and their answers heard. */
void guard_fake_settle(void);

/* Somebody's accepted order: a run may begin until then; INT64_MIN: no more. */
void guard_fake_allow(int64_t until_ms);
void guard_fake_estopped(void); /* an emergency stop was accepted just now */

#endif

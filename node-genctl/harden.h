/*
 * harden - what keeps guard and deadman on time: never the out-of-memory killer's choice,
 * memory locked, real-time priority. Each is an advantage, none is needed: without the
 * right to it the process goes on. Children start without the priority.
 */
#ifndef GENCTL_HARDEN_H
#define GENCTL_HARDEN_H

void harden(void);
void harden_undo(void); /* in a child that may be sacrificed */

#endif

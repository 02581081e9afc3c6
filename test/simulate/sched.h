/*
 * sched - virtual time and the processes of one simulated site, all in this one process.
 *
 * A virtual process runs the shipped main function on a stack of its own and gives way only
 * where it would block. Time stands still while anybody can run; then it moves on to what is
 * due next. Who was due first runs first, so a run is the same each time. In quiet times the
 * clock may leap past due times (sched_leap): then every process is late, as on a stalled
 * machine, and those that others listen for speak first.
 *
 * A process can be killed at any call it makes to its operating system: its memory and its
 * descriptors go with it.
 *
 * Units: ms of one true monotonic clock; a node's own clock differs by its offset (os.h).
 */
#ifndef SIMULATE_SCHED_H
#define SIMULATE_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROCS = 12, ARG_BYTES = 64 };
enum proc_state { PROC_FREE, PROC_READY, PROC_BLOCKED, PROC_ZOMBIE };
enum node { NODE_ENGINE, NODE_MONITOR, NODE_SECOND, NODE_OPERATOR, NODES };

struct block { /* in front of each piece of memory a process has */
	struct block *next, *prev;
	size_t size, pad;
};

struct proc {
	const char *name;
	enum proc_state state;
	enum node node;
	int pid, parent, status; /* parent 0: the service manager */
	int64_t due_ms, wake_ms, frozen_until_ms;
	uint64_t order;		/* among those due at one time */
	uint32_t signals, doom; /* pending; killed after so many calls, 0: not */
	bool mortal;		/* ends with its parent */
	int rank;		/* after a leap: who is woken first */
	int (*main)(const void *arg);
	_Alignas(16) char arg[ARG_BYTES];
	struct block heap;
	size_t heap_bytes, heap_most;
	int error; /* its errno while another runs */
	void *stack, *jump;
};

extern int64_t sim_ms;
extern struct proc *proc_self; /* NULL: the simulation itself */
extern struct proc procs[PROCS];

void sched_reset(void); /* ends every process and forgets all timers */
/* Runs until end_ms, or until *stop. */
void sched_run(int64_t end_ms, const bool *stop);

struct proc *proc_start(
    const char *name, enum node node, int (*main)(const void *arg), const void *arg, size_t n);
struct proc *proc_find(const char *name);   /* alive; NULL */
void proc_kill(struct proc *p, int status); /* does not return if it is oneself */
void proc_block(int64_t until_ms);	    /* until woken or then; spurious returns happen */
void proc_sleep(int64_t until_ms);	    /* no sooner than then */
void proc_wake(struct proc *p);
void proc_freeze(struct proc *p, int64_t until_ms);
void proc_call(void); /* each call to the operating system: here a process may be killed */

typedef void timer_fn(void *arg, int64_t number);
void timer_at(int64_t at_ms, timer_fn *fn, void *arg, int64_t number);

/* What the others must supply: how far the clock may leap now (0: not), what moves with the
 * clock, and what to do when a process has ended. */
int64_t sched_leap(void);
void sched_moved(void);
void sched_ended(struct proc *p);

#endif

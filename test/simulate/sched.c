#include "test/simulate/sched.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "test/simulate/memory.h"
#include "test/simulate/report.h"

enum { STACK_BYTES = 384 * 1024, TIMERS = 4096, SPIN_MAX = 200000, RANKS = 3 };

struct timer {
	int64_t at_ms;
	uint64_t order;
	timer_fn *fn;
	void *arg;
	int64_t number;
};

int64_t sim_ms;
struct proc *proc_self;
struct proc procs[PROCS];

static struct timer timers[TIMERS]; /* a heap, the earliest first */
static int ntimers;
static uint64_t orders;
static int pids;
static jmp_buf home, jumps[PROCS];
static char *stacks[PROCS];

/* Timers */

static bool before(const struct timer *a, const struct timer *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void swap(int a, int b)
{
	struct timer t = timers[a];

	timers[a] = timers[b];
	timers[b] = t;
}

void timer_at(int64_t at_ms, timer_fn *fn, void *arg, int64_t number)
{
	int i = ntimers++;

	if (ntimers == TIMERS)
		report_broken("the simulation has too many timers");
	timers[i] = (struct timer){ at_ms, ++orders, fn, arg, number };
	for (; i > 0 && before(&timers[i], &timers[(i - 1) / 2]); i = (i - 1) / 2)
		swap(i, (i - 1) / 2);
}

static struct timer take_timer(void)
{
	struct timer first = timers[0];

	timers[0] = timers[--ntimers];
	for (int i = 0, least; 2 * i + 1 < ntimers; i = least) {
		least = 2 * i + 1;
		if (least + 1 < ntimers && before(&timers[least + 1], &timers[least]))
			least++;
		if (!before(&timers[least], &timers[i]))
			break;
		swap(i, least);
	}
	return first;
}

static bool run_timers(void)
{
	bool some = false;

	while (ntimers > 0 && timers[0].at_ms <= sim_ms) {
		struct timer t = take_timer();

		t.fn(t.arg, t.number);
		some = true;
	}
	return some;
}

/* Processes */

static char *stack_of(int i)
{
	if (!stacks[i])
		stacks[i] = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stacks[i] == MAP_FAILED || mprotect(stacks[i], 4096, PROT_NONE) < 0)
		abort();
	return stacks[i];
}

static void first_step(void)
{
	struct proc *p = proc_self;
	int status = p->main(p->arg);

	if (status == 0 && p->heap_bytes > 0)
		report_violation("LEAK", p->name);
	proc_kill(p, status << 8);
}

static ucontext_t back; /* only to come here from the first step of a process */

static void begin(int i)
{
	static ucontext_t fresh[PROCS];

	getcontext(&fresh[i]);
	fresh[i].uc_stack.ss_sp = stack_of(i);
	fresh[i].uc_stack.ss_size = STACK_BYTES;
	fresh[i].uc_link = NULL;
	makecontext(&fresh[i], first_step, 0);
	procs[i].jump = NULL;
	procs[i].stack = &fresh[i];
}

struct proc *proc_start(
    const char *name, enum node node, int (*main)(const void *arg), const void *arg, size_t n)
{
	struct proc *p = procs;

	while (p < procs + PROCS && p->state != PROC_FREE)
		p++;
	if (p == procs + PROCS || n > ARG_BYTES)
		report_broken("the simulation has too many processes");
	*p = (struct proc){ .name = name,
		.state = PROC_READY,
		.node = node,
		.pid = ++pids + 100,
		.due_ms = sim_ms,
		.order = ++orders,
		.main = main };
	p->heap.next = p->heap.prev = &p->heap;
	memcpy(p->arg, arg, n);
	begin((int)(p - procs));
	return p;
}

struct proc *proc_find(const char *name)
{
	for (struct proc *p = procs; p < procs + PROCS; p++)
		if ((p->state == PROC_READY || p->state == PROC_BLOCKED) &&
		    strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

static void leave(void)
{
	struct proc *p = proc_self;

	p->error = errno;
	if (p->state == PROC_FREE || p->state == PROC_ZOMBIE || _setjmp(jumps[p - procs]) == 0)
		_longjmp(home, 1);
}

static void orphan(const struct proc *dead)
{
	for (struct proc *p = procs; p < procs + PROCS; p++) {
		if (p->state == PROC_FREE || p->parent != dead->pid)
			continue;
		p->parent = 0;
		if (p->state == PROC_ZOMBIE)
			p->state = PROC_FREE;
		else if (p->mortal)
			proc_kill(p, 9);
	}
}

void proc_kill(struct proc *p, int status)
{
	if (p->state != PROC_READY && p->state != PROC_BLOCKED)
		return;
	p->state = PROC_ZOMBIE;
	p->status = status;
	sched_ended(p);
	memory_release(p);
	orphan(p);
	if (p->parent == 0)
		p->state = PROC_FREE;
	if (p == proc_self)
		leave();
}

void proc_block(int64_t until_ms)
{
	struct proc *p = proc_self;

	p->state = PROC_BLOCKED;
	p->wake_ms = until_ms;
	leave();
}

void proc_sleep(int64_t until_ms)
{
	while (sim_ms < until_ms)
		proc_block(until_ms);
}

void proc_wake(struct proc *p)
{
	if (!p || p->state != PROC_BLOCKED)
		return;
	p->state = PROC_READY;
	p->due_ms = p->wake_ms < sim_ms ? p->wake_ms : sim_ms;
	p->order = ++orders;
}

void proc_freeze(struct proc *p, int64_t until_ms)
{
	p->frozen_until_ms = until_ms;
}

void proc_call(void)
{
	struct proc *p = proc_self;

	if (p && p->doom && --p->doom == 0)
		proc_kill(p, 9);
}

static void resume(struct proc *p)
{
	int i = (int)(p - procs);

	proc_self = p;
	errno = p->error;
	if (_setjmp(home) == 0) {
		if (p->jump)
			_longjmp(jumps[i], 1);
		p->jump = jumps[i];
		swapcontext(&back, p->stack);
	}
	proc_self = NULL;
}

static struct proc *next_ready(void)
{
	struct proc *first = NULL;

	for (struct proc *p = procs; p < procs + PROCS; p++) {
		if (p->state != PROC_READY || p->frozen_until_ms > sim_ms)
			continue;
		if (!first || p->due_ms < first->due_ms ||
		    (p->due_ms == first->due_ms && p->order < first->order))
			first = p;
	}
	return first;
}

static int64_t next_due_ms(void)
{
	int64_t at_ms = INT64_MAX;

	for (const struct proc *p = procs; p < procs + PROCS; p++) {
		int64_t t_ms = p->state == PROC_READY ? sim_ms : p->wake_ms;

		if (p->state != PROC_READY && p->state != PROC_BLOCKED)
			continue;
		if (t_ms < p->frozen_until_ms)
			t_ms = p->frozen_until_ms;
		if (t_ms < at_ms)
			at_ms = t_ms;
	}
	return at_ms;
}

static void wake_due(bool leapt)
{
	for (int rank = 0; rank < RANKS; rank++) {
		for (struct proc *p = procs; p < procs + PROCS; p++) {
			if (p->state != PROC_BLOCKED || p->wake_ms > sim_ms || p->rank != rank)
				continue;
			proc_wake(p);
			if (leapt)
				p->due_ms = sim_ms;
		}
	}
}

static void move_on(int64_t end_ms)
{
	int64_t due_ms = next_due_ms(), leap_ms = sched_leap();
	bool leaps = due_ms < sim_ms + leap_ms;

	if (leaps)
		due_ms = sim_ms + leap_ms;
	if (ntimers > 0 && timers[0].at_ms < due_ms)
		due_ms = timers[0].at_ms;
	if (due_ms > end_ms)
		due_ms = end_ms;
	if (due_ms > sim_ms)
		sim_ms = due_ms;
	sched_moved();
	run_timers();
	wake_due(leaps);
}

void sched_run(int64_t end_ms, const bool *stop)
{
	int64_t since_ms = sim_ms;
	int spins = 0;

	while (!*stop && sim_ms < end_ms) {
		struct proc *p = next_ready();

		if (!p) {
			move_on(end_ms);
			continue;
		}
		spins = since_ms == sim_ms ? spins + 1 : 0;
		since_ms = sim_ms;
		if (spins > SPIN_MAX) {
			report_violation("SPIN", p->name);
			return;
		}
		resume(p);
	}
}

void sched_reset(void)
{
	for (struct proc *p = procs; p < procs + PROCS; p++) {
		if (p->state == PROC_READY || p->state == PROC_BLOCKED)
			memory_release(p);
		p->state = PROC_FREE;
	}
	ntimers = 0;
	orders = 0;
	pids = 0;
	sim_ms = 0;
}

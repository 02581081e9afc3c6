/*
 * ipc - what guard and control say to each other over their SOCK_SEQPACKET pair.
 *
 * Both live on one machine and come from one binary: plain structs, checked for size and
 * kind. The guard pushes its whole state after every sample and after every order; control
 * answers with beats and orders. The guard trusts nothing in an order but its numbers.
 */
#ifndef GENCTL_IPC_H
#define GENCTL_IPC_H

#include "node-genctl/interlock.h"

enum order_kind {
	ORDER_BEAT,   /* alive; carries phase and deadline */
	ORDER_RELAYS, /* write `relays` if the gate lets it through */
	ORDER_BEGIN,  /* open an attempt; `arg` 1: first of its request */
	ORDER_MODE,   /* arg: enum mode */
	ORDER_ESTOP,
	ORDER_CLEAR,   /* always refused here: the wire is not the operator's socket */
	ORDER_RAW,     /* maintenance: `relays` for at most 10 s */
	ORDER_ABANDON, /* the request is over: drop its permit */
	ORDER_KINDS
};

enum order_lease { LEASE_NO_MATTER, LEASE_IS_HELD, LEASE_IS_LOST };

struct order {		       /* control -> guard */
	uint32_t kind, serial; /* serial grows by 1; echoed as `answered` */
	uint8_t relays, arg, phase;
	uint8_t by;	/* BEGIN: enum start_by */
	int32_t age_ms; /* BEGIN: of the order when it was accepted */
	int64_t since_ms, deadline_ms; /* of the phase; of the run (INT64_MAX: max_run) */
	uint8_t lease; /* enum order_lease, of the run that goes on */
};

struct guard_state { /* guard -> control */
	int64_t now_ms;
	struct inputs_view in;
	uint8_t relays, known;
	uint8_t forced; /* the last byte written was the guard's own */
	uint8_t mode, descending, permit, shutdown; /* shutdown: stop, then leave */
	uint8_t control_phase; /* last phase a control process told us, for adoption */
	uint8_t external, adopted;
	uint8_t simulated, reset_gpio;
	uint32_t answered;
	int32_t answer; /* 0, > 0: enum rule (RELAYS, RAW) or enum begin (BEGIN), or -errno */
	uint32_t alarms, latches;
	int64_t alarm_ms[ALARM_N]; /* since when each stands */
	uint8_t first;		   /* first-up: enum alarm; ALARM_N: none */
	int64_t control_since_ms;
	int64_t ready_ms; /* when rests allow a start */
	int64_t crank_ms; /* starter last opened; NEVER */
	int64_t charger_off_ms;
	int64_t stopped_ms; /* end of the last run; NEVER */
	int64_t run_from_ms, deadline_ms, lockout_until_ms;
	uint8_t failed, running;
	uint32_t request, total_starts, total_run_s;
	uint32_t reads, io_errors, restarts_control, restarts_saver, restarts_deadman;
	uint8_t told_alarm, told_rule; /* what this message newly reports; ALARM_N, RULE_NONE */
};

#endif

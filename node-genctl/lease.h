/*
 * lease - who may command the engine, until when: orders of several parties to one wish.
 *
 * Weight: emergency stop, maintenance, operator stop, operator start, lease holder. A
 * monitor must hold the lease (TTL 20 s by default, renewed every 5 s) and its orders carry
 * boot_id, epoch, seq and age; they say what is desired until when, never an edge. The same
 * seq again gets the stored answer. Lease lost: no new start, a running engine runs to the
 * deadline it was given.
 *
 * Units: *_ms monotonic. Errors: enum lease_code, in the order of the checks; numbers equal
 * Code in proto/genctl.proto.
 */
#ifndef GENCTL_LEASE_H
#define GENCTL_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "node-genctl/engine.h"

enum {
	LEASE_TTL_MS = 20000,
	LEASE_TTL_MAX_MS = 60000,
	ORDER_AGE_MS = 5000,
	ORDER_FOR_MAX_S = 900
};
enum lease_code {
	LEASE_OK = 0,
	LEASE_STALE = 4,
	LEASE_NOT_HOLDER = 5,
	LEASE_TAKEN = 6,
	LEASE_MODE = 8,
	LEASE_BAD_VALUE = 14
};

struct lease_order { /* Desired, from the holder */
	uint64_t boot_id;
	uint32_t epoch, seq, age_ms;
	bool run;
	uint32_t for_s;
};

struct lease {
	uint64_t boot_id;
	uint32_t epoch, seq;
	uint64_t holder; /* connection's number; 0: nobody */
	int64_t expires_ms;
	bool run;		/* desired, by the holder or the operator */
	bool stated;		/* under the present epoch or by an operator: may start */
	int32_t age_ms;		/* of the holder's run when it was accepted */
	int64_t run_until_ms;	/* INT64_MAX: until stop */
	enum lease_code answer; /* to `seq` */
	enum mode mode;		/* as the guard acknowledged it */
};

struct lease_wish {
	bool run;
	bool may_start;	     /* false: keep a running engine, begin nothing new */
	int64_t deadline_ms; /* when the engine must come down; INT64_MAX: at max_run */
};

void lease_init(struct lease *l, uint64_t boot_id);
enum lease_code lease_acquire(struct lease *l, uint64_t who, uint32_t ttl_ms, int64_t now_ms);
void lease_release(struct lease *l, uint64_t who); /* its orders stand to their deadline */
enum lease_code lease_order(
    struct lease *l, uint64_t who, const struct lease_order *order, int64_t now_ms);
/* An operator's start; for_s 0: until stopped. The guard has acknowledged the mode. */
void lease_operator_run(struct lease *l, uint32_t for_s, int64_t now_ms);
/* A mode the guard tells. Leaving AUTO or OPERATOR_RUN for a stop ends what was desired. */
void lease_mode(struct lease *l, enum mode mode);
/* An engine found running: it may run to the deadline it was given, nothing new. */
void lease_adopt(struct lease *l, int64_t run_until_ms);
bool lease_held(const struct lease *l, int64_t now_ms);
struct lease_wish lease_wish(const struct lease *l, int64_t now_ms);

#endif

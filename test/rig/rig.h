/*
 * rig - the engine node's pure parts wired together in one process under virtual time.
 *
 * Plays what guard and control do with them: samples at the guard's pace, the gate before
 * every write, forced writes at once, a ledger that is "saved" immediately. The engine
 * catches after `catch_ms` of cranking and stops 300 ms after ignition opens. Every change of
 * the relays is kept with its time; t = 0 is the write of 0x00 after WAIT.
 */
#ifndef TEST_RIG_H
#define TEST_RIG_H

#include "node-genctl/interlock.h"
#include "node-genctl/sequence.h"

enum { RIG_ROWS = 256 };

struct rig_row {
	int64_t at_ms;
	uint8_t relays;
};

struct rig {
	struct engine_config config;
	struct inputs inputs;
	struct interlock lock;
	struct sequence seq;
	int64_t now_ms, zero_ms, sample_ms, control_ms;
	/* the far end of the wires */
	uint8_t contacts, relays_seen;
	int32_t catch_ms; /* of cranking; INT32_MAX: never */
	int32_t cranked_ms, off_ms;
	bool turning;	      /* the engine runs */
	bool die, run_on;     /* scripted: stops now; does not stop */
	bool weld;	      /* the starter's contact stays closed */
	bool no_starter_wire; /* IN4 never rises */
	bool deaf;	      /* writes are not acknowledged */
	bool lossy;  /* writes are acknowledged and move nothing, as on a bus held low */
	int32_t raw; /* >= 0: inputs read this, whatever is true */
	enum sample_fault fault;
	uint8_t extra;	/* bits or-ed into every sample */
	int32_t lag_ms; /* control acts so much later than it could */
	bool frozen;	/* control is silent: the guard alone goes on */
	bool unguarded; /* no gate, no forced bytes: the sequence alone */
	/* what was seen */
	enum seq_wish wish;
	uint8_t attempts;
	enum seq_event events[16];
	int nevents;
	uint32_t alarms_told;
	enum rule refused; /* last */
	struct rig_row rows[RIG_ROWS];
	int nrows;
	struct seq_in in;
};

extern const struct engine_config rig_defaults; /* the seed's */

void rig_init(struct rig *r);
/* Virtual time passes, in steps of 10 ms. */
void rig_run(struct rig *r, int64_t ms);
/* Until the phase, or `limit_ms` have passed; false then. */
bool rig_until(struct rig *r, enum phase phase, int64_t limit_ms);
/* Asks for a byte as control would: the rule that forbids it, or RULE_NONE and written. */
enum rule rig_ask(struct rig *r, uint8_t relays);
bool rig_told(const struct rig *r, enum alarm alarm);
/* The guard dies and comes back with what its ledger says, adopting if it may. */
void rig_restart(struct rig *r);

#endif

/*
 * model - the engine node as a transition system over its shipped pure parts.
 *
 * A node is what all parts remember at the end of a tick; time stands at 0 in it and what lies
 * behind is negative. A step makes one move of the world: a tick with any sample, or, within
 * the tick, any act of control, operator, saver, board or of the machine. What the world may
 * choose from is asked through choose(); the search tries every answer.
 *
 *   MODEL_SEQUENCE  sequence alone: its bytes are written ungated, nothing is forced
 *   MODEL_GATE      gate and watch against any byte and order that control could send
 *   MODEL_NODE      sequence, gate and watch together, as shipped
 *
 * Errors: step() answers with the rules that the oracle found broken.
 */
#ifndef PROVE_MODEL_H
#define PROVE_MODEL_H

#include "node-genctl/interlock.h"
#include "node-genctl/sequence.h"
#include "test/oracle.h"

enum { CHOICES_MAX = 12 };
enum model_kind { MODEL_SEQUENCE, MODEL_GATE, MODEL_NODE, MODEL_KINDS };
enum wish { WISH_REST, WISH_RUN, WISH_KEEP }; /* KEEP: an adopted run nobody asks for anew */

struct node {
	struct inputs in;
	struct interlock k;
	struct sequence s;
	struct seq_in q;
	struct oracle o;
	uint8_t audit;	 /* ticks of looking before the first byte; 0: over */
	uint8_t begun;	 /* an attempt waits for the saver */
	uint8_t wish;	 /* enum wish */
	uint8_t adopted, latched, asked;
	uint8_t lost; /* the board acknowledges nothing */
};

struct choices { /* an odometer over all that one step asks */
	uint8_t n[CHOICES_MAX], pick[CHOICES_MAX];
	int asked;
};

struct step_note { /* for people: what a step did */
	const char *act;
	int arg, sample, relays;
	enum rule refused, forced;
};

struct model {
	enum model_kind kind;
	struct engine_config config;
	struct oracle_times times;
};

/* The i-th way to begin, which journal a start finds; false: there are no more. */
bool model_initial(const struct model *m, size_t i, struct node *n);
uint64_t model_step(
    const struct model *m, struct node *n, struct choices *c, struct step_note *note);
/* The next combination of answers; false when all were given. */
bool choices_next(struct choices *c);
/* Takes out what no part can tell apart any more. */
void model_canon(const struct model *m, struct node *n, int64_t now);
/* One byte a field, in NODE_KEY_MAX bytes at most; returns how many. */
enum { NODE_KEY_MAX = 160 };
size_t node_pack(const struct node *n, uint8_t key[static NODE_KEY_MAX]);
void node_unpack(const struct model *m, const uint8_t *key, struct node *n);

#endif

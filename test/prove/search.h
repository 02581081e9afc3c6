/*
 * search - breadth first over every node that a model reaches, and the shortest way to a fault.
 *
 * Errors: a space over the limit, or out of memory, ends the program: nothing is proved then.
 */
#ifndef PROVE_SEARCH_H
#define PROVE_SEARCH_H

#include "test/prove/model.h"

struct search {
	const struct model *m;
	size_t nodes, key_bytes, initial, room, mask;
	uint64_t transitions, refusals; /* refusals: bytes the gate held back */
	uint8_t *keys;
	uint32_t *parent, *table;
	uint16_t *move;
	uint64_t broken; /* the first violation found; 0: none */
	size_t at;	 /* the node it begins in */
	uint16_t by;	 /* the move that breaks it */
};

void search_run(struct search *s, const struct model *m, size_t nodes_max);
void search_free(struct search *s);
/* The shortest trace to the violation as a table. */
void search_print_trace(const struct search *s);
/* Calls visit() for each move of a node: the note, and the node that follows. */
void search_moves(const struct search *s, size_t node,
    void (*visit)(void *arg, const struct step_note *note, const struct node *next), void *arg);
/* The number of this node, which must be known. */
size_t search_find(const struct search *s, const struct node *n);

#endif

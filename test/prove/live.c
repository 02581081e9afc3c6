#include "test/prove/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NEW, OPEN, DONE };

struct frame {
	uint32_t node, next, n;
	uint32_t *to;
};

struct walk {
	const struct search *s;
	bool (*in)(const struct node *n);
	uint8_t *state;
	struct frame *stack;
	size_t depth, room, seen;
	uint32_t found[64];
	uint32_t nfound;
};

static bool fuel_on(const struct node *n)
{
	return !n->audit && n->k.known && n->k.relays & RELAY_IGNITION;
}

static bool starting(const struct node *n)
{
	return !n->audit && n->k.known && n->wish == WISH_RUN && n->s.phase >= PHASE_WAIT &&
	       (n->s.phase <= PHASE_STABILISE || n->s.phase == PHASE_REST);
}

static bool stopping(const struct node *n)
{
	return !n->audit && n->k.known && n->wish == WISH_REST && n->k.relays;
}

static void note_move(void *arg, const struct step_note *note, const struct node *next)
{
	struct walk *w = arg;

	if (strcmp(note->act, "tick") != 0 || !w->in(next) || w->nfound >= 64)
		return;
	w->found[w->nfound++] = (uint32_t)search_find(w->s, next);
}

static void push(struct walk *w, uint32_t node)
{
	struct frame *f;

	if (w->depth == w->room) {
		w->room = w->room ? w->room * 2 : 1024;
		w->stack = realloc(w->stack, w->room * sizeof(*w->stack));
		if (!w->stack)
			abort();
	}
	f = &w->stack[w->depth++];
	w->state[node] = OPEN;
	w->seen++;
	w->nfound = 0;
	search_moves(w->s, node, note_move, w);
	*f = (struct frame){ .node = node, .n = w->nfound };
	f->to = malloc((w->nfound + 1) * sizeof(*f->to));
	if (!f->to)
		abort();
	memcpy(f->to, w->found, w->nfound * sizeof(*f->to));
}

/* False: a cycle was found; its nodes stand on the stack. */
static bool walk_from(struct walk *w, uint32_t root)
{
	push(w, root);
	while (w->depth) {
		struct frame *f = &w->stack[w->depth - 1];

		if (f->next == f->n) {
			w->state[f->node] = DONE;
			free(f->to);
			w->depth--;
			continue;
		}
		uint32_t to = f->to[f->next++];
		if (w->state[to] == OPEN)
			return false;
		if (w->state[to] == NEW)
			push(w, to);
	}
	return true;
}

static bool ends(const struct search *s, bool (*in)(const struct node *n), const char *what,
    bool quiet)
{
	struct walk w = { .s = s, .in = in, .state = calloc(s->nodes, 1) };
	bool ok = true;

	if (!w.state)
		abort();
	for (size_t i = 0; i < s->nodes && ok; i++) {
		struct node n;

		node_unpack(s->m, s->keys + i * s->key_bytes, &n);
		if (in(&n) && w.state[i] == NEW)
			ok = walk_from(&w, (uint32_t)i);
	}
	if (!quiet)
		printf("          %s: %zu states, %s\n", what, w.seen,
		    ok ? "every way out is finite" : "STUCK");
	else if (!ok)
		printf("caught liveness: %s\n", what);
	while (w.depth)
		free(w.stack[--w.depth].to);
	free(w.stack);
	free(w.state);
	return ok;
}

bool live_check(const struct search *s, bool quiet)
{
	bool ok = ends(s, fuel_on, "fuel on", quiet);

	if (s->m->kind != MODEL_NODE)
		return ok;
	ok = ends(s, starting, "a start", quiet) && ok;
	return ends(s, stopping, "a stop", quiet) && ok;
}

#include "test/prove/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 1 << 16 };
#define NOWHERE UINT32_MAX

static void *grown(void *p, size_t n, size_t size)
{
	void *q = realloc(p, n * size);

	if (!q) {
		fprintf(stderr, "prove: out of memory at %zu entries\n", n);
		exit(2);
	}
	return q;
}

static uint64_t hash(const uint8_t *key, size_t n)
{
	uint64_t h = 0x9e3779b97f4a7c15u;

	for (; n >= 8; n -= 8, key += 8) {
		uint64_t word;

		memcpy(&word, key, 8);
		h = (h ^ word) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	for (; n > 0; n--, key++)
		h = (h ^ *key) * 0x100000001b3u;
	return h ^ h >> 29;
}

/* Where the key stands in the table, or would. */
static size_t slot(const struct search *s, const uint8_t *key)
{
	size_t i = hash(key, s->key_bytes) & s->mask;

	while (s->table[i] != NOWHERE &&
	       memcmp(s->keys + (size_t)s->table[i] * s->key_bytes, key, s->key_bytes) != 0)
		i = (i + 1) & s->mask;
	return i;
}

static void make_room(struct search *s)
{
	s->room = s->room ? s->room * 2 : FIRST_ROOM;
	s->mask = s->room * 2 - 1;
	s->keys = grown(s->keys, s->room, s->key_bytes);
	s->parent = grown(s->parent, s->room, sizeof(*s->parent));
	s->move = grown(s->move, s->room, sizeof(*s->move));
	s->table = grown(s->table, s->mask + 1, sizeof(*s->table));
	for (size_t i = 0; i <= s->mask; i++)
		s->table[i] = NOWHERE;
	for (size_t i = 0; i < s->nodes; i++)
		s->table[slot(s, s->keys + i * s->key_bytes)] = (uint32_t)i;
}

static void add(struct search *s, const struct node *n, uint32_t parent, uint16_t move)
{
	uint8_t key[NODE_KEY_MAX];
	size_t at;

	s->key_bytes = node_pack(n, key);
	if (s->nodes == s->room)
		make_room(s);
	at = slot(s, key);
	if (s->table[at] != NOWHERE)
		return;
	s->table[at] = (uint32_t)s->nodes;
	memcpy(s->keys + s->nodes * s->key_bytes, key, s->key_bytes);
	s->parent[s->nodes] = parent;
	s->move[s->nodes++] = move;
}

static void expand(struct search *s, size_t i)
{
	struct node from, n;
	struct choices c = { .asked = 0 };
	struct step_note note;
	uint16_t move = 0;

	node_unpack(s->m, s->keys + i * s->key_bytes, &from);
	do {
		uint64_t broken;

		n = from;
		broken = model_step(s->m, &n, &c, &note);
		s->transitions++;
		s->refusals += note.refused != RULE_NONE && note.refused != RULE_I1;
		if (broken && !s->broken) {
			s->broken = broken;
			s->at = i;
			s->by = move;
			return;
		}
		add(s, &n, (uint32_t)i, move++);
	} while (choices_next(&c));
}

void search_run(struct search *s, const struct model *m, size_t nodes_max)
{
	struct node n;

	*s = (struct search){ .m = m };
	for (size_t i = 0; model_initial(m, i, &n); i++)
		add(s, &n, NOWHERE, 0);
	s->initial = s->nodes;
	for (size_t i = 0; i < s->nodes && !s->broken; i++) {
		expand(s, i);
		if (s->nodes > nodes_max) {
			fprintf(stderr, "prove: more than %zu states\n", nodes_max);
			exit(2);
		}
	}
}

void search_free(struct search *s)
{
	free(s->keys);
	free(s->parent);
	free(s->move);
	free(s->table);
}

size_t search_find(const struct search *s, const struct node *n)
{
	uint8_t key[NODE_KEY_MAX];

	node_pack(n, key);
	return s->table[slot(s, key)];
}

void search_moves(const struct search *s, size_t node,
    void (*visit)(void *arg, const struct step_note *note, const struct node *next), void *arg)
{
	struct node from, n;
	struct choices c = { .asked = 0 };
	struct step_note note;

	node_unpack(s->m, s->keys + node * s->key_bytes, &from);
	do {
		n = from;
		model_step(s->m, &n, &c, &note);
		visit(arg, &note, &n);
	} while (choices_next(&c));
}

/* The trace */

static void print_row(int tick, const struct step_note *note, const struct node *n)
{
	char act[48], sample[8] = "", forced[8] = "";

	snprintf(act, sizeof(act), "%s%s%s", note->act,
	    note->refused ? ", refused: " : "", note->refused ? rule_info[note->refused].id : "");
	if (note->sample > -16 && note->sample < 16)
		snprintf(sample, sizeof(sample), "%X", (unsigned)note->sample);
	else if (note->sample != -99)
		snprintf(sample, sizeof(sample), "BAD");
	snprintf(forced, sizeof(forced), "%s", rule_info[note->forced].id);
	printf("  %4d  %-30s %-6s 0x%02X   %-6s %-15s %s\n", tick, act, sample, n->k.relays,
	    forced, phase_name(n->s.phase), n->k.known ? "" : "not acknowledged");
}

static void replay(const struct search *s, size_t from, uint16_t move, int *tick)
{
	struct choices c = { .asked = 0 };
	struct step_note note;
	struct node start, n;

	node_unpack(s->m, s->keys + from * s->key_bytes, &start);
	for (uint16_t i = 0;; i++) {
		n = start;
		model_step(s->m, &n, &c, &note);
		if (i == move || !choices_next(&c))
			break;
	}
	*tick += strcmp(note.act, "tick") == 0;
	print_row(*tick, &note, &n);
}

void search_print_trace(const struct search *s)
{
	size_t path[1024], n = 0;
	int tick = 0;

	printf("  tick  what happens                   inputs relays forced phase\n");
	for (size_t i = s->at; i != NOWHERE && n < 1024; i = s->parent[i])
		path[n++] = i;
	for (size_t i = n; i-- > 1;)
		replay(s, path[i], s->move[path[i - 1]], &tick);
	replay(s, s->at, s->by, &tick);
	printf("  breaks:");
	for (int r = 0; r < ORACLE_RULES; r++)
		if (s->broken >> r & 1)
			printf(" %s", oracle_rule_name(r));
	printf("\n");
}

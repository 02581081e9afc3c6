/* A node as a key: one byte a field, two for masks. What is not listed is the same in all. */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "test/prove/model.h"

enum kind { U8, I32, U32, LATCH, TIME };
enum { TIME_BASE = 200 };

struct field {
	uint16_t at;
	uint8_t kind;
};

#define AT(member, kind)                                                                       \
	{                                                                                      \
		offsetof(struct node, member), kind                                            \
	}
#define PULSE(i) AT(k.ledger.pulses[i].from_ms, TIME), AT(k.ledger.pulses[i].ms, I32)

/* clang-format off */
static const struct field fields[] = {
	AT(in.view.x, U8), AT(in.view.fault, U8), AT(in.view.run, U8), AT(in.view.running, U8),
	AT(in.view.lost, U8), AT(in.view.bad_ms, I32), AT(in.view.run_ms, I32),
	AT(in.view.still_ms, I32), AT(in.view.low_samples, I32), AT(in.view.alone_samples, I32),
	AT(in.relays, U8), AT(in.valid_ms, TIME), AT(in.high_ms, TIME), AT(in.low_ms, TIME),
	AT(in.still_ms, TIME), AT(in.proved_ms, TIME), AT(in.ignition_ms, TIME),

	AT(k.relays, U8), AT(k.known, U8), AT(k.live, U8), AT(k.permit, U8), AT(k.ready, U8),
	AT(k.descending, U8), AT(k.starter_seen, U8), AT(k.proved, U8), AT(k.stopping, U8),
	AT(k.sagged, U8), AT(k.suspect, U8), AT(k.absent, U8), AT(k.alarms, LATCH),
	AT(k.starter_on_ms, TIME), AT(k.starter_off_ms, TIME), AT(k.charger_off_ms, TIME),
	AT(k.ignition_on_ms, TIME), AT(k.ignition_off_ms, TIME), AT(k.glow_on_ms, TIME),
	AT(k.descend_ms, TIME), AT(k.stuck_ms, TIME), AT(k.orphan_ms, TIME), AT(k.raw_ms, TIME),
	AT(k.ledger.mode, U8), AT(k.ledger.held, U8), AT(k.ledger.warm, U8),
	AT(k.ledger.charged, U8), AT(k.ledger.failed, U8), AT(k.ledger.latches, LATCH),
	AT(k.ledger.run_from_ms, TIME), AT(k.ledger.deadline_ms, TIME),
	AT(k.ledger.unexpected_ms, TIME), PULSE(0), PULSE(1), PULSE(2), PULSE(3), PULSE(4),
	PULSE(5), PULSE(6), PULSE(7),

	AT(s.phase, I32), AT(s.since_ms, TIME), AT(s.starter_off_ms, TIME),
	AT(s.charger_off_ms, TIME), AT(s.attempt, U8), AT(s.attempts, U8), AT(s.acked, U8),
	AT(s.entered, U8), AT(s.sagged, U8), AT(q.refused, U8), AT(q.permit, I32),
	AT(q.acks, I32), AT(audit, U8), AT(begun, U8), AT(wish, U8), AT(adopted, U8),
	AT(latched, U8), AT(asked, U8), AT(lost, U8),

	AT(o.flags, U32), AT(o.glow_total_ms, I32), AT(o.relays, U8), AT(o.x, U8),
	AT(o.sample, U8), AT(o.alone, U8), AT(o.pulses, U8), AT(o.failures, U8),
};
/* clang-format on */
enum {
	FIELDS = sizeof(fields) / sizeof(fields[0]),
	KEY = FIELDS + 3 + ORACLE_NTIMES + 2 * ORACLE_PULSES /* the one U32 takes three more */
};
_Static_assert((int)KEY <= (int)NODE_KEY_MAX, "a key has room for every field");

static uint8_t time_byte(int64_t t)
{
	if (t == NEVER)
		return 0;
	assert(t + TIME_BASE > 0 && t + TIME_BASE <= UINT8_MAX);
	return (uint8_t)(t + TIME_BASE);
}

static int64_t byte_time(uint8_t b)
{
	return b ? (int64_t)b - TIME_BASE : NEVER;
}

static const uint8_t latch_bits[8] = { ALARM_FAIL_TO_START, ALARM_FAIL_TO_STOP,
	ALARM_STARTER_STUCK, ALARM_EMERGENCY_STOP, ALARM_OUTPUT_UNKNOWN, ALARM_IGN_FEEDBACK,
	ALARM_EXTERNAL_RUN, ALARM_MAX_RUN };

static uint8_t fold(uint32_t latches)
{
	uint8_t b = 0;

	for (int i = 0; i < 8; i++)
		b |= (uint8_t)((latches >> latch_bits[i] & 1) << i);
	return b;
}

static uint32_t unfold(uint8_t b)
{
	uint32_t latches = 0;

	for (int i = 0; i < 8; i++)
		latches |= (uint32_t)(b >> i & 1) << latch_bits[i];
	return latches;
}

static int32_t small(const char *at)
{
	int32_t v;

	memcpy(&v, at, sizeof(v));
	assert(v >= 0 && v <= UINT8_MAX);
	return v;
}

size_t node_pack(const struct node *n, uint8_t key[static NODE_KEY_MAX])
{
	uint8_t *k = key;

	for (size_t i = 0; i < FIELDS; i++) {
		const char *at = (const char *)n + fields[i].at;

		switch (fields[i].kind) {
		case U8:
			*k++ = *(const uint8_t *)at;
			break;
		case I32:
			*k++ = (uint8_t)small(at);
			break;
		case LATCH:
			*k++ = fold(*(const uint32_t *)(const void *)at);
			break;
		case TIME:
			*k++ = time_byte(*(const int64_t *)(const void *)at);
			break;
		default:
			memcpy(k, at, 4);
			k += 4;
			break;
		}
	}
	for (int i = 0; i < ORACLE_NTIMES; i++)
		*k++ = time_byte(n->o.at[i]);
	for (int i = 0; i < ORACLE_PULSES; i++) {
		*k++ = time_byte(n->o.pulse[i].end_ms);
		*k++ = (uint8_t)n->o.pulse[i].on_ms;
	}
	return (size_t)(k - key);
}

void node_unpack(const struct model *m, const uint8_t *key, struct node *n)
{
	const uint8_t *k = key;

	*n = (struct node){ 0 };
	n->k.ledger.stopped_ms = n->k.ledger.lockout_ms = n->k.ledger.crank_ms = NEVER;
	n->k.ledger.inhibit_ms = NEVER;
	for (int i = 0; i < LEDGER_STARTS; i++)
		n->k.ledger.starts[i] = NEVER;
	for (int i = 0; i < LEDGER_RETRIES; i++)
		n->k.ledger.retries[i] = NEVER;
	for (size_t i = 0; i < FIELDS; i++) {
		char *at = (char *)n + fields[i].at;
		int64_t t = byte_time(*k);
		int32_t v = *k;
		uint32_t latches = unfold(*k);

		if (fields[i].kind == U8)
			*(uint8_t *)at = *k;
		else if (fields[i].kind == I32)
			memcpy(at, &v, sizeof(v));
		else if (fields[i].kind == LATCH)
			memcpy(at, &latches, sizeof(latches));
		else if (fields[i].kind == TIME)
			memcpy(at, &t, sizeof(t));
		else
			memcpy(at, k, 4);
		k += fields[i].kind == U32 ? 4 : 1;
	}
	for (int i = 0; i < ORACLE_NTIMES; i++)
		n->o.at[i] = byte_time(*k++);
	for (int i = 0; i < ORACLE_PULSES; i++) {
		n->o.pulse[i].end_ms = byte_time(*k++);
		n->o.pulse[i].on_ms = *k++;
	}
	n->k.in = n->in.view;
	n->k.seen_mode = n->k.ledger.mode;
	n->in.config = n->k.config = n->s.config = &m->config;
	n->o.t = &m->times;
}

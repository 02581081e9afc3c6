#include "node-genctl/ledger.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/*
 * offset 0  magic "PGLEDGER"
 *        8  version, 12 sequence number, 16 size of the record
 *       20  kernel's boot id, 36 characters
 *       56  struct ledger as this machine lays it out
 *      508  CRC-32 of all before it
 */
struct head {
	char magic[8];
	uint32_t version, seq, size;
	char boot_id[BOOT_ID_LEN];
};

static const char magic[8] = { 'P', 'G', 'L', 'E', 'D', 'G', 'E', 'R' };
enum { VERSION = 1, AT_RECORD = sizeof(struct head), AT_CRC = LEDGER_SLOT - 4 };
#define FAR_MS (INT64_C(1) << 52) /* no clock of a kernel comes there */
_Static_assert(AT_RECORD == 56, "the slot's head has no padding");
_Static_assert(AT_RECORD + sizeof(struct ledger) <= AT_CRC, "the record fits its slot");

static uint32_t crc32(const uint8_t *data, size_t n)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < n; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1)));
	}
	return ~crc;
}

void ledger_init(struct ledger *l)
{
	*l = (struct ledger){ .mode = MODE_AUTO,
		.run_from_ms = NEVER,
		.deadline_ms = NEVER,
		.stopped_ms = NEVER,
		.unexpected_ms = NEVER,
		.lockout_ms = NEVER,
		.crank_ms = NEVER,
		.inhibit_ms = NEVER };
	for (int i = 0; i < LEDGER_STARTS; i++)
		l->starts[i] = NEVER;
	for (int i = 0; i < LEDGER_RETRIES; i++)
		l->retries[i] = NEVER;
	for (int i = 0; i < LEDGER_PULSES; i++)
		l->pulses[i].from_ms = NEVER;
}

static void rebase(int64_t *at_ms, int64_t now_ms)
{
	if (*at_ms != NEVER)
		*at_ms = now_ms;
}

void ledger_rebase(struct ledger *l, int64_t now_ms)
{
	int64_t *const single[] = { &l->run_from_ms, &l->deadline_ms, &l->stopped_ms,
		&l->unexpected_ms, &l->lockout_ms, &l->crank_ms };
	int64_t inhibit_ms =
	    l->inhibit_ms != NEVER && l->stopped_ms != NEVER && l->inhibit_ms > l->stopped_ms
		? l->inhibit_ms - l->stopped_ms
		: 0;

	if (l->inhibit_ms != NEVER)
		l->inhibit_ms = now_ms + inhibit_ms;
	for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++)
		rebase(single[i], now_ms);
	for (int i = 0; i < LEDGER_STARTS; i++)
		rebase(&l->starts[i], now_ms);
	for (int i = 0; i < LEDGER_RETRIES; i++)
		rebase(&l->retries[i], now_ms);
	for (int i = 0; i < LEDGER_PULSES; i++)
		rebase(&l->pulses[i].from_ms, now_ms);
}

void ledger_encode(const struct ledger *l, uint32_t seq, const char boot_id[static BOOT_ID_LEN],
    uint8_t slot[static LEDGER_SLOT])
{
	struct head head = { .version = VERSION, .seq = seq, .size = sizeof(*l) };
	uint32_t crc;

	memcpy(head.magic, magic, sizeof(magic));
	memcpy(head.boot_id, boot_id, BOOT_ID_LEN);
	memset(slot, 0, LEDGER_SLOT);
	memcpy(slot, &head, sizeof(head));
	memcpy(slot + AT_RECORD, l, sizeof(*l));
	crc = crc32(slot, AT_CRC);
	memcpy(slot + AT_CRC, &crc, sizeof(crc));
}

static bool can_be(int64_t at_ms)
{
	return at_ms == NEVER || (at_ms >= 0 && at_ms <= FAR_MS);
}

/* What interlock_*() may count with, whoever wrote the record. */
static bool is_sound(const struct ledger *l)
{
	bool sound = l->mode <= MODE_ESTOP && can_be(l->run_from_ms) &&
		     can_be(l->deadline_ms) && can_be(l->stopped_ms) &&
		     can_be(l->unexpected_ms) && can_be(l->lockout_ms) && can_be(l->crank_ms) &&
		     can_be(l->inhibit_ms);

	if (l->held && (l->run_from_ms == NEVER || l->deadline_ms == NEVER))
		sound = false;
	for (int i = 0; i < LEDGER_STARTS; i++)
		sound = sound && can_be(l->starts[i]);
	for (int i = 0; i < LEDGER_RETRIES; i++)
		sound = sound && can_be(l->retries[i]);
	for (int i = 0; i < LEDGER_PULSES; i++)
		sound = sound && can_be(l->pulses[i].from_ms) && l->pulses[i].ms >= 0;
	return sound;
}

int ledger_decode(const uint8_t slot[static LEDGER_SLOT], struct ledger *l, uint32_t *seq,
    char boot_id[static BOOT_ID_LEN + 1])
{
	struct head head;
	struct ledger record;
	uint32_t crc;

	memcpy(&head, slot, sizeof(head));
	memcpy(&crc, slot + AT_CRC, sizeof(crc));
	memcpy(&record, slot + AT_RECORD, sizeof(record));
	if (memcmp(head.magic, magic, sizeof(magic)) || head.version != VERSION ||
	    head.size != sizeof(*l) || crc != crc32(slot, AT_CRC) || !is_sound(&record))
		return -EBADMSG;
	*l = record;
	memcpy(boot_id, head.boot_id, BOOT_ID_LEN);
	boot_id[BOOT_ID_LEN] = 0;
	*seq = head.seq;
	return 0;
}

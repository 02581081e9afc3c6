/*
 * The ledger's file with anything in it, and what an interlock makes of what was loaded.
 *
 * Byte 0 says how the rest is laid out: 1 each slot's record is put in a sound slot (its
 * sequence number first, then the record's bytes), 2 of the same boot, 0 the slots' bytes as
 * they are. What follows the file is a row of acts for the interlock, one byte or two each.
 *
 * Asserts: what is loaded is the newer sound record, all times of another boot are now; nothing
 * closes before a byte was acknowledged; an engine is adopted only if it was ours; a latch or a
 * forbidding mode lets nothing close; no arithmetic overflows.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "node-genctl/interlock.h"
#include "node-genctl/saver.h"
#include "test/fuzz/fuzz.h"

enum { NOW_MS = FUZZ_EPOCH_MS, IMAGE = SAVER_STRIDE + LEDGER_SLOT };

static const char boot[] = "01234567-89ab-cdef-0123-456789abcdef",
		  other[] = "fedcba98-7654-3210-fedc-ba9876543210";

static const char *ledger_file;

/* The saver's two files are in memory. */
int open(const char *path, int flags, ...)
{
	static int fd = -1;

	if (strcmp(path, "/ram/genctl.ledger") == 0)
		path = ledger_file;
	if (strcmp(path, "/proc/sys/kernel/random/boot_id") != 0)
		return openat(AT_FDCWD, path, flags);
	if (fd < 0)
		fd = memfd_create("boot_id", MFD_CLOEXEC);
	assert(pwrite(fd, boot, BOOT_ID_LEN, 0) == BOOT_ID_LEN && lseek(fd, 0, SEEK_SET) == 0);
	return dup(fd);
}

struct image {
	uint8_t bytes[IMAGE];
	size_t n;
};

static void put_record(struct image *m, struct fuzz_input *in, int slot, const char *id)
{
	struct ledger l;
	uint32_t seq = (uint32_t)fuzz_number(in, 4);
	size_t n;
	const uint8_t *bytes = fuzz_bytes(in, sizeof(l), &n);

	ledger_init(&l);
	memcpy(&l, bytes, n);
	ledger_encode(&l, seq, id, m->bytes + (size_t)slot * SAVER_STRIDE);
}

static void put_raw(struct image *m, struct fuzz_input *in, int slot)
{
	size_t n;
	const uint8_t *bytes = fuzz_bytes(in, LEDGER_SLOT, &n);

	memcpy(m->bytes + (size_t)slot * SAVER_STRIDE, bytes, n);
}

static void lay_out(struct image *m, struct fuzz_input *in)
{
	uint8_t how = fuzz_byte(in);

	for (int slot = 0; slot < 2; slot++) {
		if (how >> slot & 1)
			put_record(m, in, slot, how & 4 ? boot : other);
		else if (how >> (3 + slot) & 1)
			put_raw(m, in, slot);
	}
	m->n = how & 0x20 ? fuzz_number(in, 2) % IMAGE : IMAGE;
}

static bool is_now(int64_t at_ms)
{
	return at_ms == NEVER || at_ms == NOW_MS;
}

static void check_rebased(const struct ledger *l)
{
	assert(is_now(l->run_from_ms) && is_now(l->deadline_ms) && is_now(l->stopped_ms));
	assert(is_now(l->unexpected_ms) && is_now(l->lockout_ms) && is_now(l->crank_ms));
	assert(l->inhibit_ms == NEVER || l->inhibit_ms >= NOW_MS);
	for (int i = 0; i < LEDGER_STARTS; i++)
		assert(is_now(l->starts[i]));
	for (int i = 0; i < LEDGER_PULSES; i++)
		assert(is_now(l->pulses[i].from_ms));
}

/* Loads, and compares with what each slot says by itself. */
static int load(const struct image *m, struct ledger *l)
{
	struct ledger each;
	char id[BOOT_ID_LEN + 1], newest_id[BOOT_ID_LEN + 1] = "";
	uint32_t seq = 0, n, newest = 0;
	bool found = false;
	int rc;

	ledger_file = fuzz_file(m->bytes, m->n);
	rc = saver_load("/ram", NOW_MS, l, &seq);
	for (size_t i = 0; i < 2; i++) {
		if (m->n < i * SAVER_STRIDE + LEDGER_SLOT ||
		    ledger_decode(m->bytes + i * SAVER_STRIDE, &each, &n, id) < 0 ||
		    (found && (int32_t)(n - newest) < 0))
			continue;
		found = true;
		newest = n;
		strcpy(newest_id, id);
	}
	assert(rc == (found ? 0 : -EBADMSG) && (!found || seq == newest));
	if (found && strcmp(newest_id, boot) != 0)
		check_rebased(l);
	return rc;
}

struct bench { /* an interlock with its inputs, as the guard has them */
	struct engine_config config;
	struct inputs inputs;
	struct interlock k;
	int64_t now_ms;
	bool acked;
};

static void ack(struct bench *b, uint8_t relays)
{
	interlock_acked(&b->k, relays, b->now_ms);
	b->acked = true;
}

static void check_gate(const struct bench *b, uint8_t want)
{
	const struct interlock *k = &b->k;
	uint8_t rising = want & ~k->relays, mode = k->ledger.mode;

	if (!rising)
		return;
	assert(b->acked && k->known && !k->ledger.latches && !k->descending);
	assert(mode == MODE_AUTO || mode == MODE_OPERATOR_RUN || mode == MODE_OPERATOR_STOP ||
	       mode == MODE_MAINTENANCE);
	if (want & RELAY_STARTER)
		assert(!(want & RELAY_CHARGER) && (want & RELAY_IGNITION));
	if (rising & RELAY_STARTER)
		assert(k->ready && !k->in.bad_ms && !k->in.run &&
		       b->now_ms - k->starter_off_ms >= b->config.crank_rest_ms);
	if (rising & RELAY_CHARGER)
		assert(k->proved && k->in.run && mode != MODE_MAINTENANCE);
}

static void sample(struct bench *b, uint8_t raw)
{
	struct inputs_view in = inputs_step(&b->inputs, raw & 15,
	    raw & 0x80 ? SAMPLE_ERROR : SAMPLE_OK, b->k.relays, b->now_ms);
	struct verdict v = interlock_watch(&b->k, &in, b->now_ms);

	assert(!v.write || b->acked);
	assert(!v.write || (v.relays & ~b->k.relays & (RELAY_STARTER | RELAY_CHARGER)) == 0);
	if (v.write)
		ack(b, v.relays);
}

static void end_audit(struct bench *b)
{
	const struct ledger *l = &b->k.ledger;

	if (b->acked)
		return;
	if (!interlock_may_adopt(&b->k)) {
		ack(b, 0);
		return;
	}
	assert(l->held && !l->latches && b->k.in.run && !b->k.in.bad_ms);
	assert(l->mode == MODE_AUTO || l->mode == MODE_OPERATOR_RUN ||
	       l->mode == MODE_OPERATOR_STOP);
	interlock_adopt(&b->k, b->now_ms);
	ack(b, RELAY_IGNITION);
}

static void ask(struct bench *b, uint8_t want)
{
	if (interlock_gate(&b->k, want, b->now_ms) != RULE_NONE)
		return;
	check_gate(b, want);
	if (b->acked)
		ack(b, want);
}

static void begin(struct bench *b, bool first)
{
	uint32_t latches = b->k.ledger.latches;
	uint8_t mode = b->k.ledger.mode;

	if (interlock_begin(&b->k, &(struct start){ .first = first, .by = BY_MONITOR },
		b->now_ms) != BEGIN_OK)
		return;
	assert(!latches && (mode == MODE_AUTO || mode == MODE_OPERATOR_RUN) && b->acked);
	interlock_permit(&b->k);
}

static void act(struct bench *b, struct fuzz_input *in)
{
	static const int64_t waits_ms[] = { 0, 20, 100, 500, 1000, 5000, 20000, 60000, 600000,
		3600000, 86400000 };
	uint8_t what = fuzz_byte(in), arg = what & 15;

	switch (what >> 4) {
	case 0:
		b->now_ms += waits_ms[arg % (sizeof(waits_ms) / sizeof(waits_ms[0]))];
		break;
	case 1:
		ask(b, arg);
		break;
	case 2:
		(void)interlock_mode(&b->k, (enum mode)(arg % (MODE_MAINTENANCE + 1)));
		break;
	case 3:
		end_audit(b);
		break;
	case 4:
		begin(b, arg & 1);
		break;
	case 5:
		arg & 1 ? interlock_estop(&b->k) : (void)interlock_clear(&b->k);
		break;
	case 6:
		interlock_descend(&b->k, arg & 1 ? ALARM_MAX_RUN : ALARM_N, b->now_ms);
		break;
	case 7:
		interlock_deadline(&b->k, arg & 1   ? INT64_MAX
					  : arg & 4 ? INT64_MIN
						    : b->now_ms + arg * 1000);
		interlock_orphan(&b->k, arg & 2, b->now_ms);
		break;
	default: /* samples, 20 ms apart */
		for (int i = 0; i < 30; i++) {
			b->now_ms += SAMPLE_CRANK_MS;
			sample(b, (what & 0x70) == 0x70 ? 0x80 : arg);
		}
		break;
	}
	(void)interlock_ready_ms(&b->k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct image image = { .n = 0 };
	struct ledger ledger;
	struct bench b = { .now_ms = NOW_MS,
		.config = { .reset_ms = 1000,
		    .ignition_ms = 500,
		    .crank_ms = 10000,
		    .glow_assist_ms = 2000,
		    .coast_ms = 4000,
		    .warmup_ms = 1000,
		    .stabilise_ms = 1000,
		    .cooldown_ms = 2000,
		    .crank_rest_ms = 5000,
		    .at_rest_ms = 5000,
		    .attempts = 3,
		    .lost_ms = 1000,
		    .fail_to_stop_ms = 10000,
		    .max_run_ms = 3600000,
		    .between_runs_ms = 600000,
		    .starts_per_hour = 4,
		    .lockout_ms = 3600000,
		    .lockout_retries = 2,
		    .glow_mode = GLOW_ASSIST } };

	ledger_init(&ledger);
	lay_out(&image, &in);
	(void)load(&image, &ledger);
	inputs_init(&b.inputs, &b.config, b.now_ms);
	interlock_init(&b.k, &b.config, &ledger, b.now_ms);
	b.k.ready = true;
	for (int i = 0; in.left > 0 && i < 200; i++)
		act(&b, &in);
	return 0;
}

/*
 * recorder - the last rows of (t, relays, inputs, phase, event) in a file that outlives a
 * crash.
 *
 * `genctl.trace` in the runtime folder, a ring of RECORDER_ROWS rows: 18 hours of a run, weeks
 * of idle, and 109 minutes even if every sample makes a row. The guard alone appends, with
 * plain stores into a shared mapping: no call, no wait, nothing allocated. The folder is meant
 * to be on a tmpfs: what is in it survives every death of our processes, not a power cut.
 *
 *   offset  length
 *        0       8   "PGTRACE"
 *        8       8   version (2), bytes a row (2), rows (4)
 *       16      36   the kernel's boot id
 *       52       4   number of the newest row; 8 spare
 *       64  24 * n   rows; number k stands at (k - 1) % rows
 *
 *   a row: t_ms (8), number (4), arg (4), relays, inputs, fault, phase, event, detail, 2 spare
 *
 * A row's number is 0 while it is being written: who reads meanwhile, or after a crash, skips
 * it. All numbers are in the machine's order; the file never leaves it.
 *
 * A guard that starts under the same kernel goes on in the same ring; a file of another
 * kernel, version or size is replaced. Truncating the file under a running guard ends it
 * (SIGBUS), as truncating its program would: remove it instead.
 *
 * Units:  t_ms CLOCK_MONOTONIC.
 * Errors: recorder_open, recorder_view: 0 or -errno; -EBADMSG for what is no such file.
 */
#ifndef GENCTL_RECORDER_H
#define GENCTL_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

/* clang-format off */
enum { RECORDER_ROWS = 65536, RECORDER_UNKNOWN = 0xff, RECORDER_PATH = 128 };

enum recorder_event { /* with `arg`, and `detail` */
	RECORD_NOTHING, RECORD_BOOT, RECORD_ADOPT,
	RECORD_BEGIN,    /* age of the order in ms; enum start_by, + RECORD_FIRST */
	RECORD_PERMIT, RECORD_DROP,
	RECORD_MODE,     /* enum mode */
	RECORD_ESTOP, RECORD_CLEAR, RECORD_ORPHAN, RECORD_BACK,
	RECORD_DEADLINE, /* ms from t_ms */
	RECORD_ALARM,    /* enum alarm */
	RECORD_FORCED,   /* enum rule */
	RECORD_REFUSED,  /* enum rule; the byte that was asked for */
	RECORD_PHASE, RECORD_HANDOVER,
	RECORD_LOST,     /* output unknown */
	RECORD_EVENTS
};
enum { RECORD_FIRST = 0x80 };
/* clang-format on */

struct recorder_row {
	int64_t t_ms;
	int32_t arg;
	uint8_t relays; /* acknowledged; RECORDER_UNKNOWN */
	uint8_t inputs; /* as the bus gave them */
	uint8_t fault;	/* enum sample_fault of them; RECORDER_UNKNOWN: no sample in this row */
	uint8_t phase;	/* enum phase, as control told it */
	uint8_t event, detail;
};

struct recorder_file;
struct recorder {
	struct recorder_file *file; /* NULL: not open */
	bool on_disk; /* the folder is on no tmpfs: a store may wait for the disk */
};

int recorder_open(struct recorder *r, const char *runtime_dir); /* to append */
int recorder_view(struct recorder *r, const char *runtime_dir); /* to read, in any process */
void recorder_close(struct recorder *r);
void recorder_append(struct recorder *r, const struct recorder_row *row);
/* The first whole row after number *after, which becomes its number; false: there is none. */
bool recorder_next(const struct recorder *r, uint32_t *after, struct recorder_row *row);

#endif

/*
 * saver - keeps the guard's ledger on disk, so that the guard never waits for one.
 *
 * `genctl.ledger` in the state folder holds two slots, SAVER_STRIDE apart so that no write
 * touches both; records alternate between them, each is on the disk before it is
 * acknowledged, and of two valid slots the one with the higher sequence number holds.
 * The process ends at the end of its socket; a failed write is told and the guard tries on.
 *
 * Errors: saver_load: 0, -ENOENT nothing was ever saved, -EBADMSG no slot is valid.
 */
#ifndef GENCTL_SAVER_H
#define GENCTL_SAVER_H

#include "node-genctl/ledger.h"

enum { SAVER_STRIDE = 4096 };

struct saver_record { /* guard -> saver */
	uint32_t number;
	struct ledger ledger;
};
struct saver_ack { /* saver -> guard */
	uint32_t number;
	int32_t error; /* 0: on disk; -errno */
};

/* The last saved ledger, its ages counted anew when another kernel wrote it. */
int saver_load(const char *state_dir, int64_t now_ms, struct ledger *out, uint32_t *seq);
int saver_main(const char *state_dir, int guard_fd);

#endif

/*
 * disk - the file of the ledger: what was written, and what of it would survive a power cut.
 *
 * Errors: -errno. A power cut keeps what was synced; of each 512-byte sector written since,
 * chance keeps the new one, the old one or (a torn write) a piece of both.
 */
#ifndef SIMULATE_DISK_H
#define SIMULATE_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "test/simulate/chance.h"

struct disk_faults {
	int64_t full_until_ms, error_until_ms, slow_until_ms;
	int64_t sync_ms; /* while slow */
};
extern struct disk_faults disk_faults;
extern int64_t disk_hits; /* operations that failed or were slow by these */

void disk_reset(void);
int disk_open(bool create);
int disk_read(void *data, size_t n, size_t at);
int disk_write(const void *data, size_t n, size_t at);
int disk_sync(void);
int disk_folder(void);
size_t disk_size(void);
void disk_power_cut(struct chance *chance);

#endif

#include "test/simulate/disk.h"

#include <errno.h>
#include <string.h>

#include "test/simulate/fail.h"
#include "test/simulate/sched.h"

enum { DISK_BYTES = 16384, SECTOR = 512, SYNC_MS = 8 };

struct disk_faults disk_faults;
int64_t disk_hits;
static uint8_t cached[DISK_BYTES], durable[DISK_BYTES];
static size_t size, durable_size;
static bool there, durable_there;

void disk_reset(void)
{
	memset(cached, 0, sizeof(cached));
	memset(durable, 0, sizeof(durable));
	size = durable_size = 0;
	there = durable_there = false;
	disk_faults = (struct disk_faults){ 0 };
	disk_hits = 0;
}

static int hit(int rc)
{
	disk_hits++;
	return rc;
}

static int trouble(void)
{
	if (fail_now(FAIL_DISK))
		return -EIO;
	return sim_ms < disk_faults.error_until_ms ? hit(-EIO) : 0;
}

int disk_open(bool create)
{
	int rc = trouble();

	if (rc < 0)
		return rc;
	if (!there && !create)
		return -ENOENT;
	if (!there && sim_ms < disk_faults.full_until_ms)
		return hit(-ENOSPC);
	there = true;
	return 0;
}

int disk_folder(void)
{
	int rc = trouble();

	if (rc == 0)
		durable_there = there;
	return rc;
}

int disk_read(void *data, size_t n, size_t at)
{
	int rc = trouble();

	if (rc < 0)
		return rc;
	if (at >= size)
		return 0;
	if (n > size - at)
		n = size - at;
	memcpy(data, cached + at, n);
	return (int)n;
}

/* A full disk takes what lies in blocks that the file already has. */
int disk_write(const void *data, size_t n, size_t at)
{
	int rc = trouble();

	if (rc < 0)
		return rc;
	if (at + n > DISK_BYTES)
		return -EFBIG;
	if (at + n > size && sim_ms < disk_faults.full_until_ms) {
		hit(0);
		n = at < size ? size - at : 0;
		if (n == 0)
			return -ENOSPC;
	}
	memcpy(cached + at, data, n);
	if (at + n > size)
		size = at + n;
	return (int)n;
}

int disk_sync(void)
{
	int rc = trouble();

	proc_sleep(sim_ms + SYNC_MS);
	if (sim_ms < disk_faults.slow_until_ms)
		proc_sleep(sim_ms + hit((int)disk_faults.sync_ms));
	if (rc < 0)
		return rc;
	memcpy(durable, cached, sizeof(durable));
	durable_size = size;
	return 0;
}

size_t disk_size(void)
{
	return size;
}

void disk_power_cut(struct chance *chance)
{
	for (size_t at = 0; at < DISK_BYTES; at += SECTOR) {
		size_t kept;

		if (memcmp(cached + at, durable + at, SECTOR) == 0)
			continue;
		kept = (size_t[]){
			0, SECTOR, (size_t)chance_between(chance, 1, SECTOR - 1)
		}[chance_between(chance, 0, 2)];
		memcpy(durable + at, cached + at, kept);
	}
	memcpy(cached, durable, sizeof(cached));
	if (size > durable_size && !chance_of(chance, 500))
		size = durable_size;
	durable_size = size;
	there = durable_there = durable_there || size > 0;
}

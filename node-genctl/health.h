/* health - how the machine that runs the engine node is doing. A figure not to be had is -1. */
#ifndef GENCTL_HEALTH_H
#define GENCTL_HEALTH_H

#include <stdint.h>

struct health {
	int64_t uptime_s; /* of the machine */
	int32_t
	    memory_pct; /* used, of all; page cache does not count where the kernel says so */
	int64_t disk_free; /* bytes, of / */
	int32_t disk_pct;  /* used */
};

struct health health_read(void);

#endif

#include "node-genctl/health.h"

#include <stdio.h>
#include <sys/statvfs.h>

static int64_t read_uptime_s(void)
{
	FILE *f = fopen("/proc/uptime", "re");
	double s;
	int n = f ? fscanf(f, "%lf", &s) : 0;

	if (f)
		fclose(f);
	return n == 1 ? (int64_t)s : -1;
}

static int32_t read_memory_pct(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	long long total = 0, unused = 0, available = -1, kb;
	char line[96];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "MemTotal: %lld", &kb) == 1)
			total = kb;
		else if (sscanf(line, "MemFree: %lld", &kb) == 1)
			unused = kb;
		else if (sscanf(line, "MemAvailable: %lld", &kb) == 1)
			available = kb;
	}
	if (f)
		fclose(f);
	if (available >= 0) /* kernels before 3.14 do not say */
		unused = available;
	return total > 0 ? (int32_t)((total - unused) * 100 / total) : -1;
}

struct health health_read(void)
{
	struct health h = { .uptime_s = read_uptime_s(), .memory_pct = read_memory_pct() };
	struct statvfs fs;

	h.disk_free = h.disk_pct = -1;
	if (statvfs("/", &fs) == 0 && fs.f_blocks > 0) {
		h.disk_free = (int64_t)fs.f_bfree * (int64_t)fs.f_frsize;
		h.disk_pct = (int32_t)((fs.f_blocks - fs.f_bfree) * 100 / fs.f_blocks);
	}
	return h;
}

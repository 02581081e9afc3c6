#include "node-monitor/manual.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 160 };

static const char *const charge_name = "pigenny_force_charge";
static const char *const stop_name = "pigenny_force_stop";

static bool there(const char *dir, const char *name)
{
	char path[PATH_SIZE];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

struct manual manual_read(const char *dir)
{
	return (
	    struct manual){ .charge = there(dir, charge_name), .stop = there(dir, stop_name) };
}

int manual_stop_done(const char *dir)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s", dir, stop_name);
	return unlink(path) < 0 ? -errno : 0;
}

#include "test/simulate/fail.h"

#include "test/simulate/sched.h"

enum { RECENT_MS = 60000 };

const char *const fail_names[FAIL_KINDS] = { "alloc", "disk", "board", "link" };

static enum fail_kind armed;
static long left;
static bool happened;
static int64_t at_ms;

void fail_arm(enum fail_kind kind, long k)
{
	armed = kind;
	left = k;
	happened = false;
}

bool fail_now(enum fail_kind kind)
{
	if (kind != armed || left == 0 || --left > 0)
		return false;
	happened = true;
	at_ms = sim_ms;
	return true;
}

bool fail_armed(void)
{
	return left > 0;
}

bool fail_happened(void)
{
	return happened;
}

bool fail_recently(void)
{
	return happened && sim_ms - at_ms < RECENT_MS;
}

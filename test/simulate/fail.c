#include "test/simulate/fail.h"

const char *const fail_names[FAIL_KINDS] = { "alloc", "disk", "board", "link" };

static enum fail_kind armed;
static long left;
static bool happened;

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
	return true;
}

bool fail_happened(void)
{
	return happened;
}

#include "test/simulate/script.h"

int script_fail_each(const char *kind, bool quick)
{
	return 2;
}

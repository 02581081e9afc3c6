#include "node-genctl/audit.h"

#include <stddef.h>

void audit_init(struct audit *a, const struct engine_config *config)
{
	*a = (struct audit){ .now_ms = NEVER };
}

void audit_row(struct audit *a, const struct audit_row *row)
{
	if (row->t_ms < a->now_ms)
		a->found(a->owner, a->now_ms, RULE_T1, "the clock went backwards");
	else
		a->now_ms = row->t_ms;
	if (row->relays >= 0 && (row->relays & RELAY_STARTER) &&
	    (row->relays & (RELAY_IGNITION | RELAY_CHARGER)) != RELAY_IGNITION)
		a->found(a->owner, a->now_ms, RULE_S1, "starter without ignition alone");
}

void audit_end(struct audit *a, int64_t t_ms)
{
	a->now_ms = t_ms;
}

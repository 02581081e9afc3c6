/* alarm - every alarm of the engine node once: code, class, and what to do about it. */
#ifndef GENCTL_ALARM_H
#define GENCTL_ALARM_H

#include <stdint.h>

/* clang-format off */
enum alarm {
	ALARM_FAIL_TO_START, ALARM_UNEXPECTED_STOP, ALARM_FAIL_TO_STOP, ALARM_STARTER_STUCK,
	ALARM_STARTER_NO_FEEDBACK, ALARM_IGN_FEEDBACK, ALARM_EMERGENCY_STOP, ALARM_OUTPUT_UNKNOWN,
	ALARM_MODIO_LOST, ALARM_MODIO_RESET, ALARM_INPUT_IMPLAUSIBLE, ALARM_MAX_RUN,
	ALARM_LEASE_LOST, ALARM_EXTERNAL_RUN, ALARM_CONTROL_LOST, ALARM_JOURNAL_UNWRITABLE,
	ALARM_DEADMAN_LOST, ALARM_AUTO_DISABLED, ALARM_RESTARTED, ALARM_LOCKOUT_RETRY,
	ALARM_CLOCK_UNSET, ALARM_CONFIG_REJECTED, ALARM_N
};
/* clang-format on */
enum alarm_class { ALARM_WARNING, ALARM_TRIP, ALARM_SHUTDOWN };

struct alarm_info {
	const char *code; /* "FAIL_TO_START" */
	enum alarm_class class;
	uint8_t latched;  /* stays until an operator's clear */
	const char *text; /* plain sentence: what happened and what to do */
};
extern const struct alarm_info alarm_info[ALARM_N];

/* First-up: the shutdown or trip that came first since none stood. What followed from it
 * stands beside it; a warning explains itself. */
struct alarm_record {
	uint32_t standing; /* bit per enum alarm */
	uint8_t first;	   /* enum alarm; ALARM_N: none */
	int64_t since_ms[ALARM_N];
};

void alarm_init(struct alarm_record *a);
/* What stands now; returns what is new. Of several new ones the weightiest came first. */
uint32_t alarm_note(struct alarm_record *a, uint32_t standing, int64_t now_ms);

#endif

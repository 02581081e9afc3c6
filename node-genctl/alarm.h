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
	ALARM_CLOCK_UNSET, ALARM_N
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

#endif

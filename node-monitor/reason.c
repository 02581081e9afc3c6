#include "node-monitor/reason.h"

#include <stdio.h>

/* clang-format off */
const struct reason_alarm reason_alarms[REASON_NALARMS] = {
	{ ALARM_STALE, "INVERTER_SILENT", "The inverter gives no usable SOC; check its cable and power. No automatic start until it does." },
	{ ALARM_LINK, "ENGINE_NODE_SILENT", "The engine node does not answer; check its network and power. A running engine stops by its own deadline." },
	{ ALARM_NOT_CHARGING, "NOT_CHARGING", "The generator is on load but neither SOC nor voltage rises; check the charger breaker and the inverter's generator input." },
	{ ALARM_MAX_RUN, "MAX_RUN", "The run reached its longest time before its goal; check charger, load and battery." },
	{ ALARM_STOPPED_ITSELF, "UNEXPECTED_STOP", "The engine stopped by itself; check fuel and oil. The next start waits for the rest time." },
	{ ALARM_LOCKED_OUT, "LOCKED_OUT", "The engine node locked out starts; find the cause, then `gencli clear`." },
	{ ALARM_NOT_OBEYED, "NOT_OBEYED", "The engine node has not begun a start it was asked for; `gencli why` shows what blocks it." },
	{ ALARM_HELD, "AUTO_DISABLED", "The generator has been held off for more than 10 minutes; `charge-off` allows starts again." },
	{ ALARM_CLOCK, "CLOCK_UNSET", "The clock is not set: quiet hours do not apply and no exercise run is made." },
	{ ALARM_BLIND, "BLIND_RUN_ENDED", "A run was ended because the inverter stayed silent; check its cable and power." },
};

static const struct {
	const char *idle;	/* what stands in the way of a start, or of nothing */
	const char *run;	/* after the cause, while running or ending */
} words[AUTO_NREASONS] = {
	[AUTO_LINK_DOWN] = { "the engine node does not answer", NULL },
	[AUTO_NO_LEASE] = { "another monitor holds the engine node", NULL },
	[AUTO_MODE] = { "the engine node is not in automatic mode (`gencli auto`)",
			"an operator took over" },
	[AUTO_LOCKED_OUT] = { "the engine node is locked out", "the engine node locked out" },
	[AUTO_FAULT] = { "the engine node reports a fault", NULL },
	[AUTO_EXTERNAL] = { "the engine was started by hand and is left alone", NULL },
	[AUTO_HELD] = { "the stop file or a stop order holds the generator off",
			"the stop file or a stop order" },
	[AUTO_QUIET] = { "quiet hours", "quiet hours have begun" },
	[AUTO_RESTING] = { "the rest between runs is not over", NULL },
	[AUTO_NODE_RESTS] = { "the engine node rests", NULL },
	[AUTO_MIN_RUN] = { NULL, "running on for the minimum time" },
	[AUTO_BLIND] = { NULL, "running on without readings, for a bounded time" },
	[AUTO_SOC_REACHED] = { NULL, "SOC has reached its stop" },
	[AUTO_VOLTAGE_REACHED] = { NULL, "the voltage has reached its stop" },
	[AUTO_LOAD_GONE] = { NULL, "the load has gone" },
	[AUTO_EXERCISE_DONE] = { NULL, "the exercise run is done" },
	[AUTO_MANUAL_GONE] = { NULL, "the charge file or order is gone" },
	[AUTO_MAX_RUN] = { NULL, "the longest run time is over" },
	[AUTO_BLIND_END] = { NULL, "no readings for too long" },
	[AUTO_STOPPED_ITSELF] = { NULL, "the engine stopped by itself" },
	[AUTO_NODE_ENDED] = { NULL, "the engine node ended the run" },
	[AUTO_DEADLINE] = { NULL, "the last order ran out while the link was down" },
	[AUTO_NOT_STARTED] = { NULL, "the engine did not start" },
};
/* clang-format on */

static void span(char *buf, size_t size, int64_t s)
{
	if (s >= 3600)
		snprintf(buf, size, "%d h %02d min", (int)(s / 3600), (int)(s / 60 % 60));
	else if (s >= 60)
		snprintf(buf, size, "%d min", (int)(s / 60));
	else
		snprintf(buf, size, "%d s", (int)s);
}

/* The measured condition with its numbers; "is below" is what starts and what goes on. */
static void cause_text(char *buf, size_t size, const struct autostart_out *o)
{
	const char *is = o->value < o->limit ? "is below" : "is at or above";

	if (o->cause == AUTO_MANUAL)
		snprintf(buf, size, "charging is asked for by hand");
	else if (o->cause == AUTO_EXERCISE)
		snprintf(buf, size, "the exercise run is due");
	else if (o->value == UNKNOWN)
		snprintf(buf, size, "no fresh reading of the inverter");
	else if (o->cause == AUTO_VOLTAGE)
		snprintf(buf, size, "battery %d.%02d V %s %d.%02d V", o->value / 1000,
		    o->value / 10 % 100, is, o->limit / 1000, o->limit / 10 % 100);
	else if (o->cause == AUTO_LOAD)
		snprintf(buf, size, "load %d W %s %d W", o->value, is, o->limit);
	else
		snprintf(buf, size, "SOC %d %% %s %d %%", o->value, is, o->limit);
}

static void append_left(char *buf, size_t size, const char *cause, const char *why, int32_t s)
{
	char left[32];

	span(left, sizeof(left), s);
	snprintf(
	    buf, size, "%s; %s%s%s", cause, why, s > 0 ? ", left " : "", s > 0 ? left : "");
}

void reason_text(char *buf, size_t size, const struct autostart_out *o)
{
	const char *idle = words[o->reason].idle, *run = words[o->reason].run;
	bool unmeasured = o->cause == AUTO_MANUAL || o->cause == AUTO_EXERCISE;
	bool running = o->wish == WISH_RUN && !unmeasured;
	char cause[96];

	cause_text(cause, sizeof(cause), o);
	if (o->wish == WISH_STOP)
		snprintf(buf, size, "%s; stopping: %s", cause, run ? run : "no longer needed");
	else if (o->wish == WISH_RUN && run)
		append_left(buf, size, cause, run, o->left_s);
	else if (o->wish == WISH_RUN && o->next == NEXT_NONE && unmeasured)
		snprintf(buf, size, "%s; starting", cause);
	else if (o->wish == WISH_RUN && o->next == NEXT_NONE)
		snprintf(buf, size, "%s for %d readings; starting", cause, o->count);
	else if (o->reason == AUTO_CONFIRMING || (running && o->count > 0))
		snprintf(buf, size, "%s for %d reading%s; not yet enough to %s", cause, o->count,
		    o->count == 1 ? "" : "s", running ? "stop" : "start");
	else if (o->wish == WISH_RUN)
		snprintf(buf, size, "%s; running", cause);
	else if (idle)
		append_left(buf, size, cause, idle, o->left_s);
	else
		snprintf(buf, size, "%s; nothing to do", cause);
}

const char *reason_ended(const struct autostart_out *o)
{
	return words[o->ended].run ? words[o->ended].run : "";
}

void reason_next(char *buf, size_t size, const struct autostart_out *o, int64_t now_ms)
{
	int64_t left_s = o->next_ms > now_ms ? (o->next_ms - now_ms + 999) / 1000 : 0;
	char left[32];

	span(left, sizeof(left), left_s);
	switch (o->next) {
	case NEXT_START_BELOW:
		snprintf(buf, size, "start when SOC is below %d %%", o->next_value);
		break;
	case NEXT_START_AT:
		snprintf(buf, size, "start in %s if it is still needed", left);
		break;
	case NEXT_STOP_AT:
		snprintf(buf, size, "stop at SOC %d %% or in %s", o->next_value, left);
		break;
	case NEXT_STOP:
		snprintf(buf, size, "stop in %s at the latest", left);
		break;
	case NEXT_RETRY:
		snprintf(buf, size, "the engine node allows starts again in %s", left);
		break;
	default:
		snprintf(buf, size, "%s",
		    o->wish == WISH_RUN	   ? "the engine starts"
		    : o->wish == WISH_STOP ? "cool down, then rest"
					   : "nothing until this changes");
	}
}

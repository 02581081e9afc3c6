#include "node-genctl/alarm.h"

#define ROW(name, kind, stays, sentence)                                                       \
	[ALARM_##name] = { #name, ALARM_##kind, stays, sentence }

/* Classes: spec of the engine's safety, part B: shutdown and latch, trip, warning. */
const struct alarm_info alarm_info[ALARM_N] = {
	ROW(FAIL_TO_START, SHUTDOWN, 1,
	    "The engine did not start in the allowed attempts: check fuel, starter battery and "
	    "glow plugs, then clear."),
	ROW(UNEXPECTED_STOP, SHUTDOWN, 0,
	    "The engine died by itself: check fuel, oil level and coolant before the next "
	    "start."),
	ROW(FAIL_TO_STOP, SHUTDOWN, 1,
	    "The engine still turns with ignition open: stop it by hand at the engine, look at "
	    "the "
	    "fuel solenoid and the ignition relay, then clear."),
	ROW(STARTER_STUCK, SHUTDOWN, 1,
	    "The starter's own input is high with its relay open: disconnect the starter "
	    "battery "
	    "now, replace the relay, then clear."),
	ROW(STARTER_NO_FEEDBACK, SHUTDOWN, 1,
	    "The starter was switched on but its input stayed low: check the starter relay, "
	    "its "
	    "fuse, the battery and the IN4 wire, then clear."),
	ROW(IGN_FEEDBACK, SHUTDOWN, 1,
	    "The ignition input does not follow the ignition relay: check the relay, its fuse "
	    "and "
	    "the IN2 wire, then clear."),
	ROW(EMERGENCY_STOP, SHUTDOWN, 1,
	    "Emergency stop: make the engine safe, release the button, then clear."),
	ROW(OUTPUT_UNKNOWN, SHUTDOWN, 1,
	    "The relay board did not confirm a write, so the relays may be closed: stop the "
	    "engine "
	    "by hand, check the board's supply and I2C cable, then clear."),
	ROW(MODIO_LOST, TRIP, 0,
	    "The relay board's inputs cannot be read: check the I2C cable and the board's "
	    "supply; "
	    "a running engine is stopped when its time is over."),
	ROW(MODIO_RESET, SHUTDOWN, 0,
	    "The relay board lost its state while cranking, as in a brown-out: check its "
	    "supply "
	    "and the starter battery."),
	ROW(INPUT_IMPLAUSIBLE, WARNING, 0,
	    "The inputs contradict each other: check the wires of IN1, IN2 and IN4."),
	ROW(MAX_RUN, TRIP, 0,
	    "The longest allowed run is over: find out why nobody stopped the engine; "
	    "automatic "
	    "starts wait an hour."),
	ROW(LEASE_LOST, TRIP, 0,
	    "The monitor that asked for this run is silent: check it and the network; the "
	    "engine "
	    "stops when its time is over."),
	ROW(EXTERNAL_RUN, WARNING, 0,
	    "The engine runs though this node did not start it: if nobody started it by hand, "
	    "look "
	    "at it now."),
	ROW(CONTROL_LOST, TRIP, 0,
	    "The control process failed: the engine is held, then cooled down and stopped, by "
	    "the "
	    "guard; read the log."),
	ROW(JOURNAL_UNWRITABLE, TRIP, 0,
	    "Records cannot be written, so no start is allowed: check that the state folder's "
	    "disk "
	    "is neither full nor read-only."),
	ROW(DEADMAN_LOST, WARNING, 0,
	    "The deadman process does not answer, so no start is allowed: it is being "
	    "replaced; "
	    "read the log if this stays."),
	ROW(AUTO_DISABLED, WARNING, 0,
	    "Automatic starts are off: give `auto` when the site may start the engine again."),
	ROW(RESTARTED, WARNING, 0,
	    "The service restarted while it held the engine: read the log to learn why."),
	ROW(LOCKOUT_RETRY, WARNING, 0,
	    "A lockout ended by itself: the next start request tries again."),
	ROW(CLOCK_UNSET, WARNING, 0,
	    "The wall clock was never set, so records carry no date: check the time service."),
	ROW(CONFIG_REJECTED, WARNING, 0,
	    "The last reload was refused and the former configuration holds: `genctld "
	    "--check-config` says what is wrong; then reload again."),
};

void alarm_init(struct alarm_record *a)
{
	*a = (struct alarm_record){ .first = ALARM_N };
}

static uint8_t weightiest(uint32_t bits)
{
	uint8_t found = ALARM_N;

	for (uint8_t i = 0; i < ALARM_N; i++) {
		if ((bits >> i & 1) && alarm_info[i].class > ALARM_WARNING &&
		    (found == ALARM_N || alarm_info[i].class > alarm_info[found].class))
			found = i;
	}
	return found;
}

uint32_t alarm_note(struct alarm_record *a, uint32_t standing, int64_t now_ms)
{
	uint32_t fresh = standing & ~a->standing;

	a->standing = standing;
	for (int i = 0; i < ALARM_N; i++) {
		if (fresh >> i & 1)
			a->since_ms[i] = now_ms;
	}
	if (weightiest(standing) == ALARM_N)
		a->first = ALARM_N;
	else if (a->first == ALARM_N)
		a->first = weightiest(fresh);
	return fresh;
}

#include "node-monitor/config.h"

#include <stdbool.h>
#include <string.h>

#define ROWS(a) (sizeof(a) / sizeof((a)[0]))
#define AT(member) CONF_AT(struct monitor_config, member)
#define INT(path, member, min, max, def, unit, help)                                           \
	{                                                                                      \
		path, CONF_INT, AT(member), min, max, NULL, def, unit, help                    \
	}
#define REAL(path, member, min, max, def, unit, help)                                          \
	{                                                                                      \
		path, CONF_REAL, AT(member), min, max, NULL, def, unit, help                   \
	}
#define TEXT(path, member, def, help)                                                          \
	{                                                                                      \
		path, CONF_TEXT, AT(member), 0, 0, NULL, def, "", help                         \
	}
#define WORD(path, member, words, def, help)                                                   \
	{                                                                                      \
		path, CONF_CHOICE, AT(member), 0, 0, words, def, "", help                      \
	}

const struct inverter_ops *const inverter_drivers[] = { &inverter_luxpower };

/* clang-format off */
const struct conf_key monitor_keys[] = {
	WORD("log_level", log_level, "debug info warn error", "info",
	    "Least important kind of line that is logged; debug shows every poll."),
	TEXT("runtime_dir", runtime_dir, "/run/pigenny",
	    "Folder of the lock and of the socket that `monitord --status` asks."),
	TEXT("manual_dir", manual_dir, "/run/pigenny",
	    "Folder of the files that charge-on, charge-off and charge-force-stop make."),

	WORD("inverter.driver", inverter_driver, "luxpower", "luxpower", "Kind of inverter."),
	TEXT("inverter.device", inverter.device, "/dev/ttySC1",
	    "Serial port, or tcp:HOST:PORT for Modbus TCP."),
	INT("inverter.baud", inverter.baud, 1200, 921600, "19200", "", "Speed of a serial port."),
	INT("inverter.unit_id", inverter.unit_id, 1, 247, "1", "", "Modbus address of the inverter."),
	INT("inverter.timeout_ms", inverter.timeout_ms, 500, 60000, "15000", "ms",
	    "Limit for one whole poll, pauses included."),
	INT("inverter.gap_ms", inverter.gap_ms, 0, 5000, "1000", "ms",
	    "Least time between two requests; the inverter asks for 1000."),
	INT("inverter.keep_ms", inverter.keep_ms, 1000, 3600000, "120000", "ms",
	    "A value that was not read again for so long is no longer known."),
	INT("poll_interval_s", poll_s, 1, 600, "30", "s", "Time between two polls of the inverter."),

	TEXT("generator.host", generator_host, "10.2.242.109",
	    "Address of the engine node; a name is looked up once, at start."),
	INT("generator.port", generator_port, 1, 65535, "9999", "", "Its protobuf port."),
	INT("generator.status_interval_s", status_s, 1, 10, "2", "s",
	    "Time between two questions for its status; events come by themselves."),
	INT("generator.health_interval_s", health_s, 10, 86400, "3600", "s",
	    "Time between two `Olimex health:` lines."),

	INT("autostart.soc_start_pct", autostart.soc_start_pct, 1, 99, "25", "%",
	    "The generator starts when the battery's charge falls below this."),
	INT("autostart.soc_stop_pct", autostart.soc_stop_pct, 2, 100, "80", "%",
	    "It stops when the charge has reached this."),
	INT("autostart.voltage_start_mv", autostart.voltage_start_mv, 0, 1000000, "0", "mV",
	    "It also starts when the battery stays below this; 0: off."),
	INT("autostart.voltage_stop_mv", autostart.voltage_stop_mv, 0, 1000000, "53500", "mV",
	    "A start by voltage ends when the battery stays at or above this."),
	INT("autostart.voltage_delay_s", autostart.voltage_delay_s, 0, 3600, "120", "s",
	    "How long the voltage must stay there."),
	INT("autostart.load_start_w", autostart.load_start_w, 0, 1000000, "0", "W",
	    "It also starts when the house takes this much; 0: off."),
	INT("autostart.load_stop_w", autostart.load_stop_w, 0, 1000000, "0", "W",
	    "A start by load ends when the house takes less than this."),
	INT("autostart.load_delay_s", autostart.load_delay_s, 0, 3600, "120", "s",
	    "How long the load must stay there."),
	INT("autostart.debounce_readings", autostart.debounce_readings, 2, 20, "3", "",
	    "Fresh readings in a row that must agree before anything is decided."),
	INT("autostart.debounce_s", autostart.debounce_s, 0, 3600, "60", "s",
	    "Time over which they must agree."),
	INT("autostart.stale_s", autostart.stale_s, 10, 3600, "120", "s",
	    "A reading older than this proves nothing."),
	INT("autostart.blind_run_s", autostart.blind_run_s, 0, 7200, "1800", "s",
	    "A run goes on for so long without readings, then it is ended."),
	INT("autostart.min_run_s", autostart.min_run_s, 0, 7200, "600", "s", "Shortest run."),
	INT("autostart.max_run_s", autostart.max_run_s, 600, 18000, "14400", "s", "Longest run."),
	INT("autostart.min_between_s", autostart.min_between_s, 0, 86400, "3600", "s",
	    "Least time from the end of a run to the next automatic start."),
	INT("autostart.quiet_from_min", autostart.quiet_from_min, 0, 1439, "0", "min",
	    "Quiet hours begin, in minutes after midnight; equal to quiet_to_min: none."),
	INT("autostart.quiet_to_min", autostart.quiet_to_min, 0, 1439, "0", "min",
	    "Quiet hours end."),
	INT("autostart.quiet_start_pct", autostart.quiet_start_pct, 0, 98, "10", "%",
	    "In quiet hours it starts only below this; 0: never."),
	INT("autostart.quiet_stop_pct", autostart.quiet_stop_pct, 1, 100, "40", "%",
	    "In quiet hours it stops at this."),
	INT("autostart.quiet_start_mv", autostart.quiet_start_mv, 0, 1000000, "0", "mV",
	    "In quiet hours it also starts below this voltage; 0: off."),
	INT("autostart.exercise_days", autostart.exercise_days, 0, 90, "0", "days",
	    "An exercise run is due so long after the last long run; 0: never."),
	INT("autostart.exercise_weekday", autostart.exercise_weekday, 0, 7, "7", "",
	    "Day of the exercise run, 0 Sunday to 6 Saturday; 7: any day."),
	INT("autostart.exercise_hour", autostart.exercise_hour, 0, 23, "10", "h",
	    "Hour in which it begins."),
	INT("autostart.exercise_s", autostart.exercise_s, 60, 7200, "1200", "s", "How long it runs."),
	INT("autostart.charging_within_s", autostart.charging.within_s, 0, 3600, "300", "s",
	    "On load, charge or voltage must have risen within this, else it alarms; 0: never."),
	INT("autostart.charging_rise_pct", autostart.charging.rise_pct, 1, 10, "1", "%",
	    "A rise of the charge that proves charging."),
	INT("autostart.charging_rise_mv", autostart.charging.rise_mv, 50, 5000, "500", "mV",
	    "A rise of the voltage that proves it as well."),
	INT("autostart.charging_full_pct", autostart.charging.full_pct, 50, 100, "95", "%",
	    "From this charge on no rise is asked for."),

	TEXT("csv.dir", csv_dir, "/var/log/pigenny",
	    "Folder of the daily data_YYYYMMDD.csv; empty: none is written."),
	WORD("csv.layout", csv_layout, "standard extended", "standard",
	    "Columns: the original's twelve, or fourteen with PV1, PV2 and load power."),
	INT("csv.interval_s", csv_s, 1, 86400, "600", "s", "Time between two rows."),

	INT("replay.capacity_wh", capacity_wh, 500, 1000000, "30000", "Wh",
	    "Battery that --replay reckons with."),
	INT("replay.charger_w", charger_w, 100, 100000, "5000", "W",
	    "What the generator's charger gives the battery there."),
	REAL("replay.pv_scale", pv_scale, 0, 1000, "1", "", "The recording's sun times this."),
	REAL("replay.fuel_price", fuel_price, 0, 1000000, "1", "per litre", "Price of the fuel."),
};

/* A key, or the group before a dot. */
static const char *const live[] = {
	"log_level", "poll_interval_s", "generator.status_interval_s", "generator.health_interval_s",
	"autostart.", "csv.interval_s",
};
/* clang-format on */

const size_t monitor_nkeys = ROWS(monitor_keys);

int monitor_config_check(const void *config, FILE *faults)
{
	const struct monitor_config *c = config;
	const char *contradiction = autostart_fault(&c->autostart);

	if (!contradiction)
		return 0;
	fprintf(faults, "autostart: %s\n", contradiction);
	return 1;
}

static bool is_live(const char *path)
{
	for (size_t i = 0; i < ROWS(live); i++) {
		size_t n = strlen(live[i]);

		if (strncmp(path, live[i], n) == 0 && (!path[n] || live[i][n - 1] == '.'))
			return true;
	}
	return false;
}

void monitor_config_reload(
    struct monitor_config *running, const struct monitor_config *fresh, FILE *notes)
{
	for (const struct conf_key *k = monitor_keys; k < monitor_keys + monitor_nkeys; k++) {
		char *to = (char *)running + k->offset;
		const char *from = (const char *)fresh + k->offset;

		if (memcmp(to, from, k->size) == 0)
			continue;
		if (is_live(k->path))
			memcpy(to, from, k->size);
		else
			fprintf(notes, "%s: the new value needs a restart\n", k->path);
	}
}

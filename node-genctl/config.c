#include "node-genctl/config.h"

#define AT(member) CONF_AT(struct genctl_config, member)
#define TEXT(path, member, def, help)                                                          \
	{                                                                                      \
		path, CONF_TEXT, AT(member), 0, 0, NULL, def, "", help                         \
	}
#define FLAG(path, member, help)                                                               \
	{                                                                                      \
		path, CONF_BOOL, AT(member), 0, 0, NULL, "false", "", help                     \
	}
#define NUMBER(path, member, min, max, def, unit, help)                                        \
	{                                                                                      \
		path, CONF_INT, AT(member), min, max, NULL, def, unit, help                    \
	}
#define CHOICE(path, member, words, def, help)                                                 \
	{                                                                                      \
		path, CONF_CHOICE, AT(member), 0, 0, words, def, "", help                      \
	}
#define MS(path, member, min, max, def, help)                                                  \
	NUMBER(path, engine.member, min, max, def, "ms", help)

/* clang-format off */
const struct conf_key config_keys[] = {
	TEXT("listen", listen, "127.0.0.1:9999", "Address and port of the protobuf server."),
	FLAG("insecure", insecure,
	     "Allows listening beyond loopback although peers are not authenticated."),
	TEXT("text_listen", text_listen, "",
	     "Address and port of the original's text protocol, usually 127.0.0.1:9998; empty is off."),
	CHOICE("text_reply_after", text_reply_after, "end accepted", "end",
	       "When START and STOP of the text protocol are answered."),
	FLAG("text_allow_relay", text_allow_relay,
	     "Lets the text protocol's RELAY work in maintenance."),
	TEXT("state_dir", state_dir, "/var/lib/pigenny", "Folder of the durable records."),
	TEXT("runtime_dir", runtime_dir, "/run/pigenny", "Folder of the operator's socket."),
	TEXT("watchdog", watchdog, "", "Hardware watchdog to feed, such as /dev/watchdog; empty is none."),
	CHOICE("on_exit", on_exit, "cooldown stop", "cooldown",
	       "What SIGTERM does to a running engine: cool down first, or stop at once."),
	CHOICE("log_level", log_level, "debug info warn error", "info", "Least level that is logged."),
	NUMBER("time_scale", time_scale, 1, 5, "1", "",
	       "Divides the sequence's times; for the simulated board only."),

	CHOICE("board.kind", board.kind, "modio sim", "modio", "Relay board: Olimex MOD-IO or the simulator."),
	TEXT("board.bus", board.bus, "/dev/i2c-0", "I2C device of the MOD-IO."),
	NUMBER("board.address", board.address, 0x08, 0x77, "0x58", "", "I2C address of the MOD-IO."),
	TEXT("board.socket", board.socket, "/run/pigenny/board.sock", "Socket of the simulated board."),
	NUMBER("board.reset_gpio", board.reset_gpio, -1, 511, "-1", "",
	       "Line of gpiochip0 wired to the board's RST pin; -1 is none."),
	CHOICE("board.in3", engine.in3, "unused estop_nc", "unused",
	       "Use of the spare input: nothing, or a normally closed emergency stop."),
	CHOICE("ign_feedback", engine.ign_feedback, "present absent", "present",
	       "Whether the ignition sense wire is there; without it a dead bus looks like a dead engine."),

	MS("sequence.start_delay_ms", start_delay_ms, 0, 600000, "0", "Wait before a start."),
	MS("sequence.reset_ms", reset_ms, 100, 10000, "1000", "All relays open before a start."),
	MS("sequence.ignition_ms", ignition_ms, 100, 10000, "500", "Ignition before the starter."),
	MS("sequence.preheat_ms", preheat_ms, 0, 15000, "0", "Glow before the starter, with glow = preheat."),
	MS("sequence.crank_ms", crank_ms, 1000, CRANK_TOTAL_CAP_MS, "10000", "Starter alone."),
	MS("sequence.glow_assist_ms", glow_assist_ms, 0, 10000, "2000",
	   "Starter with glow after that, with glow = assist; 15000 with crank_ms at most."),
	MS("sequence.coast_ms", coast_ms, 1000, 20000, "4000", "From starter open to the check that it runs."),
	MS("sequence.warmup_ms", warmup_ms, 1000, 1800000, "60000", "Running without load."),
	MS("sequence.stabilise_ms", stabilise_ms, 1000, 600000, "20000", "Steady before the charger closes."),
	MS("sequence.cooldown_ms", cooldown_ms, 1000, 1800000, "180000", "Running without load before a stop."),
	CHOICE("sequence.glow", engine.glow_mode, "off assist preheat", "assist", "Use of the glow plugs."),
	NUMBER("sequence.attempts", engine.attempts, 1, ATTEMPTS_CAP, "3", "",
	       "Crank attempts of one request, and failures in a row before the lockout."),

	MS("limits.crank_rest_ms", crank_rest_ms, 5000, 600000, "15000", "Starter off between two pulses."),
	MS("limits.at_rest_ms", at_rest_ms, 5000, 120000, "10000", "Engine at rest before a starter pulse."),
	MS("limits.lost_ms", lost_ms, 1000, 30000, "6000", "Running input low for so long: the engine is dead."),
	MS("limits.fail_to_stop_ms", fail_to_stop_ms, 10000, 600000, "60000",
	   "Still turning so long after ignition opened: alarm."),
	MS("limits.max_run_ms", max_run_ms, 60000, 86400000, "18000000", "Longest run, whoever asked for it."),
	MS("limits.between_runs_ms", between_runs_ms, 0, 86400000, "600000", "Off between two runs."),
	NUMBER("limits.starts_per_hour", engine.starts_per_hour, 1, 8, "4", "", "Start requests in an hour."),
	MS("limits.lockout_ms", lockout_ms, 60000, 86400000, "3600000", "Lockout until it retries by itself."),
	NUMBER("limits.lockout_retries", engine.lockout_retries, 0, 4, "2", "",
	       "Such retries in 24 hours; 0 leaves every lockout to an operator."),
};
/* clang-format on */
const size_t config_nkeys = sizeof(config_keys) / sizeof(config_keys[0]);

void config_scale(struct genctl_config *config)
{
	struct engine_config *e = &config->engine;
	int32_t *const times[] = { &e->start_delay_ms, &e->reset_ms, &e->ignition_ms,
		&e->preheat_ms, &e->crank_ms, &e->glow_assist_ms, &e->coast_ms, &e->warmup_ms,
		&e->stabilise_ms, &e->cooldown_ms, &e->crank_rest_ms, &e->at_rest_ms,
		&e->fail_to_stop_ms, &e->max_run_ms, &e->between_runs_ms, &e->lockout_ms };

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		*times[i] /= config->time_scale;
}

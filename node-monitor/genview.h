/*
 * genview - the engine node as the monitor sees it: its messages as values, with their age.
 *
 * Units: *_at_ms and other *_ms times monotonic, as the caller read the clock; durations in
 * the names. Errors: none; texts too long are cut, numbers unknown to us become "fault".
 * Source: proto/genctl.proto.
 */
#ifndef MONITOR_GENVIEW_H
#define MONITOR_GENVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node-monitor/policy/engine.h"

struct Genctl__Status;
struct Genctl__Health;

enum { GEN_TEXT = 200, GEN_ALARMS = 24 };
enum gen_state { GEN_DOWN, GEN_CONNECTING, GEN_GREETING, GEN_UP };

enum gen_class { GEN_NO_CLASS, GEN_WARNING, GEN_TRIP, GEN_SHUTDOWN }; /* as on the wire */

struct gen_alarm {
	char code[32], text[GEN_TEXT];
	enum gen_class class; /* GEN_NO_CLASS: an older node does not say */
	bool latched;
	bool first;	  /* first-up: it came before the others */
	int64_t since_ms; /* monotonic, ours */
};

struct gen_status { /* Status of the wire */
	int64_t at_ms;
	enum engine_phase phase, next_phase;
	enum engine_mode mode;
	uint32_t phase_left_ms, relays, inputs;
	bool relays_known, inputs_valid, running, start_in_progress, simulated;
	uint32_t run_s, run_left_s, attempts, start_ready_ms, lockout_left_s;
	int32_t stopped_s; /* since the last run ended, or UNKNOWN */
	char i2c[16], why[GEN_TEXT], blocks[GEN_TEXT], next[GEN_TEXT];
	struct gen_alarm alarms[GEN_ALARMS];
	size_t nalarms;
};

struct gen_health { /* Health of the wire */
	int64_t at_ms;
	uint32_t connections, uptime_s, service_uptime_s, memory_pct, disk_pct, i2c_errors;
	uint64_t disk_free;
	char version[32];
};

struct gen_view {
	enum gen_state state;
	char peer[128], down_because[64]; /* empty while up */
	uint64_t boot_id;
	struct gen_status status;
	struct gen_health health;
	bool heard;	  /* a status has come over this connection */
	bool holder;	  /* we hold the lease */
	int64_t lease_ms; /* until when, if it is not renewed */
	int order_code;	  /* answer to the last order, Code of the wire; 0: accepted */
	char order_text[GEN_TEXT];
};

void genview_status(struct gen_view *v, const struct Genctl__Status *m, int64_t now_ms);
void genview_health(struct gen_view *v, const struct Genctl__Health *m, int64_t now_ms);
/* What the deciders are told. */
struct engine_truth genview_truth(const struct gen_view *v, int64_t now_ms);
const char *genview_phase_name(enum engine_phase phase); /* "CRANK" */
const char *genview_class_name(enum gen_class class);	 /* "shutdown" */
const char *genview_mode_name(enum engine_mode mode);	 /* "auto" */

#endif

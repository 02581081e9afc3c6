/*
 * config - the engine node's configuration: one table of rows, one struct of values.
 *
 * Every time and limit stands in the file in real milliseconds, inside compiled-in caps;
 * config_scale() then shortens the sequence's durations for a simulated site.
 */
#ifndef GENCTL_CONFIG_H
#define GENCTL_CONFIG_H

#include <stdio.h>

#include "common/conf.h"
#include "node-genctl/board.h"
#include "node-genctl/engine.h"

/* clang-format off */
enum on_exit { ON_EXIT_COOLDOWN, ON_EXIT_STOP };
enum text_reply { TEXT_REPLY_END, TEXT_REPLY_ACCEPTED };
/* clang-format on */

struct genctl_config {
	struct engine_config engine;
	struct board_config board;
	char listen[64];      /* protobuf, "127.0.0.1:9999" */
	char text_listen[64]; /* the original's line protocol; "": off */
	bool insecure;	      /* listeners may be reached from other machines */
	bool text_allow_relay;
	int32_t text_reply_after; /* enum text_reply */
	char state_dir[96];	  /* ledger; durable */
	char runtime_dir[80];	  /* operator socket */
	char watchdog[64];	  /* "/dev/watchdog"; "": none */
	int32_t on_exit;	  /* enum on_exit */
	int32_t log_level;	  /* enum log_level */
	int32_t time_scale;	  /* simulated board only */
};

extern const struct conf_key config_keys[];
extern const size_t config_nkeys;

/* What no single row can see; returns the number of faults told. */
int config_check(const void *config, FILE *faults);
/* Divides the sequence's durations by time_scale; feedback and debounce limits stay. */
void config_scale(struct genctl_config *config);

#endif

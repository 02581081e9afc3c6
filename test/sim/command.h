/*
 * command - the words that change the simulated site, from control socket, script or start.
 *
 * A command is one word and its values: `soc 30`, `stuck-bus 500`. The answer is `ok`, a
 * sentence that begins with `error:`, or what was asked for. command_help() lists them.
 */
#ifndef SIM_COMMAND_H
#define SIM_COMMAND_H

#include <stdint.h>
#include <stdio.h>

#include "test/sim/endpoint.h"

struct world;

/* `words` is changed. Carried out at the world's now. */
void command_run(struct world *w, char *words, char reply[static EP_REPLY]);
void command_help(FILE *to);

enum { SCRIPT_MAX = 1000 };

struct script {
	struct script_line {
		int64_t t_ms; /* from the simulator's start */
		char words[80];
	} lines[SCRIPT_MAX];
	size_t n, next;
};

/* Lines `t_ms WORDS` in order of time; `#` begins a comment. 0, -errno, or -EBADMSG with
 * the fault told on standard error. */
int script_load(struct script *s, const char *path);
int64_t script_due_ms(const struct script *s); /* from the start; INT64_MAX: at its end */
/* Runs every line that is due; a refused one is reported on standard error. */
void script_run(struct script *s, struct world *w, int64_t t_ms);

#endif

/*
 * options - the command line that both daemons share, on top of conf's table.
 *
 *   --config FILE --check-config --print-config --version --help, and the program's own
 *
 * Values come in this order, the last one holds: the rows' defaults, the file, options.
 * The default file may be absent; one named with --config may not. An option's value is
 * its next argument or follows a `=`.
 *
 * Errors: a wrong command line or configuration is told on standard error, every fault a
 * line, and ends in exit status 2.
 */
#ifndef COMMON_OPTIONS_H
#define COMMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/conf.h"

struct option_row {
	const char *name;  /* "--inverter-port"; NULL ends the rows */
	const char *key;   /* sets this row of the table, or */
	const char **word; /* takes a value that is no setting, or */
	bool *flag;	   /* takes none */
	const char *help;
};

struct options {
	const char *program, *about, *config;
	const struct conf_key *keys;
	size_t nkeys;
	const struct option_row *rows;
	/* What no single row can see; reports as conf does. Returns the number of faults. */
	int (*check)(const void *conf, FILE *faults);
};

/* -1: conf is filled, go on; otherwise the status to exit with: 0 or 2. */
int options_start(const struct options *o, int argc, char **argv, void *conf);
/* The same values once more, for a reload. 0, -ENOENT or -EINVAL; conf is then untouched. */
int options_reload(
    const struct options *o, int argc, char **argv, void *conf, size_t size, FILE *faults);

#endif

/*
 * conf - configuration files (libconfig) read through a table of rows.
 *
 * One row a key: where it stands in the file, its type, bounds, default, unit and help;
 * the loader, the check, the listing and the README's table come from the same row.
 * A value lands in the caller's struct at `offset`: BOOL as bool, INT as int32_t (bounds in
 * the row), REAL as double, TEXT as char[size], CHOICE as int32_t (index into `choices`).
 *
 * Errors: conf_load returns 0, -ENOENT (no such file) or -EINVAL after it has reported
 * every fault, not only the first: `file:line: key: what is wrong and what is allowed`;
 * an unknown key names the nearest known one. *out is then untouched.
 */
#ifndef COMMON_CONF_H
#define COMMON_CONF_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum conf_type { CONF_BOOL, CONF_INT, CONF_REAL, CONF_TEXT, CONF_CHOICE };

struct conf_key {
	const char *path; /* "board.address" */
	enum conf_type type;
	size_t offset, size; /* size: of a TEXT field, its terminating 0 included */
	int64_t min, max;    /* INT and REAL, inclusive */
	const char *choices; /* CHOICE: words separated by a blank, index 0 first */
	const char *def;     /* as it would be written in the file, TEXT without quotes */
	const char *unit;    /* "ms", "%", "" */
	const char *help;    /* one sentence */
};

#define CONF_AT(type, member) offsetof(type, member), sizeof(((type *)0)->member)

/* Fills `out` with every row's default. A default outside its own bounds aborts. */
void conf_defaults(const struct conf_key *keys, size_t n, void *out);
/* Defaults first, then the file over them. Faults go to `faults`, one line each. */
int conf_load(const char *file, const struct conf_key *keys, size_t n, void *out, FILE *faults);
/* One value from the command line, `origin` standing for file and line in a fault. */
int conf_set(const struct conf_key *keys, size_t n, const char *path, const char *text,
    void *out, const char *origin, FILE *faults);
/* Every key with help, unit, bounds and its value in `in`: itself a valid file. */
void conf_print(const struct conf_key *keys, size_t n, const void *in, FILE *to);

#endif

/*
 * conf_round - one configuration file through a program's table and back.
 *
 * Asserts: the text either loads with every value inside its row's bounds, and what is printed
 * of it loads to the same values; or it is told as faults, each one line with file and line,
 * and nothing of it is taken.
 */
#ifndef TEST_CONF_ROUND_H
#define TEST_CONF_ROUND_H

#include <stdint.h>
#include <stdio.h>

#include "common/conf.h"

struct conf_table {
	const struct conf_key *keys;
	size_t n, size; /* size: of the struct of values */
	int (*check)(const void *config, FILE *faults);
};

void conf_round(const struct conf_table *t, const uint8_t *text, size_t n);

#endif

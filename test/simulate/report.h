/*
 * report - what happened in a run: its last rows, the hash over all of them, what broke.
 *
 * Each process's log lines are rows too. Only the first violation of a run counts.
 */
#ifndef SIMULATE_REPORT_H
#define SIMULATE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

struct report {
	uint64_t hash;
	bool violated;
	int64_t at_ms;
	char rule[24], text[200];
};

extern struct report report;
extern bool report_verbose; /* rows are printed as they come */

void report_reset(void);
void report_row(int acked, int contacts, int inputs, const char *event);
void report_note(const char *who, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void report_violation(const char *rule, const char *text);
void report_print_tail(void);
_Noreturn void report_broken(const char *why); /* the simulation itself */

#endif

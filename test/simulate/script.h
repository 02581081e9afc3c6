/* script - short scenarios, each run again with every single operation of a kind failing. */
#ifndef SIMULATE_SCRIPT_H
#define SIMULATE_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

void script_phase(uint8_t phase);		    /* the sequence has entered it */
int script_fail_each(const char *kind, bool quick); /* the program's exit status */

#endif

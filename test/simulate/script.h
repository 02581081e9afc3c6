/* script - short scenarios, each run again with every single operation of a kind failing. */
#ifndef SIMULATE_SCRIPT_H
#define SIMULATE_SCRIPT_H

#include <stdbool.h>

int script_fail_each(const char *kind, bool quick); /* the program's exit status */

#endif

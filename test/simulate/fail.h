/* fail - makes the k-th operation of a kind fail, once. */
#ifndef SIMULATE_FAIL_H
#define SIMULATE_FAIL_H

#include <stdbool.h>

enum fail_kind { FAIL_ALLOC, FAIL_DISK, FAIL_BOARD, FAIL_LINK, FAIL_KINDS };

extern const char *const fail_names[FAIL_KINDS];
void fail_arm(enum fail_kind kind, long k); /* k counts from 1; 0: nothing fails */
bool fail_now(enum fail_kind kind);	    /* is this the one? */
bool fail_armed(void);
bool fail_happened(void);
bool fail_recently(void); /* within the last minute */

#endif

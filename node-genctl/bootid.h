/*
 * bootid - which start of the kernel this is, so that its monotonic times are known again.
 *
 * Errors: none; BOOT_ID_LEN question marks where the kernel does not say, which is never the
 * same start as another.
 * Source: proc(5), /proc/sys/kernel/random/boot_id.
 */
#ifndef GENCTL_BOOTID_H
#define GENCTL_BOOTID_H

#include <stdbool.h>

#include "node-genctl/ledger.h"

void bootid_read(char id[static BOOT_ID_LEN + 1]);
bool bootid_known(const char id[static BOOT_ID_LEN + 1]);

#endif

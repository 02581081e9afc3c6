/*
 * manual - the wishes people leave as files: pigenny_force_charge, pigenny_force_stop.
 *
 * charge-on removes the stop file and makes the charge file; charge-off removes the charge
 * file; charge-force-stop removes the charge file and makes the stop file. Only that a plain
 * file is there counts. Who may give these orders is decided by the folder's permissions.
 *
 * As in the original, a stop that was carried out removes its file, and automatic mode goes
 * on; one that meets a resting engine stays and holds it until somebody removes it.
 *
 * Errors: manual_read never fails: what is not to be seen is not wished. manual_stop_done
 * 0 or -errno.
 * Source: the original's charge-on, charge-off and charge-force-stop.
 */
#ifndef MONITOR_MANUAL_H
#define MONITOR_MANUAL_H

#include <stdbool.h>

struct manual {
	bool charge, stop;
};

struct manual manual_read(const char *dir);
int manual_stop_done(const char *dir);

#endif

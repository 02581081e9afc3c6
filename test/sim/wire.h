/*
 * wire - the inverter's serial line (a pty) and its TCP twin: requests in, answers out, as
 * late, broken or silent as told.
 *
 * The device answers the same block again only after poll_ms; asked sooner it is silent.
 * (The site's unit takes different blocks one after another.) One request at a time.
 *
 * Units: ms, monotonic. Errors: open functions 0 or -errno.
 */
#ifndef SIM_WIRE_H
#define SIM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "test/sim/slave.h"

enum wire_mode {
	WIRE_OK,
	WIRE_SILENT,
	WIRE_CRC,
	WIRE_LATE,
	WIRE_DRIBBLE,
	WIRE_HALF,
	WIRE_LOST_FIRST,
	WIRE_NONSENSE,
	WIRE_BUSY,
	WIRE_NMODES
};

extern const char *const wire_mode_names[WIRE_NMODES];
#define WIRE_MODES "ok|silent|crc|late|dribble|half|lost-first|nonsense|busy"

struct wire_device { /* the one inverter behind both ends */
	struct slave_bank input, holding;
	uint8_t unit;
	enum wire_mode mode;
	int64_t poll_ms;
	int64_t delay_ms; /* late: of the answer; dribble: of each byte */
	int64_t idle_ms;  /* lost-first loses the first request after so long a pause */
	int64_t requests, early;
	int64_t heard_ms;
	int64_t answered_ms[2][SLAVE_NREGS]; /* by function and first register */
};

struct wire {
	int fd;		/* -1: closed */
	bool tcp, hung; /* hung: nobody has the pty open */
	size_t in_n, out_n, out_sent;
	int64_t in_ms, due_ms, gap_ms;
	uint8_t in[12], out[SLAVE_FRAME];
};

void wire_device_init(struct wire_device *d);
int wire_open_pty(struct wire *w, const char *link);		/* makes the symlink `link` */
int wire_listen(const char *address, int *listener, int *port); /* "127.0.0.1:0" */
void wire_accept(struct wire *w, int listener); /* the newest connection replaces the last */
void wire_close(struct wire *w);
/* Reads, answers and sends what is due; never blocks. */
void wire_serve(struct wire *w, struct wire_device *d, int64_t now_ms);
int64_t wire_due_ms(const struct wire *w); /* INT64_MAX: nothing waits to be sent */

#endif

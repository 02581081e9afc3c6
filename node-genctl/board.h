/*
 * board - what a relay board driver provides: four relays out, four inputs in.
 *
 * A driver speaks to one device, keeps no history and decides nothing. Calls return within
 * 50 ms. read_inputs() reports the raw byte as the bus gave it, and itself asks an address
 * where no device lives (the canary) whenever the byte is zero: an answer there means that
 * the bus is held low and every zero is a lie.
 *
 * Errors: write: 0 only when the board acknowledged the byte; -EIO not acknowledged, -ENODEV
 *         the device is gone. read: 0, -EIO, -ENODEV, or -EBADMSG: the canary answered.
 */
#ifndef GENCTL_BOARD_H
#define GENCTL_BOARD_H

#include <stdbool.h>
#include <stdint.h>

struct board_config {
	int32_t kind;	    /* index into board_kinds[] */
	char bus[64];	    /* modio: "/dev/i2c-0" */
	int32_t address;    /* 0x58 */
	char socket[108];   /* sim: the simulator's socket */
	int32_t reset_gpio; /* line number on gpiochip0 wired to the board's RST; -1: none */
};

struct board {
	const struct board_ops *ops;
};

struct board_ops {
	const char *name; /* as in the configuration, "modio" */
	int (*open)(struct board **out, const struct board_config *config);
	int (*write_relays)(struct board *self, uint8_t relays);
	int (*read_inputs)(struct board *self, uint8_t *raw);
	int (*reset)(struct board *self);  /* optional: opens every relay by the RST pin */
	void (*close)(struct board *self); /* touches no relay; NULL is allowed */
};

extern const struct board_ops board_modio, board_sim;
extern const struct board_ops *const board_kinds[]; /* order of the `board.kind` words */

/* One owner a board: the descriptor that holds the lock on its device (or on the simulator's
 * "<socket>.lock"), to be closed by the caller; -EWOULDBLOCK: another holds it. */
int board_lock(const struct board_config *config);
bool board_is_locked_by(const struct board_config *config, int lock);

#endif

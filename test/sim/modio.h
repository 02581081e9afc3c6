/*
 * modio - Olimex MOD-IO with stock firmware, at the level of I2C transactions, with faults.
 *
 * Each packet of the board socket is one transaction, the answer says what the bus did:
 *
 *	W rr vv	 write register rr    A | N	0x10: relays, low nibble, the rest is lost
 *	C cc	 command byte alone   A | N	0x20: the next read answers the inputs
 *	R	 read one byte	      A vv | N	0x00 unless a command prepared a byte
 *	@aa ...	 to address aa instead of 0x58, as a canary probe does: N unless the bus hangs
 *
 * All numbers are two hex digits; anything else is answered N. A command prepares one byte
 * for one read; unknown commands (0x39 and 0x40 of the fork among them) prepare 0x00. The
 * relays stay as they are for ever; only a write or a reset of the board moves them.
 * Contacts follow the relays after MODIO_CONTACT_MS.
 *
 * Units: ms, monotonic. Errors: -ENXIO for a NAK.
 * Source: Olimex MOD-IO manual rev C (2020) p10-13; firmware I2C_FSM.c @492be4a; readings
 * of that firmware under simavr.
 */
#ifndef SIM_MODIO_H
#define SIM_MODIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MODIO_ADDRESS = 0x58,
	MODIO_CONTACT_MS = 5,
	MODIO_BOOT_MS = 100, /* deaf after a reset */
	MODIO_START = 1,
	MODIO_CHARGER = 2,
	MODIO_GLOW = 4,
	MODIO_IGNITION = 8,
};

struct modio_faults {
	int64_t nak_next; /* so many transactions fail */
	int64_t nak_until_ms;
	int64_t
	    stuck_until_ms; /* SDA held low: every address ACKs, reads 0x00, writes are lost */
	int64_t zero_until_ms; /* reads answer 0x00, writes work */
	int64_t noise;	       /* bits set in every inputs byte, say 0x80 */
	int64_t latched;       /* writes are acknowledged, no contact moves */
	int64_t welded;	       /* a starter contact that is closed stays closed */
	int64_t brownout_ms;   /* the board resets so long after the starter closes; 0: never */
};

struct modio {
	struct modio_faults fault;
	int acked; /* last relay byte acknowledged, -1 before the first: what the host believes
		    */
	uint8_t relays, contacts;
	uint8_t wanted; /* where the contacts are moving */
	int64_t moves_ms, deaf_until_ms, starter_since_ms;
	uint8_t answer; /* prepared by a command, 0 otherwise */
};

void modio_init(struct modio *m);
void modio_step(struct modio *m, int64_t now_ms);
void modio_reset(struct modio *m, int64_t now_ms); /* power loss: all relays open */
/* Whether a read of the inputs would now tell the truth. */
bool modio_readable(const struct modio *m, int64_t now_ms);

int modio_write(struct modio *m, uint8_t addr, uint8_t reg, uint8_t value, int64_t now_ms);
int modio_command(struct modio *m, uint8_t addr, uint8_t cmd, uint8_t inputs, int64_t now_ms);
int modio_read(struct modio *m, uint8_t addr, uint8_t *value, int64_t now_ms);
/* One packet in, its answer out. */
void modio_packet(
    struct modio *m, const char *packet, uint8_t inputs, int64_t now_ms, char answer[static 8]);

#endif

#include "test/sim/modio.h"

#include <errno.h>
#include <stdio.h>

void modio_init(struct modio *m)
{
	*m = (struct modio){ .acked = -1 };
}

void modio_reset(struct modio *m, int64_t now_ms)
{
	m->relays = m->wanted = m->answer = 0;
	if (!m->fault.latched)
		m->contacts = m->fault.welded ? m->contacts & MODIO_START : 0;
	m->deaf_until_ms = now_ms + MODIO_BOOT_MS;
}

static void move_contacts(struct modio *m, int64_t now_ms)
{
	uint8_t before = m->contacts;

	if (m->relays != m->wanted) {
		m->wanted = m->relays;
		m->moves_ms = now_ms + MODIO_CONTACT_MS;
	}
	if (now_ms < m->moves_ms || m->fault.latched)
		return;
	m->contacts = m->wanted | (m->fault.welded ? before & MODIO_START : 0);
	if (m->contacts & ~before & MODIO_START)
		m->starter_since_ms = now_ms;
}

void modio_step(struct modio *m, int64_t now_ms)
{
	move_contacts(m, now_ms);
	if (m->fault.brownout_ms > 0 && (m->contacts & MODIO_START) &&
	    (m->relays & MODIO_START) && now_ms - m->starter_since_ms >= m->fault.brownout_ms)
		modio_reset(m, now_ms);
}

static bool stuck(const struct modio *m, int64_t now_ms)
{
	return now_ms < m->fault.stuck_until_ms;
}

bool modio_readable(const struct modio *m, int64_t now_ms)
{
	return !stuck(m, now_ms) && now_ms >= m->fault.nak_until_ms && !m->fault.nak_next &&
	       now_ms >= m->fault.zero_until_ms && now_ms >= m->deaf_until_ms;
}

/* Whether the board itself takes part; on a stuck bus nobody does and all seems well. */
static int address(struct modio *m, uint8_t addr, int64_t now_ms)
{
	if (stuck(m, now_ms))
		return 0;
	if (addr != MODIO_ADDRESS || now_ms < m->deaf_until_ms ||
	    now_ms < m->fault.nak_until_ms)
		return -ENXIO;
	if (m->fault.nak_next > 0) {
		m->fault.nak_next--;
		return -ENXIO;
	}
	return 0;
}

int modio_write(struct modio *m, uint8_t addr, uint8_t reg, uint8_t value, int64_t now_ms)
{
	int rc = address(m, addr, now_ms);

	if (rc < 0)
		return rc;
	if (addr == MODIO_ADDRESS && reg == 0x10)
		m->acked = value & 0x0f;
	if (stuck(m, now_ms))
		return 0;
	m->answer = 0;
	if (reg == 0x10)
		m->relays = value & 0x0f;
	modio_step(m, now_ms);
	return 0;
}

int modio_command(struct modio *m, uint8_t addr, uint8_t cmd, uint8_t inputs, int64_t now_ms)
{
	int rc = address(m, addr, now_ms);

	if (rc == 0 && !stuck(m, now_ms))
		m->answer = cmd == 0x20 ? (inputs & 0x0f) | (uint8_t)m->fault.noise : 0;
	return rc;
}

int modio_read(struct modio *m, uint8_t addr, uint8_t *value, int64_t now_ms)
{
	int rc = address(m, addr, now_ms);

	if (rc < 0)
		return rc;
	*value = 0;
	if (stuck(m, now_ms))
		return 0;
	if (now_ms >= m->fault.zero_until_ms)
		*value = m->answer;
	m->answer = 0;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Takes " hh" off *text. */
static bool take_byte(const char **text, uint8_t *out)
{
	int high, low;

	if ((*text)[0] != ' ' || (high = hex_digit((*text)[1])) < 0 ||
	    (low = hex_digit((*text)[2])) < 0)
		return false;
	*out = (uint8_t)(high << 4 | low);
	*text += 3;
	return true;
}

/* Takes "@hh " off *text, if it is there. */
static uint8_t take_address(const char **text)
{
	int high, low;

	if ((*text)[0] != '@' || (high = hex_digit((*text)[1])) < 0 ||
	    (low = hex_digit((*text)[2])) < 0 || (*text)[3] != ' ')
		return MODIO_ADDRESS;
	*text += 4;
	return (uint8_t)(high << 4 | low);
}

void modio_packet(
    struct modio *m, const char *packet, uint8_t inputs, int64_t now_ms, char answer[static 8])
{
	const char *text = packet;
	uint8_t addr = take_address(&text), reg, value = 0;
	char verb = *text ? *text++ : 0;
	int rc = -EINVAL;

	if (verb == 'R' && !*text) {
		rc = modio_read(m, addr, &value, now_ms);
		snprintf(answer, 8, rc < 0 ? "N" : "A %02x", value);
		return;
	}
	if (verb == 'C' && take_byte(&text, &reg) && !*text)
		rc = modio_command(m, addr, reg, inputs, now_ms);
	else if (verb == 'W' && take_byte(&text, &reg) && take_byte(&text, &value) && !*text)
		rc = modio_write(m, addr, reg, value, now_ms);
	snprintf(answer, 8, "%s", rc < 0 ? "N" : "A");
}

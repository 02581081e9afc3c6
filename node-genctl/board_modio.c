#include "node-genctl/board.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <linux/i2c-dev.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <i2c/smbus.h>

#include "common/mem.h"

/* MOD-IO manual rev C (2020), p. 10-13. Firmware prepares the answer to a command in its
 * main loop and does not stretch the clock, hence the gap before the read. */
enum { SET_RELAYS = 0x10, GET_INPUTS = 0x20, GAP_NS = 1000000, RESET_NS = 10000000 };
enum { TIMEOUT_10MS = 1, RETRIES = 0 };

struct board_modio {
	struct board base;
	struct board_config config;
	int fd; /* -1: not open */
};

static void pause_ns(long ns)
{
	const struct timespec t = { .tv_nsec = ns };

	nanosleep(&t, NULL);
}

/* The device may come late or go: each call opens it when it is not open. */
static int modio_open(struct board_modio *m)
{
	if (m->fd >= 0)
		return 0;
	m->fd = open(m->config.bus, O_RDWR | O_CLOEXEC);
	if (m->fd < 0)
		return -ENODEV;
	if (ioctl(m->fd, I2C_SLAVE, (long)m->config.address) == 0 &&
	    ioctl(m->fd, I2C_TIMEOUT, (long)TIMEOUT_10MS) == 0 &&
	    ioctl(m->fd, I2C_RETRIES, (long)RETRIES) == 0)
		return 0;
	close(m->fd);
	m->fd = -1;
	return -ENODEV;
}

static int fail(struct board_modio *m, int error)
{
	if (error != ENODEV && error != EBADF && error != ENOTTY)
		return -EIO;
	close(m->fd);
	m->fd = -1;
	return -ENODEV;
}

static int board_modio_open(struct board **out, const struct board_config *config)
{
	struct board_modio *m = xcalloc(1, sizeof(*m));

	m->base.ops = &board_modio;
	m->config = *config;
	m->fd = -1;
	*out = &m->base;
	return 0;
}

static int board_modio_write(struct board *self, uint8_t relays)
{
	struct board_modio *m = (struct board_modio *)self;
	int rc = modio_open(m);

	if (rc < 0)
		return rc;
	if (i2c_smbus_write_byte_data(m->fd, SET_RELAYS, relays) < 0)
		return fail(m, errno);
	return 0;
}

/* Whether an address with no device on it answers: then the bus is held low. */
static bool canary_answers(struct board_modio *m)
{
	long canary = m->config.address < 0x77 ? m->config.address + 1 : 0x76;
	bool answers = ioctl(m->fd, I2C_SLAVE, canary) == 0 && i2c_smbus_read_byte(m->fd) >= 0;

	if (ioctl(m->fd, I2C_SLAVE, (long)m->config.address) < 0)
		fail(m, ENODEV);
	return answers;
}

static int board_modio_read(struct board *self, uint8_t *raw)
{
	struct board_modio *m = (struct board_modio *)self;
	int rc = modio_open(m), byte;

	if (rc < 0)
		return rc;
	if (i2c_smbus_write_byte(m->fd, GET_INPUTS) < 0)
		return fail(m, errno);
	pause_ns(GAP_NS);
	byte = i2c_smbus_read_byte(m->fd);
	if (byte < 0)
		return fail(m, errno);
	if (byte == 0 && canary_answers(m))
		return -EBADMSG;
	*raw = byte;
	return 0;
}

/* Open drain: low for 10 ms, then released; the line floats again when its fd closes. */
static int board_modio_reset(struct board *self)
{
	struct board_modio *m = (struct board_modio *)self;
	struct gpio_v2_line_request line = { .offsets = { m->config.reset_gpio },
		.consumer = "genctld",
		.num_lines = 1,
		.config.flags = GPIO_V2_LINE_FLAG_OUTPUT | GPIO_V2_LINE_FLAG_OPEN_DRAIN };
	struct gpio_v2_line_values high = { .bits = 1, .mask = 1 };
	int chip, rc = 0;

	if (m->config.reset_gpio < 0)
		return -ENOTSUP;
	chip = open("/dev/gpiochip0", O_RDONLY | O_CLOEXEC);
	if (chip < 0)
		return -ENODEV;
	if (ioctl(chip, GPIO_V2_GET_LINE_IOCTL, &line) < 0) {
		rc = -errno;
		goto out;
	}
	pause_ns(RESET_NS);
	if (ioctl(line.fd, GPIO_V2_LINE_SET_VALUES_IOCTL, &high) < 0)
		rc = -errno;
	close(line.fd);
out:
	close(chip);
	return rc;
}

static void board_modio_close(struct board *self)
{
	struct board_modio *m = (struct board_modio *)self;

	if (m && m->fd >= 0)
		close(m->fd);
	free(m);
}

const struct board_ops board_modio = {
	.name = "modio",
	.open = board_modio_open,
	.write_relays = board_modio_write,
	.read_inputs = board_modio_read,
	.reset = board_modio_reset,
	.close = board_modio_close,
};

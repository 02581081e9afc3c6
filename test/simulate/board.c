/* The i2c-tools library's three calls that the shipped MOD-IO driver makes, on the model. */
#include <errno.h>
#include <stdint.h>

#include <i2c/smbus.h>

#include "test/simulate/fail.h"
#include "test/simulate/judge.h"
#include "test/simulate/os.h"
#include "test/simulate/site.h"

enum { SLOW_MS = 10 };

/* The device of this descriptor, or -1 and errno. */
static int address(int fd)
{
	struct fd *f;

	proc_call();
	f = os_fd(fd);
	if (!f)
		return -1;
	if (sim_ms < site.bus_slow_until_ms)
		proc_sleep(sim_ms + SLOW_MS);
	if (fail_now(FAIL_BOARD) || !site_bus_there()) {
		errno = site_bus_there() ? EIO : ENODEV;
		return -1;
	}
	return f->address;
}

static int done(int rc, int value)
{
	if (rc == 0)
		return value;
	site.bus_errors++;
	errno = -rc;
	return -1;
}

int32_t i2c_smbus_write_byte_data(int fd, uint8_t reg, uint8_t value)
{
	int at = address(fd), rc;

	if (at < 0)
		return -1;
	rc = modio_write(&site.modio, (uint8_t)at, reg, value, sim_ms);
	site_step();
	if (rc == 0 && at == MODIO_ADDRESS)
		judge_acked(value);
	return done(rc, 0);
}

int32_t i2c_smbus_write_byte(int fd, uint8_t value)
{
	int at = address(fd), rc = -EIO;

	if (at >= 0)
		rc = modio_command(&site.modio, (uint8_t)at, value, site_inputs(), sim_ms);
	if (rc < 0)
		judge_sample(-1);
	return at < 0 ? -1 : done(rc, 0);
}

int32_t i2c_smbus_read_byte(int fd)
{
	int at = address(fd), rc = -EIO;
	bool stuck = sim_ms < site.modio.fault.stuck_until_ms; /* the canary will say so */
	uint8_t value = 0;

	if (at >= 0)
		rc = modio_read(&site.modio, (uint8_t)at, &value, sim_ms);
	if (os_fd(fd) && os_fd(fd)->address == MODIO_ADDRESS) /* not the canary */
		judge_sample(rc == 0 && !stuck ? value : -1);
	return at < 0 ? -1 : done(rc, value);
}

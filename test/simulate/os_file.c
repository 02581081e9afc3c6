/* Files and devices as the nodes meet them: the ledger, the board's bus, a few of /proc. */
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <linux/i2c-dev.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>

#include "test/simulate/disk.h"
#include "test/simulate/os.h"
#include "test/simulate/site.h"
#include "test/simulate/wraps.h"

static int fail(int error)
{
	errno = error;
	return -1;
}

static int answer(int rc)
{
	return rc < 0 ? fail(-rc) : rc;
}

static bool ends_with(const char *path, const char *end)
{
	size_t n = strlen(path), m = strlen(end);

	return n >= m && strcmp(path + n - m, end) == 0;
}

static enum fd_kind kind_of(const char *path)
{
	if (ends_with(path, "genctl.ledger"))
		return FD_LEDGER;
	if (ends_with(path, "boot_id"))
		return FD_BOOT_ID;
	if (ends_with(path, "i2c-0"))
		return FD_I2C;
	if (ends_with(path, "gpiochip0"))
		return FD_GPIO;
	if (ends_with(path, "oom_score_adj"))
		return FD_NULL;
	return FD_FOLDER;
}

int __wrap_open(const char *path, int flags, ...)
{
	enum fd_kind kind = kind_of(path);
	int rc = 0;

	proc_call();
	if (kind == FD_LEDGER)
		rc = disk_open(flags & O_CREAT);
	else if (kind == FD_I2C)
		rc = site_bus_there() ? 0 : -ENOENT;
	else if (kind == FD_GPIO)
		rc = site.reset_wired ? 0 : -ENOENT;
	else if (kind == FD_FOLDER)
		rc = disk_folder();
	return rc < 0 ? fail(-rc) : os_open(kind);
}

ssize_t __wrap_read(int fd, void *data, size_t n)
{
	struct signalfd_siginfo info = { 0 };
	struct fd *f;

	proc_call();
	f = os_fd(fd);
	if (!f)
		return -1;
	if (f->kind == FD_BOOT_ID) {
		memcpy(data, machines[f->owner->node].boot_id, n);
		return (ssize_t)n;
	}
	if (f->kind != FD_SIGNALS || !f->owner->signals)
		return fail(EAGAIN);
	info.ssi_signo = (uint32_t)__builtin_ctz(f->owner->signals);
	f->owner->signals &= f->owner->signals - 1;
	memcpy(data, &info, n);
	return (ssize_t)n;
}

ssize_t __wrap_write(int fd, const void *data, size_t n)
{
	proc_call();
	return os_fd(fd) ? (ssize_t)n : -1;
}

ssize_t __wrap_pread(int fd, void *data, size_t n, off_t at)
{
	proc_call();
	return os_fd(fd) ? answer(disk_read(data, n, (size_t)at)) : -1;
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t n, off_t at)
{
	proc_call();
	return os_fd(fd) ? answer(disk_write(data, n, (size_t)at)) : -1;
}

static int sync_file(int fd)
{
	struct fd *f;

	proc_call();
	f = os_fd(fd);
	if (!f)
		return -1;
	return f->kind == FD_LEDGER ? answer(disk_sync()) : answer(disk_folder());
}

int __wrap_fsync(int fd)
{
	return sync_file(fd);
}

int __wrap_fdatasync(int fd)
{
	return sync_file(fd);
}

int __wrap_fstat(int fd, struct stat *st)
{
	proc_call();
	if (!os_fd(fd))
		return -1;
	memset(st, 0, sizeof(*st));
	st->st_size = (off_t)disk_size();
	return 0;
}

int __wrap_lstat(const char *path, struct stat *st)
{
	proc_call();
	if (ends_with(path, "force_charge") ? !site.force_charge : !site.force_stop)
		return fail(ENOENT);
	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFREG;
	return 0;
}

int __wrap_mkdir(const char *path, mode_t mode)
{
	proc_call();
	return fail(EEXIST);
}

int __wrap_unlink(const char *path)
{
	proc_call();
	if (ends_with(path, "force_stop"))
		site.force_stop = false;
	return 0;
}

/* One lock: the board's. */
int __wrap_flock(int fd, int how)
{
	struct fd *f;

	proc_call();
	f = os_fd(fd);
	if (!f)
		return -1;
	for (int other = FD_BASE; other < FDS; other++) {
		struct fd *o = os_fd(other);

		if (o && o != f && o->locked)
			return fail(EWOULDBLOCK);
	}
	f->locked = true;
	return 0;
}

static int request_line(struct gpio_v2_line_request *line)
{
	site_reset_board();
	line->fd = os_open(FD_LINE);
	return 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	struct fd *f;
	va_list ap;
	void *arg;

	proc_call();
	f = os_fd(fd);
	if (!f)
		return -1;
	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (f->kind == FD_I2C && !site_bus_there())
		return fail(ENODEV);
	if (request == I2C_SLAVE)
		f->address = (int)(intptr_t)arg;
	if (request == GPIO_V2_GET_LINE_IOCTL)
		return request_line(arg);
	return 0;
}

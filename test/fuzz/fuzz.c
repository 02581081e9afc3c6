#include "test/fuzz/fuzz.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

enum { LOG_LINE = 1024 };

static int64_t now_ms = FUZZ_EPOCH_MS;

uint8_t fuzz_byte(struct fuzz_input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

uint64_t fuzz_number(struct fuzz_input *in, int bytes)
{
	uint64_t n = 0;

	for (int i = 0; i < bytes; i++)
		n |= (uint64_t)fuzz_byte(in) << 8 * i;
	return n;
}

const uint8_t *fuzz_bytes(struct fuzz_input *in, size_t n, size_t *got)
{
	const uint8_t *at = in->at;

	*got = n < in->left ? n : in->left;
	in->at += *got;
	in->left -= *got;
	return at;
}

const char *fuzz_file(const uint8_t *data, size_t size)
{
	static char path[32];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("fuzz", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	assert(ftruncate(fd, 0) == 0);
	assert(pwrite(fd, data, size, 0) == (ssize_t)size);
	return path;
}

/* In place of common/clock.c */

void fuzz_clock_set(int64_t ms)
{
	now_ms = ms;
}

int64_t clock_ms(void)
{
	return now_ms;
}

int64_t clock_unix_ms(void)
{
	return INT64_C(1735689600000) + now_ms;
}

/* In place of common/log.c: what is logged must be fit to be formatted. */

static __attribute__((format(printf, 1, 0))) void format(const char *fmt, va_list ap)
{
	char line[LOG_LINE];
	int saved = errno;

	(void)vsnprintf(line, sizeof(line), fmt, ap);
	errno = saved;
}

void log_set_level(enum log_level level)
{
}

#define LOG(name)                                                                              \
	void name(const char *token, const char *fmt, ...)                                     \
	{                                                                                      \
		va_list ap;                                                                    \
                                                                                               \
		va_start(ap, fmt);                                                             \
		format(fmt, ap);                                                               \
		va_end(ap);                                                                    \
	}
LOG(log_debug)
LOG(log_info)
LOG(log_warn)
LOG(log_error)

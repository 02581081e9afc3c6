#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1024 };

static const struct {
	const char *word, *label;
	int priority; /* sd-daemon(3) */
} levels[] = {
	[LOG_LEVEL_DEBUG] = { "debug", "DEBUG", 7 },
	[LOG_LEVEL_INFO] = { "info", "INFO", 6 },
	[LOG_LEVEL_WARN] = { "warn", "WARNING", 4 },
	[LOG_LEVEL_ERROR] = { "error", "ERROR", 3 },
};

/* One standard error, one threshold; worker threads read it. */
static _Atomic int threshold = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	threshold = level;
}

int log_level_parse(const char *word, enum log_level *out)
{
	for (int i = 0; i <= LOG_LEVEL_ERROR; i++) {
		if (strcmp(word, levels[i].word) == 0) {
			*out = i;
			return 0;
		}
	}
	return -EINVAL;
}

static size_t prefix(char *line, size_t size, enum log_level level)
{
	time_t now = time(NULL);
	struct tm t;
	size_t n;

	if (getenv("JOURNAL_STREAM"))
		return snprintf(line, size, "<%d>", levels[level].priority);
	localtime_r(&now, &t);
	n = strftime(line, size, "%Y-%m-%d %H:%M:%S | ", &t);
	return n + snprintf(line + n, size - n, "%s | ", levels[level].label);
}

/* One write for a whole line, so that lines of several processes do not mix. */
static __attribute__((format(printf, 3, 0))) void emit(
    enum log_level level, const char *token, const char *fmt, va_list ap)
{
	char line[LINE_MAX_BYTES];
	size_t max = sizeof(line) - 1, start, n;
	int saved = errno;

	if ((int)level < threshold)
		return;
	start = n = prefix(line, max, level);
	if (*token)
		n += snprintf(line + n, max - n, "%s: ", token);
	if (n < max)
		n += vsnprintf(line + n, max - n, fmt, ap);
	if (n >= max)
		n = max - 1;
	for (size_t i = start; i < n; i++) {
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	}
	line[n++] = '\n';
	(void)!write(STDERR_FILENO, line, n);
	errno = saved;
}

#define DEFINE_LOG(name, level)                                                                \
	void name(const char *token, const char *fmt, ...)                                     \
	{                                                                                      \
		va_list ap;                                                                    \
		va_start(ap, fmt);                                                             \
		emit(level, token, fmt, ap);                                                   \
		va_end(ap);                                                                    \
	}

DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_warn, LOG_LEVEL_WARN)
DEFINE_LOG(log_error, LOG_LEVEL_ERROR)

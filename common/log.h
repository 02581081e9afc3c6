/*
 * log - one line a call to standard error, with a level and the subsystem's token.
 *
 * Under systemd (JOURNAL_STREAM set) lines carry the <n> priority prefix; else they read
 * `YYYY-MM-DD HH:MM:SS | LEVEL | token: text`. Log changes, not polls; repeats at debug.
 * An empty token leaves the text alone: for lines that people know from the original.
 * Control characters in the text are printed as '?', so that a peer cannot forge lines.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

void log_set_level(enum log_level level);
/* The level named by "debug", "info", "warn" or "error"; -EINVAL for another word. */
int log_level_parse(const char *word, enum log_level *out);

#define LOG_PRINTF __attribute__((format(printf, 2, 3)))
void log_debug(const char *token, const char *fmt, ...) LOG_PRINTF;
void log_info(const char *token, const char *fmt, ...) LOG_PRINTF;
void log_warn(const char *token, const char *fmt, ...) LOG_PRINTF;
void log_error(const char *token, const char *fmt, ...) LOG_PRINTF;

#endif

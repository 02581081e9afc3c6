#include "test/sim/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int put(struct trace *t, const char *text)
{
	ssize_t n = (ssize_t)strlen(text);

	return write(t->fd, text, (size_t)n) == n ? 0 : -(errno ? errno : EIO);
}

int trace_open(struct trace *t, const char *path, int64_t now_ms)
{
	char event[48];
	int rc;

	t->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	t->start_ms = now_ms;
	if (t->fd < 0)
		return -errno;
	rc = put(t, "t_ms,acked,contacts,inputs,event\n");
	snprintf(event, sizeof(event), "start mono_ms=%" PRId64, now_ms);
	return rc < 0 ? rc
		      : trace_note(t, (struct trace_row){ TRACE_UNKNOWN, 0, 0 }, event, now_ms);
}

void trace_close(struct trace *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

int trace_note(struct trace *t, struct trace_row row, const char *event, int64_t now_ms)
{
	char acked[4] = "", inputs[4] = "BAD", line[192];

	if (t->fd < 0 || (!event && !memcmp(&row, &t->last, sizeof(row))))
		return 0;
	t->last = row;
	if (row.acked >= 0)
		snprintf(acked, sizeof(acked), "%02x", (unsigned char)row.acked);
	if (row.inputs >= 0)
		snprintf(inputs, sizeof(inputs), "%02x", (unsigned char)row.inputs);
	snprintf(line, sizeof(line) - 1, "%" PRId64 ",%s,%02x,%s,%s", now_ms - t->start_ms,
	    acked, (unsigned)row.contacts, inputs, event ? event : "");
	strcat(line, "\n");
	return put(t, line);
}

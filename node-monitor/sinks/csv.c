#include "node-monitor/sinks/csv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/mem.h"

enum { LINE_SIZE = 512, PATH_SIZE = 256, PARTS_MAX = 99 };

struct csv {
	char dir[PATH_SIZE - 64];
	enum csv_layout layout;
	struct csv_row rows[CSV_KEPT];
	size_t first, n, lost;
};

static const char *const headers[CSV_NLAYOUTS] = {
	[CSV_STANDARD] = "timestamp,timestamp_unix,soc_pct,soh_pct,vbat_v,vpv1_v,vpv2_v,"
			 "pv_power_w,charge_power_w,discharge_power_w,generator_state,"
			 "generator_running\r\n",
	[CSV_EXTENDED] = "timestamp,timestamp_unix,soc_pct,soh_pct,vbat_v,vpv1_v,vpv2_v,"
			 "pv1_power_w,pv2_power_w,load_power_w,charge_power_w,"
			 "discharge_power_w,generator_state,generator_running\r\n",
};

struct csv *csv_new(const char *dir, enum csv_layout layout)
{
	struct csv *c = xcalloc(1, sizeof(*c));

	snprintf(c->dir, sizeof(c->dir), "%s", dir);
	c->layout = layout;
	return c;
}

void csv_free(struct csv *c)
{
	free(c);
}

size_t csv_waiting(const struct csv *c)
{
	return c->n;
}

size_t csv_lost(const struct csv *c)
{
	return c->lost;
}

static void drop_first(struct csv *c)
{
	c->first = (c->first + 1) % CSV_KEPT;
	c->n--;
}

void csv_keep(struct csv *c, const struct csv_row *row)
{
	if (c->n == CSV_KEPT) {
		drop_first(c);
		c->lost++;
	}
	c->rows[(c->first + c->n++) % CSV_KEPT] = *row;
}

static void put_int(FILE *to, int32_t value)
{
	if (value != UNKNOWN)
		fprintf(to, "%d", (int)value);
	fputc(',', to);
}

static void put_volts(FILE *to, int32_t mv)
{
	int32_t tenths = mv == UNKNOWN ? 0 : (mv + 50) / 100;

	if (mv != UNKNOWN)
		fprintf(to, "%d.%d", (int)(tenths / 10), (int)(tenths % 10));
	fputc(',', to);
}

static void put_values(FILE *to, const struct csv_row *r, enum csv_layout layout)
{
	put_int(to, r->soc_pct);
	put_int(to, r->soh_pct);
	put_volts(to, r->battery_mv);
	put_volts(to, r->pv1_mv);
	put_volts(to, r->pv2_mv);
	if (layout == CSV_EXTENDED) {
		put_int(to, r->pv1_w);
		put_int(to, r->pv2_w);
		put_int(to, r->load_w);
	} else {
		put_int(to, r->pv_w);
	}
	put_int(to, r->charge_w);
	put_int(to, r->discharge_w);
}

static size_t render(char line[LINE_SIZE], const struct csv_row *r, enum csv_layout layout,
    time_t unix_s, const struct tm *t)
{
	FILE *to = fmemopen(line, LINE_SIZE, "w");
	char stamp[32];
	long n;

	if (!to)
		abort(); /* out of memory */
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", t);
	fprintf(to, "%s,%lld,", stamp, (long long)unix_s);
	put_values(to, r, layout);
	fprintf(to, "%s,", r->state);
	if (r->running != UNKNOWN)
		fprintf(to, "%d", (int)r->running);
	fputs("\r\n", to);
	n = ftell(to);
	fclose(to);
	return (size_t)n;
}

/* Takes back a last line that has no end; *size is what remains. */
static int mend(int fd, off_t *size)
{
	char tail[4096];
	off_t from = *size > (off_t)sizeof(tail) ? *size - (off_t)sizeof(tail) : 0;
	ssize_t n = pread(fd, tail, (size_t)(*size - from), from);

	if (n < 0)
		return -errno;
	while (n > 0 && tail[n - 1] != '\n')
		n--;
	if (from + n == *size)
		return 0;
	*size = from + n;
	return ftruncate(fd, *size) < 0 ? -errno : 0;
}

/* 0: rows of this layout can follow; -EEXIST: the file has other columns. */
static int suits(int fd, const char *header, off_t *size)
{
	char first[LINE_SIZE];
	size_t n = strlen(header);
	struct stat st;
	int rc;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EEXIST;
	*size = st.st_size;
	rc = mend(fd, size);
	if (rc < 0 || *size == 0)
		return rc;
	if (pread(fd, first, n, 0) != (ssize_t)n || memcmp(first, header, n) != 0)
		return -EEXIST;
	return 0;
}

static int open_part(const struct csv *c, const struct tm *t, int part)
{
	char path[PATH_SIZE], day[16], number[16] = "";
	int fd;

	if (part > 1)
		snprintf(number, sizeof(number), "-%d", part);
	strftime(day, sizeof(day), "%Y%m%d", t);
	snprintf(path, sizeof(path), "%s/data_%s%s.csv", c->dir, day, number);
	fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0644);
	if (fd < 0 && errno == ENOENT && mkdir(c->dir, 0755) == 0)
		fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0644);
	return fd < 0 ? -errno : fd;
}

static int open_day(const struct csv *c, const struct tm *t, off_t *size)
{
	for (int part = 1; part <= PARTS_MAX; part++) {
		int fd = open_part(c, t, part);
		int rc = fd < 0 ? fd : suits(fd, headers[c->layout], size);

		if (rc == 0)
			return fd;
		if (fd >= 0)
			close(fd);
		if (rc != -EEXIST)
			return rc;
	}
	return -EEXIST;
}

/* All of it, or the file as long as it was: mend() does what this cannot. */
static int append(int fd, const char *text, size_t n, off_t size)
{
	ssize_t done = write(fd, text, n);
	int rc = done == (ssize_t)n ? 0 : done < 0 ? -errno : -ENOSPC;

	if (done > 0 && rc < 0)
		(void)!ftruncate(fd, size);
	return rc;
}

static int write_row(const struct csv *c, const struct csv_row *row, int64_t unix_ms)
{
	char text[2 * LINE_SIZE];
	time_t unix_s = unix_ms / 1000;
	size_t head = strlen(headers[c->layout]), n;
	off_t size = 0;
	struct tm t;
	int fd, rc;

	localtime_r(&unix_s, &t);
	fd = open_day(c, &t, &size);
	if (fd < 0)
		return fd;
	memcpy(text, headers[c->layout], head);
	n = render(text + head, row, c->layout, unix_s, &t);
	rc = size == 0 ? append(fd, text, head + n, size) : append(fd, text + head, n, size);
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	return rc;
}

int csv_flush(struct csv *c, int64_t now_ms, int64_t unix_ms)
{
	while (c->n > 0) {
		const struct csv_row *row = &c->rows[c->first];
		int rc = unix_ms ? write_row(c, row, unix_ms - (now_ms - row->at_ms)) : -EAGAIN;

		if (rc < 0)
			return rc;
		drop_first(c);
	}
	return 0;
}

const char *csv_advice(int rc)
{
	switch (-rc) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return "free space on that disk";
	case EACCES:
	case EPERM:
	case EROFS:
		return "make the folder writable for the user monitord runs as, or set csv.dir";
	case ENOENT:
	case ENOTDIR:
		return "create the folder, or set csv.dir";
	case EAGAIN:
		return "set the clock";
	default:
		return "check the disk";
	}
}

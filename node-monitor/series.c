#include "node-monitor/series.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"
#include "common/units.h"

enum { MAX_CELLS = 64, MAX_W = 1000000 };

/* clang-format off */
enum column {
	UNIX, TEXT, LOAD, PV, PV1, PV2, CHARGE, DISCHARGE, RUNNING, LOAD_KW, PV_KW, NCOLUMNS
};
static const struct {
	const char *name;
	enum column column;
} names[] = {
	{ "timestamp_unix", UNIX }, { "unix_s", UNIX }, { "timestamp", TEXT }, { "", TEXT },
	{ "load_power_w", LOAD }, { "load_w", LOAD }, { "pv_power_w", PV }, { "pv_w", PV },
	{ "pv1_power_w", PV1 }, { "pv2_power_w", PV2 }, { "charge_power_w", CHARGE },
	{ "discharge_power_w", DISCHARGE }, { "generator_running", RUNNING },
	{ "GC", LOAD_KW }, { "GG", PV_KW },
};
static const char *const known_layouts[] = {
	"timestamp,timestamp_unix,soc_pct,soh_pct,vbat_v,vpv1_v,vpv2_v,pv_power_w,"
	"charge_power_w,discharge_power_w,generator_state,generator_running",
	"timestamp,timestamp_unix,soc_pct,soh_pct,vbat_v,vpv1_v,vpv2_v,pv1_power_w,pv2_power_w,"
	"load_power_w,charge_power_w,discharge_power_w,generator_state,generator_running",
};
/* clang-format on */

struct layout {
	int ncells;
	int at[NCOLUMNS]; /* cell of the column, or -1 */
};

struct reader {
	struct series *out;
	struct layout layout;
	size_t room;
	int line;
	int32_t last_load_w;
	char *cells[MAX_CELLS];
	int ncells;
};

static int split(char *line, char *cells[MAX_CELLS])
{
	int n = 0;

	line[strcspn(line, "\r\n")] = '\0';
	for (char *cell; n < MAX_CELLS && (cell = strsep(&line, ",")) != NULL;)
		cells[n++] = cell;
	return n;
}

/* True when the cells name a time, a load and a sun: then they are a header. */
static bool read_header(struct layout *out, char *const cells[], int ncells)
{
	struct layout l = { .ncells = ncells };
	const int *at = l.at;

	memset(l.at, -1, sizeof(l.at));
	for (int i = 0; i < ncells; i++)
		for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++)
			if (!strcmp(cells[i], names[k].name))
				l.at[names[k].column] = i;
	if (at[UNIX] < 0 && at[TEXT] < 0)
		return false;
	if (at[LOAD] < 0 && at[LOAD_KW] < 0 && (at[CHARGE] < 0 || at[DISCHARGE] < 0))
		return false;
	if (at[PV] < 0 && at[PV_KW] < 0 && (at[PV1] < 0 || at[PV2] < 0))
		return false;
	*out = l;
	return true;
}

/* A daily file begun before an upgrade holds rows of the other layout under its header. */
static void follow_layout(struct reader *r)
{
	char text[256], *cells[MAX_CELLS];

	if (r->layout.at[RUNNING] < 0)
		return;
	for (size_t i = 0; i < sizeof(known_layouts) / sizeof(*known_layouts); i++) {
		struct layout l;
		snprintf(text, sizeof(text), "%s", known_layouts[i]);
		if (split(text, cells) == r->ncells && read_header(&l, cells, r->ncells))
			r->layout = l;
	}
}

static void fault(struct reader *r, const char *what)
{
	struct series *s = r->out;

	if (s->bad_lines < SERIES_FAULTS)
		s->faults[s->bad_lines] = (struct series_fault){ r->line, what };
	s->bad_lines++;
}

/* W of one cell; UNKNOWN when it is empty, absent or no power of a house. */
static int32_t cell_w(const struct reader *r, enum column column, double scale)
{
	const char *text = r->layout.at[column] < 0 ? "" : r->cells[r->layout.at[column]];
	char *end;
	double w = strtod(text, &end) * scale;

	if (end == text || *end != '\0' || !isfinite(w) || w < -MAX_W || w > MAX_W)
		return UNKNOWN;
	return (int32_t)lround(w);
}

static int32_t either(int32_t a, int32_t b)
{
	return a != UNKNOWN ? a : b;
}

static int32_t sun_w(const struct reader *r)
{
	int32_t pv1 = cell_w(r, PV1, 1), pv2 = cell_w(r, PV2, 1);
	int32_t both = pv1 == UNKNOWN || pv2 == UNKNOWN ? UNKNOWN : pv1 + pv2;
	int32_t w = either(both, either(cell_w(r, PV, 1), cell_w(r, PV_KW, 1000)));

	return w != UNKNOWN && w < 0 ? 0 : w; /* a sensor's offset at night */
}

static int32_t load_w(struct reader *r, int32_t pv_w)
{
	int32_t load = either(cell_w(r, LOAD, 1), cell_w(r, LOAD_KW, 1000));
	int32_t in = cell_w(r, CHARGE, 1), out = cell_w(r, DISCHARGE, 1);
	bool derived = r->layout.at[LOAD] < 0 && r->layout.at[LOAD_KW] < 0;

	if (derived && cell_w(r, RUNNING, 1) == 1)
		return r->last_load_w;
	if (derived && in != UNKNOWN && out != UNKNOWN && pv_w != UNKNOWN)
		load = pv_w + out - in;
	if (load != UNKNOWN && load < 0)
		load = 0;
	if (load != UNKNOWN)
		r->last_load_w = load;
	return load;
}

static bool read_time(const struct reader *r, int64_t *unix_s)
{
	struct tm tm = { 0 };
	char *end;

	if (r->layout.at[UNIX] >= 0) {
		const char *text = r->cells[r->layout.at[UNIX]];
		*unix_s = strtoll(text, &end, 10);
		return end != text && *end == '\0' && *unix_s > 0;
	}
	end = strptime(r->cells[r->layout.at[TEXT]], "%Y-%m-%d", &tm);
	if (!end || (*end != ' ' && *end != 'T'))
		return false;
	end = strptime(end + 1, "%H:%M:%S", &tm);
	*unix_s = timegm(&tm);
	return end && *end == '\0';
}

static void add(struct reader *r, struct series_row row)
{
	struct series *s = r->out;

	if (s->nrows == r->room) {
		size_t room = r->room > 0 ? 2 * r->room : 4096;
		struct series_row *rows = xcalloc(room, sizeof(*rows));
		if (s->nrows > 0)
			memcpy(rows, s->rows, s->nrows * sizeof(*rows));
		free(s->rows);
		s->rows = rows;
		r->room = room;
	}
	if (row.load_w == UNKNOWN) {
		s->nempty++;
	} else if (row.pv_w == UNKNOWN) {
		row.pv_w = 0;
		s->nsunless++;
	}
	s->rows[s->nrows++] = row;
}

/* A power cell that holds something, but no power. */
static bool garbled(const struct reader *r)
{
	for (int c = LOAD; c < NCOLUMNS; c++) {
		int at = r->layout.at[c];
		if (at >= 0 && r->cells[at][0] != '\0' &&
		    cell_w(r, (enum column)c, 1) == UNKNOWN)
			return true;
	}
	return false;
}

static void read_row(struct reader *r)
{
	const struct series *s = r->out;
	struct series_row row;

	if (r->layout.ncells == 0) {
		fault(r, "no header with a time, a load and a sun column before it");
		return;
	}
	if (r->ncells != r->layout.ncells)
		follow_layout(r);
	if (r->ncells != r->layout.ncells) {
		fault(r, "not as many cells as the header");
	} else if (!read_time(r, &row.unix_s)) {
		fault(r, "no time that can be read");
	} else if (s->nrows > 0 && row.unix_s <= s->rows[s->nrows - 1].unix_s) {
		fault(r, "not later than the line before");
	} else if (garbled(r)) {
		fault(r, "a power that is no number, or over 1 MW");
	} else {
		row.pv_w = sun_w(r);
		row.load_w = load_w(r, row.pv_w);
		add(r, row);
	}
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int32_t usual_distance_s(const struct series *s)
{
	enum { SAMPLE = 1001 };
	int64_t d[SAMPLE], middle;
	size_t n = 0;

	for (size_t i = 1; i < s->nrows && n < SAMPLE; i++)
		d[n++] = s->rows[i].unix_s - s->rows[i - 1].unix_s;
	if (n == 0)
		return 600;
	qsort(d, n, sizeof(*d), compare);
	middle = d[n / 2];
	return middle < 86400 ? (int32_t)middle : 86400;
}

static void read_lines(struct reader *r, FILE *in)
{
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, in) > 0 && r->out->nrows < SERIES_MAX_ROWS) {
		r->line++;
		r->ncells = split(line, r->cells);
		if (r->ncells == 1 && r->cells[0][0] == '\0')
			continue;
		if (!read_header(&r->layout, r->cells, r->ncells))
			read_row(r);
	}
	free(line);
}

int series_read(const char *path, struct series *out)
{
	struct series s = { 0 };
	struct reader r = { .out = &s, .last_load_w = UNKNOWN };
	FILE *in = fopen(path, "re");

	if (!in)
		return -errno;
	read_lines(&r, in);
	fclose(in);
	s.period_s = usual_distance_s(&s);
	*out = s;
	return s.nrows > s.nempty ? 0 : -EBADMSG;
}

void series_free(struct series *s)
{
	free(s->rows);
	*s = (struct series){ 0 };
}

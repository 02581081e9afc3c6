#include "test/sim/profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum { MAX_COLUMNS = 16 };

struct columns {
	int load, pv;
	double scale; /* to W */
};

static int split(char *line, char *field[static MAX_COLUMNS])
{
	int n = 0;

	line[strcspn(line, "\r\n")] = 0;
	while (line && n < MAX_COLUMNS)
		field[n++] = strsep(&line, ",");
	return n;
}

static struct columns find_columns(char *header)
{
	struct columns c = { -1, -1, 1 };
	char *field[MAX_COLUMNS];
	int n = split(header, field);

	for (int i = 0; i < n; i++) {
		if (!strcmp(field[i], "load_w") || !strcmp(field[i], "GC"))
			c.load = i;
		if (!strcmp(field[i], "pv_w") || !strcmp(field[i], "GG"))
			c.pv = i;
		if (!strcmp(field[i], "GC"))
			c.scale = 1000;
	}
	return c;
}

static int32_t watts(const char *text, double scale)
{
	double w = strtod(text, NULL) * scale;

	return w > 0 && w < 1e6 ? (int32_t)w : 0;
}

static void read_rows(struct profile *p, FILE *f, struct columns c)
{
	char line[512], *field[MAX_COLUMNS];

	while (p->n < PROFILE_MAX_ROWS && fgets(line, sizeof(line), f)) {
		int n = split(line, field);

		if (n <= c.load || n <= c.pv)
			continue;
		p->rows[p->n++] = (struct profile_row){ watts(field[c.load], c.scale),
			watts(field[c.pv], c.scale) };
	}
}

int profile_load(struct profile *p, const char *path)
{
	FILE *f = fopen(path, "r");
	struct columns c = { -1, -1, 1 };
	char header[512];

	*p = (struct profile){ 0 };
	if (!f)
		return -errno;
	if (fgets(header, sizeof(header), f))
		c = find_columns(header);
	if (c.load >= 0 && c.pv >= 0) {
		p->rows = xcalloc(PROFILE_MAX_ROWS, sizeof(*p->rows));
		read_rows(p, f, c);
	}
	fclose(f);
	if (p->n)
		return 0;
	profile_free(p);
	return -EBADMSG;
}

void profile_free(struct profile *p)
{
	free(p->rows);
	*p = (struct profile){ 0 };
}

struct profile_row profile_at(const struct profile *p, int64_t plant_ms)
{
	return p->rows[(size_t)(plant_ms / PROFILE_ROW_MS) % p->n];
}

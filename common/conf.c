#include "common/conf.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <libconfig.h>

#include "common/conf_near.h"
#include "common/mem.h"

enum { FILE_MAX_BYTES = 1 << 20, WHERE_MAX = 512, FAULT_MAX = 1024 };

/* One pass over a file or an option: the table, the struct to fill, the faults so far. */
struct pass {
	const struct conf_key *keys;
	size_t n;
	void *out;
	FILE *faults;
	const char *file;
	int count;
};

static __attribute__((format(printf, 4, 5))) void fault(
    struct pass *p, const char *where, const char *path, const char *fmt, ...)
{
	char text[FAULT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *c = text; *c; c++) /* one line, whatever the file holds */
		*c = (unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c;
	fprintf(p->faults, "%s: %s%s%s\n", where, path, *path ? ": " : "", text);
	p->count++;
}

static const struct conf_key *find(const struct pass *p, const char *path)
{
	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->keys[i].path, path) == 0)
			return &p->keys[i];
	}
	return NULL;
}

static void *field(const struct pass *p, const struct conf_key *k)
{
	return (char *)p->out + k->offset;
}

/* Index of `word` among the blank-separated `choices`, or -1. */
static int choice_index(const char *choices, const char *word)
{
	size_t n = strlen(word);
	int index = 0;

	for (const char *c = choices; *c; index++) {
		size_t len = strcspn(c, " ");

		if (len == n && strncmp(c, word, n) == 0)
			return index;
		c += len + strspn(c + len, " ");
	}
	return -1;
}

static void put_int(struct pass *p, const char *where, const struct conf_key *k, long long v)
{
	if (v < k->min || v > k->max) {
		fault(p, where, k->path, "%lld is outside %lld..%lld%s%s", v, (long long)k->min,
		    (long long)k->max, *k->unit ? " " : "", k->unit);
		return;
	}
	*(int32_t *)field(p, k) = (int32_t)v;
}

static void put_real(struct pass *p, const char *where, const struct conf_key *k, double v)
{
	if (!(v >= (double)k->min && v <= (double)k->max)) { /* NaN too */
		fault(p, where, k->path, "%g is outside %lld..%lld%s%s", v, (long long)k->min,
		    (long long)k->max, *k->unit ? " " : "", k->unit);
		return;
	}
	*(double *)field(p, k) = v;
}

static void put_text(struct pass *p, const char *where, const struct conf_key *k, const char *v)
{
	int index;

	if (k->type == CONF_CHOICE) {
		index = choice_index(k->choices, v);
		if (index < 0)
			fault(p, where, k->path, "\"%s\" is not one of: %s", v, k->choices);
		else
			*(int32_t *)field(p, k) = index;
	} else if (strlen(v) >= k->size) {
		fault(p, where, k->path, "the text has %zu characters; at most %zu are allowed",
		    strlen(v), k->size - 1);
	} else {
		memset(field(p, k), 0, k->size);
		strcpy(field(p, k), v);
	}
}

static const char *expected(const struct conf_key *k)
{
	static const char *const names[] = {
		[CONF_BOOL] = "true or false",
		[CONF_INT] = "a whole number",
		[CONF_REAL] = "a number",
		[CONF_TEXT] = "a text in quotes",
		[CONF_CHOICE] = "a word in quotes",
	};
	return names[k->type];
}

static void wrong_type(
    struct pass *p, const char *where, const struct conf_key *k, const char *found)
{
	if (k->type == CONF_INT || k->type == CONF_REAL)
		fault(p, where, k->path, "expected %s (%lld..%lld%s%s), found %s", expected(k),
		    (long long)k->min, (long long)k->max, *k->unit ? " " : "", k->unit, found);
	else if (k->type == CONF_CHOICE)
		fault(p, where, k->path, "expected one of: %s; found %s", k->choices, found);
	else
		fault(p, where, k->path, "expected %s, found %s", expected(k), found);
}

/* As it stands on a command line or in a row's default: no quotes round a text. */
static void put_word(struct pass *p, const char *where, const struct conf_key *k, const char *v)
{
	bool hex = strncmp(v, "0x", 2) == 0 || strncmp(v, "0X", 2) == 0;
	bool boolean = strcmp(v, "true") == 0 || strcmp(v, "false") == 0;
	bool number = k->type == CONF_INT || k->type == CONF_REAL;
	char *end = NULL;
	double real = 0;
	long long whole = 0;

	errno = 0;
	if (k->type == CONF_INT)
		whole = strtoll(v, &end, hex ? 16 : 10);
	else if (k->type == CONF_REAL)
		real = strtod(v, &end);
	if ((number && (end == v || *end || errno)) || (k->type == CONF_BOOL && !boolean)) {
		char found[64];

		snprintf(found, sizeof(found), "\"%.40s\"", v);
		wrong_type(p, where, k, found);
	} else if (k->type == CONF_INT) {
		put_int(p, where, k, whole);
	} else if (k->type == CONF_REAL) {
		put_real(p, where, k, real);
	} else if (k->type == CONF_BOOL) {
		*(bool *)field(p, k) = v[0] == 't';
	} else {
		put_text(p, where, k, v);
	}
}

static void put_setting(
    struct pass *p, const char *where, const struct conf_key *k, const config_setting_t *s)
{
	static const char *const names[] = {
		[CONFIG_TYPE_GROUP] = "a group { }",
		[CONFIG_TYPE_INT] = "a whole number",
		[CONFIG_TYPE_INT64] = "a whole number",
		[CONFIG_TYPE_FLOAT] = "a number with a point",
		[CONFIG_TYPE_STRING] = "a text in quotes",
		[CONFIG_TYPE_BOOL] = "true or false",
		[CONFIG_TYPE_ARRAY] = "an array [ ]",
		[CONFIG_TYPE_LIST] = "a list ( )",
	};
	int type = config_setting_type(s);
	bool whole = type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;

	if (k->type == CONF_INT && whole)
		put_int(p, where, k, config_setting_get_int64(s));
	else if (k->type == CONF_REAL && whole)
		put_real(p, where, k, (double)config_setting_get_int64(s));
	else if (k->type == CONF_REAL && type == CONFIG_TYPE_FLOAT)
		put_real(p, where, k, config_setting_get_float(s));
	else if (k->type == CONF_BOOL && type == CONFIG_TYPE_BOOL)
		*(bool *)field(p, k) = config_setting_get_bool(s);
	else if ((k->type == CONF_TEXT || k->type == CONF_CHOICE) && type == CONFIG_TYPE_STRING)
		put_text(p, where, k, config_setting_get_string(s));
	else
		wrong_type(p, where, k, names[type]);
}

static void unknown(struct pass *p, const char *where, const char *path)
{
	size_t n = strlen(path);

	for (size_t i = 0; i < p->n; i++) {
		if (strncmp(p->keys[i].path, path, n) == 0 && p->keys[i].path[n] == '.') {
			fault(p, where, path, "this is a group: write %s = { ... };", path);
			return;
		}
	}
	fault(p, where, path, "unknown key; the nearest known one is %s",
	    conf_near(p->keys, p->n, path));
}

static void walk(struct pass *p, const config_setting_t *group, const char *prefix)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *s = config_setting_get_elem(group, i);
		const struct conf_key *k;
		char path[WHERE_MAX], where[WHERE_MAX];

		snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "",
		    config_setting_name(s));
		snprintf(where, sizeof(where), "%s:%u", p->file, config_setting_source_line(s));
		k = find(p, path);
		if (k)
			put_setting(p, where, k, s);
		else if (config_setting_is_group(s) && config_setting_length(s) > 0)
			walk(p, s, path);
		else if (!config_setting_is_group(s))
			unknown(p, where, path);
	}
}

/* The whole file as one text, or NULL with the reason in faults and *rc. */
static char *slurp(struct pass *p, int *rc)
{
	FILE *f = fopen(p->file, "re");
	char *text = xcalloc(1, FILE_MAX_BYTES + 1);
	size_t n = f ? fread(text, 1, FILE_MAX_BYTES + 1, f) : 0;
	int err = !f || ferror(f) ? errno : 0;

	if (f)
		fclose(f);
	if (err)
		fault(p, p->file, "", "%s", strerror(err));
	else if (n > FILE_MAX_BYTES)
		fault(p, p->file, "", "more than 1 MiB: this is not a configuration file");
	else if (memchr(text, '\0', n))
		fault(p, p->file, "", "holds a zero byte: this is not a configuration file");
	else
		return text;
	free(text);
	*rc = err == ENOENT ? -ENOENT : -EINVAL;
	return NULL;
}

/* Past a comment or a quoted text that begins at `c`; `c` itself when none does. */
static const char *skip_opaque(const char *c)
{
	const char *end = c;

	if (*c == '#' || strncmp(c, "//", 2) == 0)
		return c + strcspn(c, "\n");
	if (strncmp(c, "/*", 2) == 0) {
		end = strstr(c + 2, "*/");
		return end ? end + 2 : c + strlen(c);
	}
	if (*c == '"') {
		for (end = c + 1; *end && *end != '"'; end++)
			end += *end == '\\' && end[1];
		return *end ? end + 1 : end;
	}
	return c;
}

static bool wraps(const char *word, size_t n)
{
	bool hex = word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
	char *end;

	errno = 0;
	return (strtoull(word, &end, hex ? 16 : 10) > INT32_MAX || errno) && end == word + n;
}

/* libconfig cuts an integer over 32 bits short without a word, so they are found here. */
static void find_wrapping_numbers(struct pass *p, const char *text)
{
	static const char *const word = "0123456789abcdefghijklmnopqrstuvwxyz"
					"ABCDEFGHIJKLMNOPQRSTUVWXYZ_*.";
	char where[WHERE_MAX];
	int line = 1;

	for (const char *c = text, *next; *c; c = next) {
		size_t n = strspn(c, word);

		next = n ? c + n : skip_opaque(c);
		if (n && *c >= '0' && *c <= '9' && wraps(c, n)) {
			snprintf(where, sizeof(where), "%s:%d", p->file, line);
			fault(p, where, "", "%.*s is too large a number", (int)n, c);
		}
		next += next == c;
		for (const char *l = c; l < next; l++)
			line += *l == '\n';
	}
}

static void parse(struct pass *p, const char *text)
{
	char where[WHERE_MAX];
	config_t c;

	find_wrapping_numbers(p, text);
	config_init(&c);
	if (config_read_string(&c, text)) {
		walk(p, config_root_setting(&c), "");
	} else {
		snprintf(where, sizeof(where), "%s:%d", p->file, config_error_line(&c));
		fault(p, where, "", "%s", config_error_text(&c));
	}
	config_destroy(&c);
}

static size_t struct_size(const struct conf_key *keys, size_t n)
{
	size_t size = 0;

	for (size_t i = 0; i < n; i++) {
		if (keys[i].offset + keys[i].size > size)
			size = keys[i].offset + keys[i].size;
	}
	return size;
}

/* The rows' fields only: what else is in the caller's struct stays. */
static void copy_fields(const struct conf_key *keys, size_t n, void *to, const void *from)
{
	for (size_t i = 0; i < n; i++)
		memcpy((char *)to + keys[i].offset, (const char *)from + keys[i].offset,
		    keys[i].size);
}

void conf_defaults(const struct conf_key *keys, size_t n, void *out)
{
	struct pass p = { .keys = keys, .n = n, .out = out, .faults = stderr };

	for (size_t i = 0; i < n; i++)
		put_word(&p, "default", &keys[i], keys[i].def);
	assert(p.count == 0);
}

int conf_load(const char *file, const struct conf_key *keys, size_t n, void *out, FILE *faults)
{
	struct pass p = { .keys = keys, .n = n, .faults = faults, .file = file };
	int rc = 0;
	char *text = slurp(&p, &rc);

	if (!text)
		return rc;
	p.out = xcalloc(1, struct_size(keys, n));
	conf_defaults(keys, n, p.out);
	parse(&p, text);
	if (p.count == 0)
		copy_fields(keys, n, out, p.out);
	free(p.out);
	free(text);
	return p.count == 0 ? 0 : -EINVAL;
}

int conf_set(const struct conf_key *keys, size_t n, const char *path, const char *text,
    void *out, const char *origin, FILE *faults)
{
	struct pass p = { .keys = keys, .n = n, .out = out, .faults = faults };
	const struct conf_key *k = find(&p, path);

	if (k)
		put_word(&p, origin, k, text);
	else
		unknown(&p, origin, path);
	return p.count == 0 ? 0 : -EINVAL;
}

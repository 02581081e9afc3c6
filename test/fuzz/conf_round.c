#include "test/fuzz/conf_round.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "test/fuzz/fuzz.h"

struct loaded {
	int rc;
	char *faults;
	size_t nfaults;
};

/* libconfig forgets a text that never ends, and the process with it ends soon: not ours. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so";
}

static int32_t nchoices(const char *choices)
{
	int32_t n = 1;

	for (; *choices; choices++)
		n += *choices == ' ';
	return n;
}

static int32_t whole(const void *field)
{
	int32_t n;

	memcpy(&n, field, sizeof(n));
	return n;
}

static double real(const void *field)
{
	double n;

	memcpy(&n, field, sizeof(n));
	return n;
}

static void check_row(const struct conf_key *k, const void *in)
{
	const void *field = (const char *)in + k->offset;

	switch (k->type) {
	case CONF_INT:
		assert(whole(field) >= k->min && whole(field) <= k->max);
		break;
	case CONF_CHOICE:
		assert(whole(field) >= 0 && whole(field) < nchoices(k->choices));
		break;
	case CONF_TEXT:
		assert(memchr(field, 0, k->size));
		break;
	case CONF_REAL:
		assert(real(field) >= (double)k->min && real(field) <= (double)k->max);
		break;
	case CONF_BOOL:
		break;
	}
}

static void check_same(const struct conf_key *k, const void *a, const void *b)
{
	const void *x = (const char *)a + k->offset, *y = (const char *)b + k->offset;

	if (k->type == CONF_REAL) /* 0 and -0 are the same number */
		assert(real(x) >= real(y) && real(x) <= real(y));
	else
		assert(memcmp(x, y, k->size) == 0);
}

/* FILE:LINE: or, for a file that is none of text, FILE: */
static void check_faults(const char *faults, const char *file, bool text)
{
	size_t n = strlen(file);

	for (const char *line = faults, *end; *line; line = end + 1) {
		const char *digits = line + n + 1;

		end = strchr(line, '\n');
		assert(end && strncmp(line, file, n) == 0 && line[n] == ':');
		if (text) {
			assert(isdigit((unsigned char)*digits));
			assert(digits[strspn(digits, "0123456789")] == ':');
		}
	}
}

static struct loaded load(const struct conf_table *t, const uint8_t *text, size_t n, void *out)
{
	const char *file = fuzz_file(text, n);
	struct loaded l = { 0 };
	FILE *faults = open_memstream(&l.faults, &l.nfaults);

	assert(faults);
	l.rc = conf_load(file, t->keys, t->n, out, faults);
	fclose(faults);
	check_faults(l.faults, file, n == 0 || !memchr(text, 0, n));
	assert((l.rc == 0) == (l.nfaults == 0));
	return l;
}

static void print_and_load_again(const struct conf_table *t, const void *in)
{
	void *again = xcalloc(1, t->size);
	char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);
	struct loaded l;

	assert(to);
	conf_print(t->keys, t->n, in, to);
	fclose(to);
	l = load(t, (const uint8_t *)text, n, again);
	assert(l.rc == 0);
	for (size_t i = 0; i < t->n; i++)
		check_same(&t->keys[i], again, in);
	free(l.faults);
	free(again);
	free(text);
}

static void run_checks(const struct conf_table *t, const void *in)
{
	char *faults = NULL;
	size_t n;
	FILE *to = open_memstream(&faults, &n);
	int count;

	assert(to);
	count = t->check(in, to);
	fclose(to);
	assert(count >= 0 && (count > 0) == (n > 0));
	free(faults);
}

void conf_round(const struct conf_table *t, const uint8_t *text, size_t n)
{
	uint8_t *out = xcalloc(2, t->size), *untouched = out + t->size;
	struct loaded l;

	memset(out, 0x55, 2 * t->size);
	l = load(t, text, n, out);
	if (l.rc < 0)
		assert(memcmp(out, untouched, t->size) == 0);
	for (size_t i = 0; l.rc == 0 && i < t->n; i++)
		check_row(&t->keys[i], out);
	if (l.rc == 0) {
		run_checks(t, out);
		print_and_load_again(t, out);
	}
	free(l.faults);
	free(out);
}

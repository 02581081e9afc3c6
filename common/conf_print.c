#include "common/conf.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void indent(FILE *to, int depth)
{
	for (int i = 0; i < depth; i++)
		fputc('\t', to);
}

static void print_text(FILE *to, const char *text)
{
	fputc('"', to);
	for (const char *c = text; *c; c++) {
		if (*c == '"' || *c == '\\')
			fprintf(to, "\\%c", *c);
		else if ((unsigned char)*c < ' ')
			fprintf(to, "\\x%02x", (unsigned)*c);
		else
			fputc(*c, to);
	}
	fputc('"', to);
}

static void print_choice(FILE *to, const char *choices, int32_t index)
{
	const char *c = choices;

	while (index-- > 0)
		c += strcspn(c, " ") + 1;
	fprintf(to, "\"%.*s\"", (int)strcspn(c, " "), c);
}

/* The fewest digits that read back as the same number. */
static void print_real(FILE *to, double v)
{
	char text[32];

	snprintf(text, sizeof(text), "%.15g", v);
	if (strtod(text, NULL) != v)
		snprintf(text, sizeof(text), "%.17g", v);
	fputs(text, to);
}

static void print_value(FILE *to, const struct conf_key *k, const void *in)
{
	const void *at = (const char *)in + k->offset;

	switch (k->type) {
	case CONF_BOOL:
		fputs(*(const bool *)at ? "true" : "false", to);
		break;
	case CONF_INT:
		fprintf(to, "%d", *(const int32_t *)at);
		break;
	case CONF_REAL:
		print_real(to, *(const double *)at);
		break;
	case CONF_TEXT:
		print_text(to, at);
		break;
	case CONF_CHOICE:
		print_choice(to, k->choices, *(const int32_t *)at);
		break;
	}
}

static void print_key(
    FILE *to, const struct conf_key *k, const char *name, const void *in, int depth)
{
	indent(to, depth);
	fprintf(to, "# %s (", k->help);
	if (k->type == CONF_INT || k->type == CONF_REAL)
		fprintf(to, "%lld..%lld%s%s, ", (long long)k->min, (long long)k->max,
		    *k->unit ? " " : "", k->unit);
	else if (k->type == CONF_CHOICE)
		fprintf(to, "one of: %s; ", k->choices);
	fprintf(to, "default %s)\n", *k->def ? k->def : "empty");
	indent(to, depth);
	fprintf(to, "%s = ", name);
	print_value(to, k, in);
	fputs(";\n", to);
}

static bool seen_before(const struct conf_key *keys, size_t i, size_t n)
{
	for (size_t j = 0; j < i; j++) {
		if (strncmp(keys[j].path, keys[i].path, n) == 0)
			return true;
	}
	return false;
}

/* The rows whose path begins with the first n characters of `prefix`, a dot the last. */
static void print_group(const struct conf_key *keys, size_t nkeys, const void *in, FILE *to,
    const char *prefix, size_t n, int depth)
{
	for (size_t i = 0; i < nkeys; i++) {
		const char *path = keys[i].path, *name;
		int len;

		if (strncmp(path, prefix, n) != 0)
			continue;
		name = path + n;
		len = (int)strcspn(name, ".");
		if (name[len] == '\0') {
			print_key(to, &keys[i], name, in, depth);
		} else if (!seen_before(keys, i, n + len + 1)) {
			indent(to, depth);
			fprintf(to, "%.*s = {\n", len, name);
			print_group(keys, nkeys, in, to, path, n + len + 1, depth + 1);
			indent(to, depth);
			fputs("};\n", to);
		}
	}
}

void conf_print(const struct conf_key *keys, size_t n, const void *in, FILE *to)
{
	print_group(keys, n, in, to, "", 0, 0);
}

#include "common/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"

enum { EXIT_CONFIG = 2 };

struct common {
	const char *config;
	bool check, print, version, help;
};

static const struct option_row *find(const struct option_row *rows, const char *arg)
{
	size_t n = strcspn(arg, "=");

	for (; rows && rows->name; rows++) {
		if (strlen(rows->name) == n && strncmp(rows->name, arg, n) == 0)
			return rows;
	}
	return NULL;
}

/* The value of argv[*i], moving on over it; NULL and a fault when there is none. */
static const char *value(int argc, char **argv, int *i, FILE *faults)
{
	const char *equals = strchr(argv[*i], '=');

	if (equals)
		return equals + 1;
	if (*i + 1 < argc)
		return argv[++*i];
	fprintf(faults, "%s: needs a value\n", argv[*i]);
	return NULL;
}

static int take(const struct options *o, const struct option_row *row, int argc, char **argv,
    int *i, void *conf, FILE *faults)
{
	const char *text;

	if (row->flag) {
		if (strchr(argv[*i], '=')) {
			fprintf(faults, "%s: takes no value\n", row->name);
			return -EINVAL;
		}
		*row->flag = true;
		return 0;
	}
	text = value(argc, argv, i, faults);
	if (!text)
		return -EINVAL;
	if (row->word)
		*row->word = text;
	else if (conf)
		return conf_set(o->keys, o->nkeys, row->key, text, conf, row->name, faults);
	return 0;
}

/* Without conf the settings among the options are passed over. */
static int parse(
    const struct options *o, int argc, char **argv, struct common *c, void *conf, FILE *faults)
{
	const struct option_row common[] = {
		{ "--config", .word = &c->config },
		{ "--check-config", .flag = &c->check },
		{ "--print-config", .flag = &c->print },
		{ "--version", .flag = &c->version },
		{ "--help", .flag = &c->help },
		{ 0 },
	};
	int rc = 0;

	for (int i = 1; i < argc; i++) {
		const struct option_row *row = find(common, argv[i]);

		if (!row)
			row = find(o->rows, argv[i]);
		if (!row)
			fprintf(faults, "%s: unknown option; %s --help lists them\n", argv[i],
			    o->program);
		if (!row || take(o, row, argc, argv, &i, conf, faults) < 0)
			rc = -EINVAL;
	}
	return rc;
}

static int fill(const struct options *o, int argc, char **argv, void *conf, FILE *faults)
{
	struct common c = { 0 };
	int rc = parse(o, argc, argv, &c, NULL, faults);
	bool given = c.config != NULL;

	if (rc < 0)
		return rc;
	conf_defaults(o->keys, o->nkeys, conf);
	if (given || access(o->config, F_OK) == 0)
		rc = conf_load(given ? c.config : o->config, o->keys, o->nkeys, conf, faults);
	if (parse(o, argc, argv, &c, conf, faults) < 0)
		rc = -EINVAL;
	if (rc == 0 && o->check && o->check(conf, faults) > 0)
		rc = -EINVAL;
	return rc;
}

int options_reload(
    const struct options *o, int argc, char **argv, void *conf, size_t size, FILE *faults)
{
	void *fresh = xcalloc(1, size);
	int rc = fill(o, argc, argv, fresh, faults);

	if (rc == 0)
		memcpy(conf, fresh, size);
	free(fresh);
	return rc;
}

static void help(const struct options *o)
{
	printf("usage: %s [options]\n%s\n\n"
	       "  --config FILE         read this file (default %s)\n"
	       "  --check-config        list what is wrong with it and end\n"
	       "  --print-config        print every key with its meaning and value and end\n"
	       "  --version             print the version and end\n"
	       "  --help                print this and end\n",
	    o->program, o->about, o->config);
	for (const struct option_row *r = o->rows; r && r->name; r++) {
		char name[64];

		snprintf(name, sizeof(name), "%s%s", r->name, r->flag ? "" : " VALUE");
		printf("  %-21s %s\n", name, r->help);
	}
}

int options_start(const struct options *o, int argc, char **argv, void *conf)
{
	struct common c = { 0 };

	if (parse(o, argc, argv, &c, NULL, stderr) < 0)
		return EXIT_CONFIG;
	if (c.help)
		help(o);
	else if (c.version)
		printf("%s %s\n", o->program, PIGENNY_VERSION);
	else if (fill(o, argc, argv, conf, stderr) < 0)
		return EXIT_CONFIG;
	else if (c.print)
		conf_print(o->keys, o->nkeys, conf, stdout);
	else if (c.check)
		printf("%s: the configuration is good\n", c.config ? c.config : o->config);
	else
		return -1;
	return fflush(stdout) == 0 ? 0 : EXIT_CONFIG;
}

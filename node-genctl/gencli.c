#include "node-genctl/gencli.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
	TAKES_FOR = 1,
	TAKES_WAIT = 2,
	TAKES_FOLLOW = 4,
	TAKES_NO_START = 8,
	TAKES_OPERAND = 16,
	TAKES_SINCE = 32,
	TAKES_CONFIG = 64
};
enum { OPT_HOST = 256, OPT_PORT, OPT_TIMEOUT, OPT_FORMAT, OPT_SOCKET, OPT_VERSION };

static int cmd_help(struct cli *c);

static const struct command {
	const char *word, *takes, *help;
	int (*run)(struct cli *c);
	int accepts;
} commands[] = {
	{ "ping", "", "is the engine node there", cmd_ping, 0 },
	{ "status", "", "engine, relays, inputs and system; alarms on standard error",
	    cmd_status, 0 },
	{ "inputs", "", "the four inputs", cmd_inputs, 0 },
	{ "health", "", "connections, uptime, memory, disk, I2C errors, versions", cmd_health,
	    0 },
	{ "why", "", "who wants what, what the node does, what blocks it, what comes next",
	    cmd_why, 0 },
	{ "start", "[--for 2h] [--wait]", "start the engine; it holds until stop or --for",
	    cmd_start, TAKES_FOR | TAKES_WAIT },
	{ "stop", "[--wait]", "cool down and stop; holds until auto or start", cmd_stop,
	    TAKES_WAIT },
	{ "estop", "", "emergency stop: every relay opens now; clear releases it", cmd_estop,
	    0 },
	{ "clear", "", "clear latched alarms (on the engine node, as root); mode is off then",
	    cmd_clear, 0 },
	{ "auto", "", "let the monitor start and stop it again", cmd_auto, 0 },
	{ "relay", "HH", "write a relay byte, in maintenance only, for 10 s at most", cmd_relay,
	    TAKES_OPERAND },
	{ "maintenance", "on|off", "forbid every start and allow relay", cmd_maintenance,
	    TAKES_OPERAND },
	{ "events", "[--follow]", "what happened, and with --follow what happens", cmd_events,
	    TAKES_FOLLOW },
	{ "trace", "[--since 10m]", "the flight recorder's rows, oldest first; as CSV",
	    cmd_trace, TAKES_SINCE },
	{ "audit", "FILE|- [--config FILE]",
	    "draw a trace and check it against the rule book, with these times", cmd_audit,
	    TAKES_OPERAND | TAKES_CONFIG },
	{ "rules", "", "the rule book", cmd_rules, 0 },
	{ "diagnose", "[--for 30s] [--no-start]",
	    "self test over a whole run; --no-start only watches the inputs", cmd_diagnose,
	    TAKES_FOR | TAKES_NO_START },
	{ "help", "", "this list", cmd_help, 0 },
};
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const struct option options[] = {
	{ "host", required_argument, NULL, OPT_HOST },
	{ "port", required_argument, NULL, OPT_PORT },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, 'h' },
	{ "for", required_argument, NULL, TAKES_FOR },
	{ "wait", no_argument, NULL, TAKES_WAIT },
	{ "follow", no_argument, NULL, TAKES_FOLLOW },
	{ "no-start", no_argument, NULL, TAKES_NO_START },
	{ "since", required_argument, NULL, TAKES_SINCE },
	{ "config", required_argument, NULL, TAKES_CONFIG },
	{ NULL, 0, NULL, 0 },
};

static int cmd_help(struct cli *c)
{
	printf("gencli [--host 127.0.0.1] [--port 9999] [--timeout SECONDS]\n"
	       "       [--format human|compact|kv|json] [--socket PATH] [COMMAND]\n\n");
	for (int i = 0; i < COMMANDS; i++) {
		char left[48];

		snprintf(left, sizeof(left), "%s %s", commands[i].word, commands[i].takes);
		printf("  %-34s %s\n", left, commands[i].help);
	}
	puts("\nWithout a command: a prompt that takes the same words, and QUIT.\n"
	     "Exit status: 0 done, 1 refused or failed, 2 usage, 3 not reachable.");
	return CLI_DONE;
}

static bool number(const char *text, long min, long max, long *out)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(text, &end, 10);
	if (errno || end == text || *end || v < min || v > max)
		return false;
	*out = v;
	return true;
}

static int format_of(const char *word)
{
	static const char *const words[] = { "human", "compact", "kv", "json" };

	for (int i = 0; i < 4; i++) {
		if (strcmp(word, words[i]) == 0)
			return i;
	}
	return -1;
}

static int usage(const char *sentence)
{
	fprintf(stderr, "gencli: %s; `gencli help` lists what there is\n", sentence);
	return CLI_USAGE;
}

static int set_option(struct cli *c, int opt, const char *arg)
{
	long v;

	switch (opt) {
	case OPT_HOST:
		c->host = arg;
		return CLI_DONE;
	case OPT_SOCKET:
		c->socket = arg;
		return CLI_DONE;
	case OPT_PORT:
		if (!number(arg, 1, 65535, &v))
			return usage("--port takes a number from 1 to 65535");
		c->port = (int)v;
		return CLI_DONE;
	case OPT_TIMEOUT:
		if (!number(arg, 1, 3600, &v))
			return usage("--timeout takes whole seconds, 1 to 3600");
		c->timeout_ms = v * 1000;
		return CLI_DONE;
	case OPT_FORMAT:
		c->format = format_of(arg);
		return c->format < 0 ? usage("--format takes human, compact, kv or json")
				     : CLI_DONE;
	case TAKES_FOR:
		if (render_duration(arg, &c->for_s))
			return usage("--for takes a time such as 90s, 20m, 2h or 1h30m");
		return CLI_DONE;
	case TAKES_SINCE:
		if (render_duration(arg, &c->since_s))
			return usage("--since takes a time such as 90s, 10m or 2h");
		return CLI_DONE;
	case TAKES_CONFIG:
		c->config = arg;
		return CLI_DONE;
	case TAKES_WAIT:
		c->wait = true;
		return CLI_DONE;
	case TAKES_FOLLOW:
		c->follow = true;
		return CLI_DONE;
	case TAKES_NO_START:
		c->no_start = true;
		return CLI_DONE;
	default:
		return CLI_USAGE; /* getopt has said why */
	}
}

/* What the command line asks for before any command; false: nothing. */
static bool told(int opt)
{
	if (opt == 'h')
		cmd_help(NULL);
	else if (opt == OPT_VERSION)
		puts("gencli " PIGENNY_VERSION);
	else
		return false;
	return true;
}

/* Options may stand anywhere; *given collects those that only some commands take.
 * -1: help or version was asked for and told. */
static int parse(struct cli *c, int argc, char **argv, int *given)
{
	int opt, rc = CLI_DONE;

	optind = 0; /* the prompt parses one line after another */
	while (rc == CLI_DONE && (opt = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (told(opt))
			return -1;
		rc = set_option(c, opt, optarg);
		if (opt < OPT_HOST)
			*given |= opt;
	}
	return rc;
}

static const struct command *find(const char *word)
{
	for (int i = 0; i < COMMANDS; i++) {
		if (strcasecmp(commands[i].word, word) == 0)
			return &commands[i];
	}
	return NULL;
}

/* words[0] is the command, as it was found; what follows it are its operands. */
static int run(struct cli *c, int n, char **words, int given)
{
	const struct command *cmd = find(words[0]);
	char sentence[96];
	int rc;

	if (!cmd) {
		snprintf(sentence, sizeof(sentence), "no command `%.40s`", words[0]);
		return usage(sentence);
	}
	if ((given & ~cmd->accepts) || n > ((cmd->accepts & TAKES_OPERAND) ? 2 : 1)) {
		snprintf(sentence, sizeof(sentence), "use: %s %s", cmd->word, cmd->takes);
		return usage(sentence);
	}
	c->operand = n > 1 ? words[1] : NULL;
	rc = cmd->run(c);
	fflush(stdout);
	wire_close(c->wire);
	c->wire = NULL;
	return rc;
}

static int split(char *line, char **words, int max)
{
	int n = 0;

	for (char *save, *w = strtok_r(line, " \t\r\n", &save); w && n < max;
	     w = strtok_r(NULL, " \t\r\n", &save))
		words[n++] = w;
	words[n] = NULL;
	return n;
}

static int one_line(const struct cli *defaults, char *line)
{
	char name[] = "gencli", *words[18] = { name };
	struct cli c = *defaults;
	int n = 1 + split(line, words + 1, 16), given = 0;
	int rc = parse(&c, n, words, &given);

	if (rc || optind >= n)
		return rc < 0 ? CLI_DONE : rc;
	return run(&c, n - optind, words + optind, given);
}

static bool is_quit(const char *line)
{
	size_t n = strcspn(line, " \t\r\n");

	return (n == 4 &&
		   (strncasecmp(line, "quit", 4) == 0 || strncasecmp(line, "exit", 4) == 0)) ||
	       (n == 1 && (*line == 'q' || *line == 'Q'));
}

static int prompt(const struct cli *defaults)
{
	bool tty = isatty(STDIN_FILENO);
	char *line = NULL;
	size_t size = 0;
	int rc = CLI_DONE;

	for (;;) {
		if (tty)
			fputs("genny> ", stdout);
		fflush(stdout);
		if (getline(&line, &size, stdin) < 0 || is_quit(line))
			break;
		rc = one_line(defaults, line);
	}
	if (tty)
		puts("BYE");
	free(line);
	return rc;
}

int main(int argc, char **argv)
{
	struct cli c = { .host = "127.0.0.1",
		.port = 9999,
		.timeout_ms = 10000,
		.socket = "/run/pigenny/genctl.sock" };
	int given = 0, rc;

	signal(SIGPIPE, SIG_IGN);
	rc = parse(&c, argc, argv, &given);
	if (rc)
		return rc < 0 ? CLI_DONE : rc;
	if (optind < argc)
		return run(&c, argc - optind, argv + optind, given);
	if (given)
		return usage("an option such as --wait needs its command");
	return prompt(&c);
}

/* sitesim - the simulated site: see --help. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "test/sim/command.h"
#include "test/sim/world.h"

enum {
	MAX_SET = 32,
	SLOT_BOARD = 0,
	SLOT_CONTROL = EP_SLOTS,
	SLOT_PTY = 2 * EP_SLOTS,
	SLOT_LISTENER,
	SLOT_TCP,
	SLOT_SIGNAL,
	NSLOTS
};

struct options {
	const char *board, *inverter, *modbus_tcp, *control, *trace, *script, *recorded,
	    *profile;
	int64_t speed, time_scale;
	char *set[MAX_SET];
	int nset;
};

struct sim {
	struct world world;
	struct endpoint board, control;
	struct wire pty, tcp;
	int listener, signals; /* -1: closed */
	const char *link;      /* the pty's symlink, to be removed */
	struct script script;
};

static int64_t monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void usage(FILE *to)
{
	fputs("sitesim - the simulated site: battery, house, sun, diesel, MOD-IO, inverter\n\n"
	      "  --board PATH       MOD-IO's I2C as a UNIX SOCK_SEQPACKET socket (modio.h)\n"
	      "  --inverter PATH    Modbus RTU slave 1 on a pty; PATH becomes a symlink to it\n"
	      "  --modbus-tcp A:P   the same slave over TCP; port 0 lets the kernel choose\n"
	      "  --control PATH     UNIX SOCK_SEQPACKET socket, one command a packet\n"
	      "  --trace FILE       CSV t_ms,acked,contacts,inputs,event\n"
	      "  --script FILE      lines `t_ms COMMAND`, t_ms from the start\n"
	      "  --set COMMAND      carried out at the start; may be given 32 times\n"
	      "  --recorded FILE    the inverter shows recorded register blocks (JSON lines)\n"
	      "  --profile FILE     half-hourly CSV of load and sun, followed from its start\n"
	      "  --speed N          battery and profile run N times faster (default 1)\n"
	      "  --time-scale N     engine runs N times faster, the inverter may be asked N\n"
	      "                     times as often (default 1)\n"
	      "  --help --version\n\nCommands:\n",
	    to);
	command_help(to);
}

static int64_t factor(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	return end == text || *end || n < 1 || n > 100000 ? -1 : n;
}

static const struct option long_options[] = { { "board", 1, 0, 'b' }, { "inverter", 1, 0, 'i' },
	{ "modbus-tcp", 1, 0, 'm' }, { "control", 1, 0, 'c' }, { "trace", 1, 0, 't' },
	{ "script", 1, 0, 's' }, { "set", 1, 0, 'S' }, { "recorded", 1, 0, 'r' },
	{ "profile", 1, 0, 'p' }, { "speed", 1, 0, 'x' }, { "time-scale", 1, 0, 'X' },
	{ "help", 0, 0, 'h' }, { "version", 0, 0, 'v' }, { 0 } };

static const char **path_option(struct options *o, int c)
{
	switch (c) {
	case 'b':
		return &o->board;
	case 'i':
		return &o->inverter;
	case 'm':
		return &o->modbus_tcp;
	case 'c':
		return &o->control;
	case 't':
		return &o->trace;
	case 's':
		return &o->script;
	case 'r':
		return &o->recorded;
	case 'p':
		return &o->profile;
	}
	return NULL;
}

/* 0 to go on, else what to exit with, less one. */
static int parse(struct options *o, int argc, char **argv)
{
	int c;

	*o = (struct options){ .speed = 1, .time_scale = 1 };
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		const char **path = path_option(o, c);

		if (path)
			*path = optarg;
		else if (c == 'x')
			o->speed = factor(optarg);
		else if (c == 'X')
			o->time_scale = factor(optarg);
		else if (c == 'S' && o->nset < MAX_SET)
			o->set[o->nset++] = optarg;
		else if (c == 'h')
			return usage(stdout), 1;
		else if (c == 'v')
			return puts("sitesim " PIGENNY_VERSION), 1;
		else
			return usage(stderr), 3;
	}
	if (optind == argc && o->speed > 0 && o->time_scale > 0)
		return 0;
	fputs("sitesim: --speed and --time-scale take a whole number from 1 to 100000, and "
	      "nothing stands beside the options; see --help\n",
	    stderr);
	return 3;
}

static int failed(const char *what, const char *path, int rc)
{
	const char *why = rc == -EBADMSG  ? "not a file of this kind, see --help"
			  : rc == -EINVAL ? "write it as 127.0.0.1:PORT"
					  : strerror(-rc);

	if (rc < 0)
		fprintf(stderr, "sitesim: %s %s: %s\n", what, path, why);
	return rc;
}

static void handle_board(void *owner, char *request, char *reply)
{
	world_board(owner, request, reply);
}

static void handle_control(void *owner, char *request, char *reply)
{
	command_run(owner, request, reply);
}

static int open_endpoint(struct endpoint *ep, const char *what, const char *path,
    void (*handle)(void *, char *, char *), struct world *w)
{
	int rc;

	if (!path)
		return 0;
	ep->handle = handle;
	ep->owner = w;
	rc = failed(what, path, endpoint_open(ep, path));
	if (rc == 0)
		printf("%s %s\n", what, path);
	return rc;
}

static int open_inverter(struct sim *s, const struct options *o)
{
	int rc, port;

	if (o->inverter) {
		rc = failed("inverter", o->inverter, wire_open_pty(&s->pty, o->inverter));
		if (rc < 0)
			return rc;
		s->link = o->inverter;
		printf("inverter %s\n", o->inverter);
	}
	if (o->modbus_tcp) {
		rc = failed("modbus-tcp", o->modbus_tcp,
		    wire_listen(o->modbus_tcp, &s->listener, &port));
		if (rc < 0)
			return rc;
		printf("modbus-tcp %d\n", port);
	}
	return 0;
}

static int load_files(struct sim *s, const struct options *o)
{
	struct world *w = &s->world;
	int rc = 0;

	if (o->profile)
		rc = failed("profile", o->profile, profile_load(&w->profile, o->profile));
	if (rc == 0 && o->recorded)
		rc = failed("recorded", o->recorded, recorded_load(&w->recorded, o->recorded));
	if (rc == 0 && o->recorded)
		world_show_recorded(w, 0);
	if (rc == 0 && o->script)
		rc = failed("script", o->script, script_load(&s->script, o->script));
	if (rc == 0 && o->trace)
		rc = failed("trace", o->trace, trace_open(&w->trace, o->trace, w->start_ms));
	return rc;
}

static int carry_out(struct world *w, const struct options *o)
{
	char reply[EP_REPLY];

	w->speed = o->speed;
	w->time_scale = o->time_scale;
	w->inverter.poll_ms /= o->time_scale;
	w->inverter.idle_ms /= o->time_scale;
	w->load_w = w->profile.n ? WORLD_FOLLOW : 800;
	for (int i = 0; i < o->nset; i++) {
		command_run(w, o->set[i], reply);
		if (strncmp(reply, "error", 5) != 0)
			continue;
		fprintf(stderr, "sitesim: --set: %s\n", reply);
		return -EINVAL;
	}
	return 0;
}

static int start(struct sim *s, const struct options *o)
{
	sigset_t ends;

	s->board.listener = s->control.listener = s->pty.fd = s->tcp.fd = s->listener = -1;
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	s->signals = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
	world_init(&s->world, monotonic_ms());
	if (load_files(s, o) < 0 || carry_out(&s->world, o) < 0 ||
	    open_endpoint(&s->board, "board", o->board, handle_board, &s->world) < 0 ||
	    open_inverter(s, o) < 0 ||
	    open_endpoint(&s->control, "control", o->control, handle_control, &s->world) < 0)
		return -1;
	world_step(&s->world, s->world.now_ms + 1); /* so that a first reading finds a site */
	puts("ready");
	return fflush(stdout);
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int timeout_ms(const struct sim *s, int64_t now_ms)
{
	const struct world *w = &s->world;
	int64_t script_ms = script_due_ms(&s->script);
	int64_t due_ms = now_ms + (world_moving(w) ? WORLD_TICK_MS : WORLD_IDLE_MS);

	if (script_ms < INT64_MAX)
		due_ms = least(due_ms, w->start_ms + script_ms);
	due_ms = least(due_ms, endpoint_due_ms(&s->board));
	due_ms = least(due_ms, endpoint_due_ms(&s->control));
	due_ms = least(due_ms, wire_due_ms(&s->pty));
	due_ms = least(due_ms, wire_due_ms(&s->tcp));
	return due_ms > now_ms ? (int)(due_ms - now_ms) : 0;
}

/* A line with an answer on its way is not read; an unopened pty would wake us for ever. */
static struct pollfd wire_slot(const struct wire *w)
{
	bool listen = w->fd >= 0 && !w->hung && wire_due_ms(w) == INT64_MAX;

	return (struct pollfd){ .fd = listen ? w->fd : -1, .events = POLLIN };
}

static bool turn(struct sim *s)
{
	struct pollfd slots[NSLOTS];
	struct world *w = &s->world;
	int64_t now_ms;

	endpoint_poll(&s->board, slots + SLOT_BOARD);
	endpoint_poll(&s->control, slots + SLOT_CONTROL);
	slots[SLOT_PTY] = wire_slot(&s->pty);
	slots[SLOT_TCP] = wire_slot(&s->tcp);
	slots[SLOT_LISTENER] = (struct pollfd){ .fd = s->listener, .events = POLLIN };
	slots[SLOT_SIGNAL] = (struct pollfd){ .fd = s->signals, .events = POLLIN };
	if (poll(slots, NSLOTS, timeout_ms(s, monotonic_ms())) < 0)
		return errno == EINTR;
	now_ms = monotonic_ms();
	world_step(w, now_ms);
	script_run(&s->script, w, now_ms - w->start_ms);
	endpoint_serve(&s->board, slots + SLOT_BOARD, w->latency_ms, now_ms);
	endpoint_serve(&s->control, slots + SLOT_CONTROL, 0, now_ms);
	if (slots[SLOT_LISTENER].revents & POLLIN)
		wire_accept(&s->tcp, s->listener);
	wire_serve(&s->pty, &w->inverter, now_ms);
	wire_serve(&s->tcp, &w->inverter, now_ms);
	return !w->quit && !w->error && !slots[SLOT_SIGNAL].revents;
}

static void stop(struct sim *s)
{
	endpoint_close(&s->board);
	endpoint_close(&s->control);
	wire_close(&s->pty);
	wire_close(&s->tcp);
	if (s->link)
		unlink(s->link);
	if (s->listener >= 0)
		close(s->listener);
	close(s->signals);
	profile_free(&s->world.profile);
	recorded_free(&s->world.recorded);
	trace_close(&s->world.trace);
}

int main(int argc, char **argv)
{
	static struct sim sim;
	struct options options;
	int rc = parse(&options, argc, argv);

	if (rc)
		return rc - 1;
	rc = start(&sim, &options);
	while (rc == 0 && turn(&sim))
		;
	if (sim.world.error)
		rc = failed("trace", options.trace, sim.world.error);
	stop(&sim);
	return rc < 0;
}

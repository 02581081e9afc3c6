/* The nine-phase self test: a normal sequenced run, narrated; or the inputs alone, watched. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "common/clock.h"
#include "node-genctl/diagnosis.h"
#include "node-genctl/gencli.h"
#include "node-genctl/progress.h"
#include "node-genctl/sequence.h"

enum {
	SAMPLE_MS = 50,
	WATCH_S = 120,
	BASELINE_MS = 3000,
	HOLD_S = 10,
	ABANDONED_S = 600, /* should this tool die, the engine comes down by itself */
	RUN_LIMIT_MS = 1800 * 1000
};

static volatile sig_atomic_t interrupted;

static void interrupt(int sig)
{
	interrupted = 1;
}

struct watcher {
	struct cli *cli;
	struct diagnosis diagnosis;
	int64_t began_ms;
	int shown; /* phase, relays and inputs last printed, as one number; -1: none */
};

static void note(struct watcher *w, enum phase phase, uint8_t relays, bool valid, uint8_t in)
{
	int now = (int)phase << 17 | relays << 9 | valid << 8 | in;
	char names[RENDER_RELAYS_MAX];

	if (valid)
		diag_note(&w->diagnosis, phase, in);
	if (now == w->shown)
		return;
	w->shown = now;
	printf("%+9.2f s  %-15s  relays %02X %-13s  ",
	    (double)(clock_ms() - w->began_ms) / 1000, phase_name(phase), relays,
	    render_relays(relays, names));
	if (valid)
		printf(
		    "inputs %2d  IN1=%d IN2=%d IN4=%d\n", in, in & 1, in >> 1 & 1, in >> 3 & 1);
	else
		printf("inputs BAD\n");
	fflush(stdout);
}

static void on_event(void *arg, const Genctl__Event *e)
{
	if (strcmp(e->kind, "phase") != 0)
		render_event(stdout, e);
}

/* The status at the end of one sample period, to be freed; NULL: *rc says why. */
static Genctl__Status *sample(struct watcher *w, int *rc)
{
	Genctl__Status *s = NULL;

	*rc = wire_wait(w->cli->wire, SAMPLE_MS);
	if (*rc == WIRE_UNREAD) { /* nobody reads on: as Ctrl-C, the engine is brought down */
		interrupted = 1;
		*rc = freopen("/dev/null", "w", stdout) ? 0 : -errno;
	}
	*rc = *rc ? cli_wire_failed(w->cli, *rc) : cli_status(w->cli, &s);
	if (s)
		note(w, (enum phase)s->phase, (uint8_t)s->relays, s->inputs && s->inputs->valid,
		    s->inputs ? (uint8_t)s->inputs->raw : 0);
	return s;
}

/* Samples for ms, or until Ctrl-C. */
static int sample_for(struct watcher *w, int64_t ms)
{
	int64_t end_ms = clock_ms() + ms;
	Genctl__Status *s;
	int rc = CLI_DONE;

	while (!interrupted && clock_ms() < end_ms && (s = sample(w, &rc)))
		genctl__status__free_unpacked(s, NULL);
	return rc;
}

static void tell_failure(const Genctl__Status *s)
{
	fputs("FAILED: ", stderr);
	render_text(stderr, s->why);
	putc('\n', stderr);
	render_alarms(stderr, s);
}

static int sample_until(struct watcher *w, enum progress_goal goal)
{
	struct progress p = { .goal = goal };
	int64_t began_ms = clock_ms();
	enum progress_end end = PROGRESS_GOING;

	while (end == PROGRESS_GOING) {
		int64_t waited_ms = clock_ms() - began_ms;
		int rc;
		Genctl__Status *s = sample(w, &rc);

		if (!s)
			return rc;
		end = progress_step(&p, s, waited_ms);
		if (end == PROGRESS_FAILED)
			tell_failure(s);
		genctl__status__free_unpacked(s, NULL);
		if (waited_ms > RUN_LIMIT_MS || (interrupted && goal == PROGRESS_START))
			end = PROGRESS_FAILED;
	}
	return end == PROGRESS_DONE ? CLI_DONE : CLI_REFUSED;
}

static int stop(struct watcher *w)
{
	Genctl__Reply *r;
	int rc = cli_ask_empty(w->cli, GENCTL__REQUEST__BODY_STOP, &r);

	if (rc)
		return rc;
	genctl__reply__free_unpacked(r, NULL);
	return sample_until(w, PROGRESS_STOP);
}

static int run(struct watcher *w)
{
	uint32_t hold_s = w->cli->for_s ? w->cli->for_s : HOLD_S;
	Genctl__Reply *r;
	int rc = sample_for(w, BASELINE_MS), stopped;

	if (rc || interrupted)
		return rc ? rc : CLI_REFUSED;
	rc = cli_ask_start(w->cli, ABANDONED_S + hold_s, 1, &r);
	if (rc)
		return rc;
	genctl__reply__free_unpacked(r, NULL);
	rc = sample_until(w, PROGRESS_START);
	if (rc == CLI_DONE)
		rc = sample_for(w, (int64_t)hold_s * 1000);
	if (rc == CLI_UNREACHABLE)
		return rc;
	stopped = stop(w);
	return rc ? rc : stopped;
}

static void print_seen(uint16_t seen)
{
	char list[48] = "";
	size_t n = 0;

	for (int i = 0; i < 16; i++) {
		if (seen >> i & 1)
			n += (size_t)snprintf(
			    list + n, sizeof(list) - n, "%s%d", n ? " " : "", i);
	}
	printf("%-14s", list);
}

static int verdicts(const struct diagnosis *d)
{
	static const char *const words[] = { "pass", "FAIL", "not seen", "not needed" };
	bool passed = diag_passed(d);

	printf("\n%-16s %-10s %-14s %s\n", "phase", "expected", "seen", "verdict");
	for (enum diag_step i = 0; i < DIAG_N; i++) {
		printf("%-16s %-10s ", diag_info[i].name, diag_info[i].expected);
		print_seen(d->seen[i]);
		printf(" %s\n", words[diag_verdict(d, i)]);
	}
	puts(passed ? "Every phase read as it must."
		    : "Not every phase read as it must: check the wiring of the inputs named.");
	return passed ? CLI_DONE : CLI_REFUSED;
}

static int at_rest(struct cli *c)
{
	Genctl__Status *s;
	int rc = cli_status(c, &s);

	if (rc)
		return rc;
	if (s->phase != GENCTL__PHASE__OFF) {
		fprintf(stderr,
		    "REFUSED: the self test begins at rest, and the engine is in %s\n",
		    render_phase(s->phase));
		rc = CLI_REFUSED;
	}
	genctl__status__free_unpacked(s, NULL);
	return rc;
}

int cmd_diagnose(struct cli *c)
{
	struct watcher w = { .cli = c, .began_ms = clock_ms(), .shown = -1 };
	Genctl__Reply *r;
	int rc, end;

	c->on_event = on_event;
	rc = cli_ask_empty(c, GENCTL__REQUEST__BODY_SUBSCRIBE, &r);
	if (rc)
		return rc;
	genctl__reply__free_unpacked(r, NULL);
	if (!c->no_start)
		rc = at_rest(c);
	if (rc)
		return rc;
	interrupted = 0;
	signal(SIGINT, interrupt);
	rc = c->no_start ? sample_for(&w, (int64_t)(c->for_s ? c->for_s : WATCH_S) * 1000)
			 : run(&w);
	signal(SIGINT, SIG_DFL);
	if (c->no_start || rc == CLI_UNREACHABLE)
		return rc;
	end = verdicts(&w.diagnosis);
	return rc ? rc : end;
}

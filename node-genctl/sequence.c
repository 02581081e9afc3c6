#include "node-genctl/sequence.h"

#include <stddef.h>

/* clang-format off */
static const struct {
	const char *name;
	uint8_t relays;
	enum phase next; /* when its time has run out */
} plan[PHASE_N] = {
	[PHASE_OFF]       = { "off",        0,                                PHASE_OFF },
	[PHASE_WAIT]      = { "wait",       0,                                PHASE_RESET },
	[PHASE_RESET]     = { "reset",      0,                                PHASE_IGNITION },
	[PHASE_IGNITION]  = { "ignition",   RELAY_IGNITION,                   PHASE_CRANK },
	[PHASE_CRANK]     = { "crank",      RELAY_IGNITION | RELAY_STARTER,   PHASE_ASSIST },
	[PHASE_ASSIST]    = { "crank with glow", RELAY_IGNITION | RELAY_STARTER | RELAY_GLOW,
			      PHASE_COAST },
	[PHASE_COAST]     = { "coast",      RELAY_IGNITION,                   PHASE_WARMUP },
	[PHASE_WARMUP]    = { "warm-up",    RELAY_IGNITION,                   PHASE_STABILISE },
	[PHASE_STABILISE] = { "stabilise",  RELAY_IGNITION,                   PHASE_LOADED },
	[PHASE_LOADED]    = { "on load",    RELAY_IGNITION | RELAY_CHARGER,   PHASE_LOADED },
	[PHASE_COOLDOWN]  = { "cool-down",  RELAY_IGNITION,                   PHASE_STOPPING },
	[PHASE_REST]      = { "crank rest", 0,                                PHASE_WAIT },
	[PHASE_STOPPING]  = { "stopping",   0,                                PHASE_OFF },
	[PHASE_LOCKOUT]     = { "locked out",       0, PHASE_OFF },
	[PHASE_EXTERNAL]    = { "runs by itself",   0, PHASE_OFF },
	[PHASE_MAINTENANCE] = { "maintenance",      0, PHASE_OFF },
	[PHASE_FAULT]       = { "board fault",      0, PHASE_OFF },
};
/* clang-format on */

const char *phase_name(enum phase phase)
{
	return (unsigned)phase < PHASE_N ? plan[phase].name : "unknown";
}

static bool is_cranking(enum phase p)
{
	return p == PHASE_CRANK || p == PHASE_ASSIST;
}

static bool is_started(enum phase p)
{
	return p >= PHASE_WARMUP && p <= PHASE_COOLDOWN;
}

static uint8_t wanted(const struct sequence *s)
{
	bool preheat = s->phase == PHASE_IGNITION && s->config->glow_mode == GLOW_PREHEAT;

	return plan[s->phase].relays | (preheat ? RELAY_GLOW : 0);
}

static int32_t lasts_ms(const struct sequence *s)
{
	const struct engine_config *c = s->config;

	switch (s->phase) {
	case PHASE_WAIT:
		return s->attempt == 1 ? c->start_delay_ms : 0;
	case PHASE_RESET:
		return c->reset_ms;
	case PHASE_IGNITION:
		return c->ignition_ms + (c->glow_mode == GLOW_PREHEAT ? c->preheat_ms : 0);
	case PHASE_CRANK:
		return c->crank_ms;
	case PHASE_ASSIST:
		return c->glow_assist_ms;
	case PHASE_COAST:
		return c->coast_ms;
	case PHASE_WARMUP:
		return c->warmup_ms;
	case PHASE_STABILISE:
		return c->stabilise_ms;
	case PHASE_COOLDOWN:
		return c->cooldown_ms;
	case PHASE_REST:
		return c->crank_rest_ms;
	default: /* STOPPING: the other phases end by no time */
		return RUN_DEBOUNCE_MS;
	}
}

static void go(struct sequence *s, enum phase phase, const struct seq_in *in, int64_t now_ms)
{
	s->phase = phase;
	s->acks = in->acks;
	s->since_ms = now_ms;
	/* The 0x00 of RESET is written though it stands already: it is t = 0 of the table. */
	s->entered = in->acked == wanted(s) && phase != PHASE_RESET;
}

static bool wait_is_over(const struct sequence *s, const struct inputs_view *v, int64_t now_ms)
{
	bool rested = now_ms - s->starter_off_ms >= s->config->crank_rest_ms;

	return now_ms - s->since_ms >= lasts_ms(s) && rested && v->bad_ms == 0 && v->x == 0 &&
	       v->still_ms >= s->config->at_rest_ms;
}

static bool load_is_allowed(
    const struct sequence *s, const struct inputs_view *v, int64_t now_ms)
{
	const struct engine_config *c = s->config;
	bool held = s->sagged && now_ms - s->charger_off_ms < RECLOSE_MS;

	return v->run && v->run_ms >= c->warmup_ms + c->stabilise_ms && !held;
}

/* An attempt is over without a running engine. */
static enum seq_event fail(struct sequence *s, const struct seq_in *in, int64_t now_ms)
{
	bool again = in->wish == SEQ_RUN && s->attempt < s->attempts;

	go(s, again ? PHASE_REST : PHASE_STOPPING, in, now_ms);
	return again ? SEQ_TRY_FAILED : SEQ_GAVE_UP;
}

/* The relays are not as this phase wants them: the guard's doing, or an order of an earlier
 * phase that was under way when this one began. Follow what is, or write this phase's byte
 * over it. */
static enum seq_event follow(struct sequence *s, const struct seq_in *in, int64_t now_ms)
{
	if (s->phase >= PHASE_RESET && s->phase <= PHASE_COAST) {
		if (is_cranking(s->phase) && in->in->run && in->acked == RELAY_IGNITION) {
			go(s, PHASE_COAST, in, now_ms);
			return SEQ_NOTHING;
		}
		return fail(s, in, now_ms);
	}
	if (!is_started(s->phase)) {
		s->entered = s->phase != PHASE_STOPPING && s->phase != PHASE_REST;
		return SEQ_NOTHING;
	}
	if (!(in->acked & RELAY_IGNITION)) {
		go(s, PHASE_STOPPING, in, now_ms);
		return SEQ_LOST;
	}
	if (s->phase == PHASE_LOADED)
		go(s, s->entered ? PHASE_WARMUP : PHASE_STABILISE, in, now_ms);
	else
		s->entered = false;
	return SEQ_NOTHING;
}

static enum seq_event stop(struct sequence *s, const struct seq_in *in, int64_t now_ms)
{
	if (s->phase == PHASE_OFF || s->phase == PHASE_STOPPING || s->phase == PHASE_COOLDOWN)
		return SEQ_NOTHING;
	if (is_started(s->phase) || (s->phase == PHASE_COAST && in->in->run))
		go(s, PHASE_COOLDOWN, in, now_ms);
	else
		go(s, PHASE_STOPPING, in, now_ms);
	return SEQ_NOTHING;
}

static enum seq_event run(struct sequence *s, const struct seq_in *in, int64_t now_ms)
{
	if (s->phase == PHASE_OFF) {
		s->attempt = 1;
		s->attempts = in->attempts;
		go(s, PHASE_WAIT, in, now_ms);
	} else if (s->phase == PHASE_COOLDOWN) {
		bool warm = in->in->run_ms >= s->config->warmup_ms;

		s->sagged = false;
		go(s, warm ? PHASE_STABILISE : PHASE_WARMUP, in, now_ms);
	}
	return SEQ_NOTHING;
}

/* An engine that never comes to rest, or an input that never falls, ends the request. */
static bool wait_is_hopeless(const struct sequence *s, int64_t now_ms)
{
	const struct engine_config *c = s->config;

	return now_ms - s->since_ms >=
	       (int64_t)lasts_ms(s) + c->crank_rest_ms + c->at_rest_ms + WAIT_MAX_MS;
}

static enum seq_event wait_for_permit(
    struct sequence *s, const struct seq_in *in, int64_t now_ms)
{
	if (in->permit == PERMIT_REFUSED || wait_is_hopeless(s, now_ms)) {
		go(s, PHASE_STOPPING, in, now_ms);
		return SEQ_GAVE_UP;
	}
	if (in->permit == PERMIT_GRANTED && wait_is_over(s, in->in, now_ms))
		go(s, PHASE_RESET, in, now_ms);
	return SEQ_NOTHING;
}

static enum seq_event ignition(struct sequence *s, const struct seq_in *in, int64_t now_ms)
{
	int64_t age_ms = now_ms - s->since_ms;

	if (age_ms < lasts_ms(s))
		return SEQ_NOTHING;
	if (in->in->alone_samples >= ALONE_SAMPLES && in->in->bad_ms == 0)
		go(s, PHASE_CRANK, in, now_ms);
	else if (age_ms >= lasts_ms(s) + FEEDBACK_MS + SAMPLE_ACTIVE_MS)
		return fail(s, in, now_ms);
	return SEQ_NOTHING;
}

static enum seq_event timed_out(struct sequence *s, const struct seq_in *in, int64_t now_ms)
{
	const struct inputs_view *v = in->in;

	switch (s->phase) {
	case PHASE_RESET: /* a bad sample energises nothing */
		if (v->bad_ms >= BAD_MS)
			return fail(s, in, now_ms);
		if (v->bad_ms == 0)
			go(s, PHASE_IGNITION, in, now_ms);
		return SEQ_NOTHING;
	case PHASE_CRANK:
		go(s, s->config->glow_mode == GLOW_ASSIST ? PHASE_ASSIST : PHASE_COAST, in,
		    now_ms);
		return SEQ_NOTHING;
	case PHASE_COAST:
		if (!v->running)
			return fail(s, in, now_ms);
		go(s, PHASE_WARMUP, in, now_ms);
		return SEQ_CAUGHT;
	case PHASE_STABILISE:
		if (in->no_load || !load_is_allowed(s, v, now_ms))
			return SEQ_NOTHING;
		go(s, PHASE_LOADED, in, now_ms);
		return SEQ_NOTHING;
	case PHASE_REST:
		s->attempt++;
		go(s, PHASE_WAIT, in, now_ms);
		return SEQ_NOTHING;
	case PHASE_STOPPING:
		if (v->bad_ms || v->x || v->still_ms < RUN_DEBOUNCE_MS)
			return SEQ_NOTHING;
		go(s, PHASE_OFF, in, now_ms);
		return SEQ_STOPPED;
	default:
		go(s, plan[s->phase].next, in, now_ms);
		return SEQ_NOTHING;
	}
}

static enum seq_event watch_engine(struct sequence *s, const struct seq_in *in, int64_t now_ms)
{
	const struct inputs_view *v = in->in;
	bool sag = v->low_samples >= SAG_SAMPLES || v->bad_ms >= BAD_MS;

	if (v->lost) {
		go(s, PHASE_STOPPING, in, now_ms);
		return SEQ_LOST;
	}
	if (s->phase == PHASE_LOADED && sag)
		go(s, PHASE_WARMUP, in, now_ms);
	return SEQ_NOTHING;
}

/* These phases begin with ignition closed and never close it: who opened it meant it. */
static bool fuel_is_cut(const struct sequence *s, const struct seq_in *in)
{
	return s->phase >= PHASE_CRANK && s->phase <= PHASE_COOLDOWN &&
	       !(in->acked & RELAY_IGNITION);
}

static enum seq_event advance(struct sequence *s, const struct seq_in *in, int64_t now_ms)
{
	enum phase was = s->phase;
	enum seq_event event = SEQ_NOTHING;

	if (fuel_is_cut(s, in) || (s->entered ? in->acked != wanted(s) : in->refused))
		return follow(s, in, now_ms);
	if (in->wish == SEQ_REST)
		event = stop(s, in, now_ms);
	else
		event = run(s, in, now_ms);
	if (s->phase != was || !s->entered)
		return event;
	if (is_cranking(s->phase) && in->in->run) {
		go(s, PHASE_COAST, in, now_ms);
		return SEQ_NOTHING;
	}
	if (is_cranking(s->phase) && in->in->bad_ms >= BAD_MS)
		return fail(s, in, now_ms);
	if (is_started(s->phase))
		event = watch_engine(s, in, now_ms);
	if (s->phase != was)
		return event;
	if (s->phase == PHASE_WAIT)
		return wait_for_permit(s, in, now_ms);
	if (s->phase == PHASE_IGNITION)
		return ignition(s, in, now_ms);
	if (s->phase == PHASE_OFF || s->phase == PHASE_LOADED)
		return SEQ_NOTHING;
	return now_ms - s->since_ms >= lasts_ms(s) ? timed_out(s, in, now_ms) : SEQ_NOTHING;
}

/* What the board acknowledged since the last step, whoever asked for it. */
static enum seq_event note_acked(struct sequence *s, const struct seq_in *in, int64_t now_ms)
{
	uint8_t fell = s->acked & ~in->acked;

	if (fell & RELAY_STARTER)
		s->starter_off_ms = now_ms;
	if (fell & RELAY_CHARGER) {
		s->charger_off_ms = now_ms;
		s->sagged = in->wish == SEQ_RUN;
	}
	s->acked = in->acked;
	if (s->entered || in->acked != wanted(s) ||
	    (s->phase == PHASE_RESET && in->acks == s->acks))
		return SEQ_NOTHING;
	s->entered = true;
	s->since_ms = now_ms;
	return s->phase == PHASE_LOADED ? SEQ_ON_LOAD : SEQ_NOTHING;
}

void seq_init(struct sequence *s, const struct engine_config *config, int64_t now_ms)
{
	*s = (struct sequence){
		.config = config,
		.phase = PHASE_OFF,
		.since_ms = now_ms,
		.starter_off_ms = now_ms, /* it may have turned until a moment ago */
		.charger_off_ms = now_ms,
		.entered = true,
	};
}

void seq_adopt(struct sequence *s, enum phase phase, int64_t since_ms, uint8_t acked)
{
	if (acked == (RELAY_IGNITION | RELAY_CHARGER))
		s->phase = PHASE_LOADED;
	else if (acked != RELAY_IGNITION)
		s->phase = PHASE_STOPPING;
	else if (phase == PHASE_LOADED)
		s->phase = PHASE_STABILISE;
	else
		s->phase = is_started(phase) ? phase : PHASE_COAST; /* the check will tell */
	s->since_ms = since_ms;
	s->acked = acked;
	s->entered = acked == wanted(s);
}

struct seq_out seq_step(struct sequence *s, const struct seq_in *in, int64_t now_ms)
{
	enum seq_event entered = note_acked(s, in, now_ms);
	enum seq_event event = advance(s, in, now_ms);
	int64_t ends_ms = seq_ends_ms(s);

	return (struct seq_out){
		.relays = wanted(s),
		.write = !s->entered,
		.begin = s->phase == PHASE_WAIT && in->permit == PERMIT_NONE &&
			 wait_is_over(s, in->in, now_ms),
		.wake_ms = ends_ms > now_ms ? ends_ms : INT64_MAX,
		.event = event != SEQ_NOTHING ? event : entered,
	};
}

int64_t seq_ends_ms(const struct sequence *s)
{
	bool timed = s->entered && s->phase != PHASE_OFF && s->phase != PHASE_LOADED;

	return timed ? s->since_ms + lasts_ms(s) : INT64_MAX;
}

enum phase seq_next(const struct sequence *s)
{
	return plan[s->phase].next;
}

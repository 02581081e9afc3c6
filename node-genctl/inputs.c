#include "node-genctl/inputs.h"

#define NOT_SO INT64_MIN

enum { AGE_MAX_MS = INT32_MAX - 1 }; /* 1 is added to some */

static int32_t age_ms(int64_t since_ms, int64_t now_ms)
{
	int64_t age = since_ms == NOT_SO ? 0 : now_ms - since_ms;

	return age < AGE_MAX_MS ? (int32_t)age : AGE_MAX_MS;
}

static int32_t count(int32_t n, bool more)
{
	if (!more)
		return 0;
	return n < SAMPLES_MAX ? n + 1 : n;
}

static void hold(int64_t *since_ms, bool so, int64_t now_ms)
{
	if (!so)
		*since_ms = NOT_SO;
	else if (*since_ms == NOT_SO)
		*since_ms = now_ms;
}

static enum sample_fault judge(
    const struct inputs *in, uint8_t raw, enum sample_fault fault, int64_t now_ms)
{
	uint8_t seen = raw & (INPUT_ENGINE | INPUT_IGNITION | INPUT_STARTER);
	bool due = (in->relays & RELAY_IGNITION) && now_ms - in->ignition_ms >= FEEDBACK_MS &&
		   in->config->ign_feedback == FEEDBACK_PRESENT;

	if (fault != SAMPLE_OK)
		return fault;
	if (raw & 0xf0)
		return SAMPLE_NOISE;
	return !seen && due ? SAMPLE_ZERO : SAMPLE_OK;
}

/* With no ignition wire its bit cannot be asked for, only the others. */
static bool is_alone(const struct inputs *in, uint8_t x)
{
	if (in->config->ign_feedback == FEEDBACK_ABSENT)
		return !(x & (INPUT_ENGINE | INPUT_STARTER));
	return x == INPUT_IGNITION;
}

static bool is_turning_by_itself(const struct inputs *in, uint8_t x)
{
	uint8_t ignition = in->config->ign_feedback == FEEDBACK_PRESENT ? INPUT_IGNITION : 0;

	return (x & INPUT_ENGINE) && !(x & INPUT_STARTER) && (x & ignition) == ignition;
}

static void see_valid(struct inputs *in, uint8_t raw, int64_t now_ms)
{
	struct inputs_view *v = &in->view;

	v->x = raw & (INPUT_ENGINE | INPUT_IGNITION | INPUT_STARTER);
	v->run = v->x & INPUT_ENGINE;
	if (v->run && in->valid_ms != NOT_SO && now_ms - in->valid_ms > RUN_GAP_MS)
		in->high_ms = NOT_SO;
	hold(&in->high_ms, v->run, now_ms);
	hold(&in->low_ms, !v->run, now_ms);
	hold(&in->still_ms, !v->run, now_ms);
	hold(&in->proved_ms, is_turning_by_itself(in, v->x), now_ms);
	v->low_samples = count(v->low_samples, !v->run);
	v->alone_samples =
	    count(v->alone_samples, (in->relays & RELAY_IGNITION) && is_alone(in, v->x));
	in->in3_low = count(in->in3_low, !(raw & INPUT_IN3));
	in->valid_ms = now_ms;
}

static void see_bad(struct inputs *in, int64_t now_ms)
{
	struct inputs_view *v = &in->view;

	v->run = false;
	v->alone_samples = 0;
	in->still_ms = NOT_SO;
	if (in->valid_ms == NOT_SO)
		in->valid_ms = now_ms;
}

void inputs_init(struct inputs *in, const struct engine_config *config, int64_t now_ms)
{
	*in = (struct inputs){
		.config = config,
		.view = { .at_ms = now_ms },
		.valid_ms = NOT_SO,
		.high_ms = NOT_SO,
		.low_ms = NOT_SO,
		.still_ms = NOT_SO,
		.proved_ms = NOT_SO,
	};
}

struct inputs_view inputs_step(
    struct inputs *in, uint8_t raw, enum sample_fault fault, uint8_t relays, int64_t now_ms)
{
	struct inputs_view *v = &in->view;

	/* Feedback of a contact that was open until now proves nothing about it. */
	if ((relays ^ in->relays) & RELAY_IGNITION) {
		v->alone_samples = 0;
		in->ignition_ms = now_ms;
	}
	in->relays = relays;
	v->at_ms = now_ms;
	v->raw = raw;
	v->fault = judge(in, raw, fault, now_ms);
	if (v->fault == SAMPLE_OK)
		see_valid(in, raw, now_ms);
	else
		see_bad(in, now_ms);
	v->bad_ms = v->fault == SAMPLE_OK ? 0 : age_ms(in->valid_ms, now_ms) + 1;
	v->run_ms = v->bad_ms > RUN_GAP_MS ? 0 : age_ms(in->high_ms, now_ms);
	v->still_ms = age_ms(in->still_ms, now_ms);
	v->running = in->proved_ms != NOT_SO && in->valid_ms - in->proved_ms >= RUN_DEBOUNCE_MS;
	v->lost =
	    in->low_ms != NOT_SO && !v->bad_ms && now_ms - in->low_ms >= in->config->lost_ms;
	v->estop = in->config->in3 == IN3_ESTOP_NC && in->in3_low >= ESTOP_SAMPLES;
	return *v;
}

void inputs_credit(struct inputs *in, int32_t run_ms, int64_t now_ms)
{
	in->high_ms = now_ms - run_ms;
	in->valid_ms = now_ms;
	in->low_ms = NOT_SO;
}

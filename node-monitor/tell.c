#include "node-monitor/tell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"

void tell_thresholds(const struct autostart_config *c)
{
	log_info("", "SOC thresholds: start < %d%%, stop >= %d%%", (int)c->soc_start_pct,
	    (int)c->soc_stop_pct);
}

/* What to do about an inverter that is not there or does not answer. */
static const char *advice(const struct poll_result *r)
{
	switch (-r->rc) {
	case EBUSY:
		return "another program has the port: stop it; only one monitord may run";
	case EACCES:
		return "add monitord's user to the group of the port (dialout)";
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return "check the adapter, its overlay and inverter.device";
	case EINVAL:
		return "correct the inverter's settings in the configuration";
	default:
		return "check cable, A and B, baud rate, unit id and the inverter's power";
	}
}

static void tell_failure(struct tell *t, const struct site *s, const struct poll_result *r)
{
	if (r->rc == t->poll_rc)
		log_debug("inverter", "%s: %s again", s->device, strerror(-r->rc));
	else
		log_warn("inverter", "%s %s: %s; %s. Trying again", s->device,
		    r->opened ? "does not answer well" : "cannot be opened", strerror(-r->rc),
		    advice(r));
	t->connected = false;
}

void tell_poll(
    struct tell *t, const struct site *s, const struct poll_result *r, int64_t now_ms)
{
	int32_t soc_pct = s->sample.v[INV_SOC];
	char line[SITE_LINE];

	if (r->rc < 0) {
		tell_failure(t, s, r);
		t->poll_rc = r->rc;
		return;
	}
	if (!t->connected)
		log_info("", "Connected to inverter on %s", s->device);
	site_readings(s, line);
	if (soc_pct != t->soc_pct || !t->connected)
		log_info("", "%s", line);
	else
		log_debug("", "%s", line);
	t->connected = true;
	t->poll_rc = 0;
	t->soc_pct = soc_pct;
}

static void tell_alarms(struct tell *t, uint32_t now)
{
	for (int i = 0; i < REASON_NALARMS; i++) {
		const struct reason_alarm *a = &reason_alarms[i];

		if (now & ~t->alarms & a->bit)
			log_warn("alarm", "%s: %s", a->code, a->text);
		else if (t->alarms & ~now & a->bit)
			log_info("alarm", "%s is over", a->code);
	}
	t->alarms = now;
}

static bool among(const struct gen_alarm *list, size_t n, const struct gen_alarm *a)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].code, a->code) == 0 && list[i].latched == a->latched)
			return true;
	}
	return false;
}

/* What the engine node says of itself; while it is not heard nothing of it is over. */
static void tell_engine_alarms(struct tell *t, const struct gen_view *v)
{
	const struct gen_status *g = &v->status;

	if (!v->heard)
		return;
	for (size_t i = 0; i < g->nalarms; i++) {
		const struct gen_alarm *a = &g->alarms[i];

		if (!among(t->engine, t->nengine, a))
			log_warn("alarm", "engine node: %s (%s%s%s): %s", a->code,
			    genview_class_name(a->class), a->latched ? ", latched" : "",
			    a->first ? ", first" : "", a->text);
	}
	for (size_t i = 0; i < t->nengine; i++) {
		if (!among(g->alarms, g->nalarms, &t->engine[i]))
			log_info("alarm", "engine node: %s is over", t->engine[i].code);
	}
	memcpy(t->engine, g->alarms, sizeof(t->engine));
	t->nengine = g->nalarms;
}

void tell_decision(struct tell *t, const struct site *s, int64_t now_ms)
{
	const struct autostart_out *o = &s->decision;
	char line[SITE_LINE];

	site_state(s, now_ms, line);
	if (strcmp(line, t->state) != 0)
		log_info("", "%s", line);
	if (!t->decided || o->wish != t->wish || o->reason != t->reason)
		log_info("autostart", "%s; next: %s", s->reason, s->next);
	tell_alarms(t, o->alarms);
	tell_engine_alarms(t, s->generator);
	snprintf(t->state, sizeof(t->state), "%s", line);
	t->wish = o->wish;
	t->reason = o->reason;
	t->decided = true;
}

void tell_health(struct health *h, const struct gen_health *now)
{
	uint32_t news = health_note(h, now);
	char line[SITE_LINE];

	health_line(now, line, sizeof(line));
	log_info("", "%s", line);
	for (uint32_t bit = 1; bit < 1u << HEALTH_NBITS; bit <<= 1) {
		if (news & bit)
			log_warn("health", "%s", health_text(bit));
	}
}

#include "node-genctl/tracetext.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node-genctl/inputs.h"
#include "node-genctl/interlock.h"

/* clang-format off */
static const char *const plain[RECORD_EVENTS] = {
	[RECORD_NOTHING] = "",
	[RECORD_BOOT] = "boot", [RECORD_ADOPT] = "adopt", [RECORD_PERMIT] = "permit",
	[RECORD_DROP] = "drop", [RECORD_ESTOP] = "estop", [RECORD_CLEAR] = "clear",
	[RECORD_ORPHAN] = "orphan", [RECORD_BACK] = "back", [RECORD_HANDOVER] = "handover",
	[RECORD_LOST] = "lost",
};
static const char *const phases[PHASE_N] = {
	"OFF", "WAIT", "RESET", "IGNITION", "CRANK", "ASSIST", "COAST", "WARMUP", "STABILISE",
	"LOADED", "COOLDOWN", "REST", "LOCKOUT", "EXTERNAL", "STOPPING", "MAINTENANCE", "FAULT",
};
static const char *const modes[] = {
	"auto", "off", "operator_run", "operator_stop", "maintenance", "estop",
};
static const char *const starters[BY_MONITOR + 1] = { "nobody", "operator", "monitor" };
/* clang-format on */

/* The file may be of another make of this program: no number in it is trusted. */
static const char *word(const char *const *list, int n, int i)
{
	return i >= 0 && i < n ? list[i] : "?";
}

const char *tracetext_phase(uint8_t phase)
{
	return word(phases, PHASE_N, phase);
}

static const char *rule_id(int32_t rule)
{
	return rule > 0 && rule < RULE_N ? rule_info[rule].id : "?";
}

static int put_event(const struct recorder_row *r, bool first, char *out, size_t size)
{
	int who = r->detail & ~RECORD_FIRST;

	switch ((enum recorder_event)r->event) {
	case RECORD_BEGIN:
		return snprintf(out, size, "begin%s by=%s age_ms=%" PRId32,
		    r->detail & RECORD_FIRST ? " first" : "",
		    word(starters, BY_MONITOR + 1, who), r->arg);
	case RECORD_MODE:
		return snprintf(out, size, "mode=%s", word(modes, MODE_ESTOP + 1, (int)r->arg));
	case RECORD_DEADLINE:
		return snprintf(out, size, "deadline_ms=%" PRId64, r->t_ms + r->arg);
	case RECORD_ALARM:
		return snprintf(out, size, "alarm=%s",
		    r->arg >= 0 && r->arg < ALARM_N ? alarm_info[r->arg].code : "?");
	case RECORD_FORCED:
		return snprintf(out, size, "forced=%s", rule_id(r->arg));
	case RECORD_REFUSED:
		return snprintf(out, size, "refused=%s byte=%02x", rule_id(r->arg), r->detail);
	case RECORD_PHASE:
		return snprintf(out, size, "phase=%s", tracetext_phase(r->phase));
	default:
		break;
	}
	if (r->event == RECORD_NOTHING && first)
		return snprintf(out, size, "phase=%s", tracetext_phase(r->phase));
	return snprintf(
	    out, size, "%s", r->event < RECORD_EVENTS ? plain[r->event] : "unknown");
}

int tracetext_format(const struct recorder_row *r, bool first, char out[static TRACETEXT_LINE])
{
	char acked[4] = "", inputs[4] = "", event[TRACETEXT_EVENT];
	bool answered =
	    r->fault == SAMPLE_OK || r->fault == SAMPLE_ZERO || r->fault == SAMPLE_NOISE;

	if (r->relays != RECORDER_UNKNOWN)
		snprintf(acked, sizeof(acked), "%02x", r->relays);
	if (answered)
		snprintf(inputs, sizeof(inputs), "%02x", r->inputs);
	else if (r->fault != RECORDER_UNKNOWN)
		strcpy(inputs, "BAD");
	put_event(r, first, event, sizeof(event));
	return snprintf(
	    out, TRACETEXT_LINE, "%" PRId64 ",%s,,%s,%s\n", r->t_ms, acked, inputs, event);
}

/* The field up to the next comma, which *at is moved behind; NULL: there is no comma. */
static const char *field(const char **at, char out[static 24])
{
	size_t n = strcspn(*at, ",");

	if ((*at)[n] != ',' || n >= 24)
		return NULL;
	memcpy(out, *at, n);
	out[n] = 0;
	*at += n + 1;
	return out;
}

static bool parse_byte(const char *text, int *out)
{
	if (!*text) {
		*out = TRACETEXT_UNKNOWN;
		return true;
	}
	if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]) || text[2])
		return false;
	*out = (int)strtol(text, NULL, 16);
	return true;
}

static bool parse_time(const char *text, int64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	return isdigit((unsigned char)*text) && !*end && errno == 0;
}

static bool parse_relays(const char *text, int *out)
{
	return parse_byte(text, out) && *out <= RELAY_ALL;
}

static const char *parse(const char *at, struct tracetext_row *r)
{
	char text[24];

	if (!field(&at, text) || !parse_time(text, &r->t_ms))
		return "t_ms is a number of milliseconds";
	if (!field(&at, text) || !parse_relays(text, &r->acked))
		return "acked is 00 to 0f, or empty";
	if (!field(&at, text) || !parse_relays(text, &r->contacts))
		return "contacts is 00 to 0f, or empty";
	if (!field(&at, text))
		return "a row is t_ms,acked,contacts,inputs,event";
	if (strcmp(text, "BAD") == 0)
		r->inputs = TRACETEXT_BAD;
	else if (!parse_byte(text, &r->inputs))
		return "inputs is two hex digits, BAD, or empty";
	snprintf(r->event, sizeof(r->event), "%.*s", (int)strcspn(at, "\r\n"), at);
	return NULL;
}

int tracetext_parse(const char *line, struct tracetext_row *out, const char **why)
{
	static const char head[] = TRACETEXT_HEAD;

	if (line[strspn(line, " \t\r\n")] == 0 || *line == '#' ||
	    strncmp(line, head, strlen(head)) == 0)
		return 0;
	*why = parse(line, out);
	return *why ? -EINVAL : 1;
}

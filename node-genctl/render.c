#include "node-genctl/render.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "node-genctl/engine.h"
#include "node-genctl/sequence.h"

static const char *yes_no(bool yes)
{
	return yes ? "YES" : "NO";
}

const char *render_relays(uint8_t relays, char out[static RENDER_RELAYS_MAX])
{
	static const struct {
		uint8_t bit;
		const char *name;
	} names[] = { { RELAY_IGNITION, "+IGN" }, { RELAY_GLOW, "+GLOW" },
		{ RELAY_CHARGER, "+CHARGER" }, { RELAY_STARTER, "+START" } };
	char list[RENDER_RELAYS_MAX] = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (relays & names[i].bit)
			strcat(list, names[i].name);
	}
	return strcpy(out, *list ? list + 1 : "OFF");
}

const char *render_inputs(const Genctl__Inputs *in, char out[static RENDER_INPUTS_MAX])
{
	unsigned raw = in ? in->raw & 0xff : 0;

	if (!in || !in->valid)
		return strcpy(out, "ERROR");
	snprintf(out, RENDER_INPUTS_MAX, "IN1=%u IN2=%u IN3=%u IN4=%u raw=%u", raw & 1,
	    raw >> 1 & 1, raw >> 2 & 1, raw >> 3 & 1, raw);
	return out;
}

static const char *enum_name(const ProtobufCEnumDescriptor *type, int value)
{
	const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(type, value);

	return v ? v->name : "UNKNOWN";
}

const char *render_phase(Genctl__Phase phase)
{
	return phase_name((enum phase)phase);
}

const char *render_ms(uint32_t ms, char out[static RENDER_TIME_MAX])
{
	uint32_t s = ms / 1000 + (ms % 1000 >= 500);

	if (ms < 10000)
		snprintf(out, RENDER_TIME_MAX, "%" PRIu32 ".%" PRIu32 " s", ms / 1000,
		    ms % 1000 / 100);
	else if (s < 60)
		snprintf(out, RENDER_TIME_MAX, "%" PRIu32 " s", s);
	else if (s < 3600)
		snprintf(out, RENDER_TIME_MAX, "%" PRIu32 " min %" PRIu32 " s", s / 60, s % 60);
	else
		snprintf(out, RENDER_TIME_MAX, "%" PRIu32 " h %" PRIu32 " min", s / 3600,
		    s / 60 % 60);
	return out;
}

void render_text(FILE *to, const char *text)
{
	for (; text && *text; text++)
		putc(iscntrl((unsigned char)*text) ? '?' : *text, to);
}

/* The five values of the original's status that need more than a word. */
struct lines {
	char relays[RENDER_RELAYS_MAX + 8], names[RENDER_RELAYS_MAX], inputs[RENDER_INPUTS_MAX];
	char uptime[24], disk[48], memory[16];
};

static void engine_lines(struct lines *l, const Genctl__Status *s)
{
	render_relays(s->relays, l->names);
	if (!s->relays_known)
		strcpy(l->names, "UNKNOWN");
	snprintf(
	    l->relays, sizeof(l->relays), "%s (0x%02" PRIX32 ")", l->names, s->relays & 0xff);
	render_inputs(s->inputs, l->inputs);
}

static void system_lines(struct lines *l, const Genctl__Health *h)
{
	snprintf(l->uptime, sizeof(l->uptime), "%" PRIu32 "h%" PRIu32 "m", h->uptime_s / 3600,
	    h->uptime_s / 60 % 60);
	snprintf(l->memory, sizeof(l->memory), "%" PRIu32 "%%", h->memory_pct);
	snprintf(l->disk, sizeof(l->disk), "%.1fG free (%" PRIu32 "%% used)",
	    (double)h->disk_free / (1 << 30), h->disk_pct);
}

static void status_human(FILE *to, const char *host, int port, const Genctl__Status *s,
    const Genctl__Health *h, const struct lines *l)
{
	static const char rule[] =
	    "============================================================";

	fprintf(to, "%s\nGenerator Server Status - %s:%d\n%s\n\n", rule, host, port, rule);
	fprintf(to, "GENERATOR:\n");
	fprintf(to, "  Running:        %s\n", yes_no(s->running));
	fprintf(to, "  Start Progress: %s\n", yes_no(s->start_in_progress));
	fprintf(to, "  Relays:         %s\n", l->relays);
	fprintf(to, "  Inputs:         %s\n\n", l->inputs);
	fprintf(to, "SYSTEM HEALTH:\n");
	fprintf(to, "  Active Threads: %" PRIu32 "\n", h->connections);
	fprintf(to, "  Uptime:         %s\n", l->uptime);
	fprintf(to, "  Memory Used:    %s\n", l->memory);
	fprintf(to, "  Disk Usage:     %s\n", l->disk);
	fprintf(to, "  I2C Status:     ");
	render_text(to, s->i2c);
	fprintf(to, "\n\n");
}

static void status_kv(FILE *to, const char *host, int port, const Genctl__Status *s,
    const Genctl__Health *h, const struct lines *l)
{
	fprintf(to, "host=%s\nport=%d\ndisk=%s\ni2c=", host, port, l->disk);
	render_text(to, s->i2c);
	fprintf(to, "\ninputs=%s\nmemory=%s\nrelays=%s\nrunning=%s\nstart_in_progress=%s\n",
	    l->inputs, l->memory, l->relays, yes_no(s->running), yes_no(s->start_in_progress));
	fprintf(to, "threads=%" PRIu32 "\nuptime=%s\n", h->connections, l->uptime);
}

void render_status(FILE *to, enum render_format format, const char *host, int port,
    const Genctl__Status *s, const Genctl__Health *h)
{
	struct lines l;

	engine_lines(&l, s);
	system_lines(&l, h);
	if (format == RENDER_COMPACT)
		fprintf(to, "[%s:%d] RUN=%s RELAY=%s THR=%" PRIu32 " UP=%s MEM=%s\n", host,
		    port, yes_no(s->running), l.names, h->connections, l.uptime, l.memory);
	else if (format == RENDER_KV)
		status_kv(to, host, port, s, h, &l);
	else
		status_human(to, host, port, s, h, &l);
}

void render_health(FILE *to, const Genctl__Health *h)
{
	struct lines l;
	char up[RENDER_TIME_MAX];

	system_lines(&l, h);
	fprintf(to, "Connections:      %" PRIu32 "\n", h->connections);
	fprintf(to, "System uptime:    %s\n", l.uptime);
	fprintf(to, "Service uptime:   %s\n", render_ms(h->service_uptime_s * 1000, up));
	fprintf(to, "Memory used:      %s\nDisk:             %s\n", l.memory, l.disk);
	fprintf(to, "I2C:              ");
	render_text(to, h->i2c);
	fprintf(to, ", %" PRIu32 " errors in %" PRIu32 " reads\n", h->i2c_errors, h->i2c_reads);
	fprintf(to,
	    "Restarts:         control %" PRIu32 ", saver %" PRIu32 ", deadman %" PRIu32 "\n",
	    h->control_restarts, h->saver_restarts, h->deadman_restarts);
	fprintf(to, "Version:          ");
	render_text(to, h->version);
	fprintf(to, " (protocol ");
	render_text(to, h->protocol);
	fprintf(to, ")\n");
}

static void line(FILE *to, const char *label, const char *text)
{
	fprintf(to, "  %-10s", label);
	render_text(to, text && *text ? text : "nothing");
	putc('\n', to);
}

/* " (shutdown, first, for 2 min 3 s)", as far as the node told it */
static void put_class(FILE *to, Genctl__AlarmClass class, bool first, uint32_t age_s)
{
	static const char *const words[] = { "", "warning", "trip", "shutdown" };
	bool known = class > 0 && class < sizeof(words) / sizeof(words[0]);
	char time[RENDER_TIME_MAX];

	if (!known)
		return;
	fprintf(to, " (%s%s", words[class], first ? ", first" : "");
	if (age_s)
		fprintf(to, ", for %s",
		    render_ms(age_s < UINT32_MAX / 1000 ? age_s * 1000 : UINT32_MAX, time));
	putc(')', to);
}

void render_alarms(FILE *to, const Genctl__Status *s)
{
	for (size_t i = 0; i < s->n_alarms; i++) {
		const Genctl__Alarm *a = s->alarms[i];

		fprintf(to, "%s ", a->latched ? "LATCHED" : "ALARM");
		render_text(to, a->code);
		put_class(to, a->alarm_class, a->first, a->age_s);
		fprintf(to, ": ");
		render_text(to, s->alarms[i]->text);
		putc('\n', to);
	}
}

static const char *mode_name(Genctl__Mode mode)
{
	static const char *const words[] = { "auto", "off", "operator run", "operator stop",
		"maintenance", "emergency stop" };

	return (unsigned)mode < sizeof(words) / sizeof(words[0]) ? words[mode] : "unknown";
}

void render_why(FILE *to, const Genctl__Status *s)
{
	char time[RENDER_TIME_MAX], relays[RENDER_RELAYS_MAX];

	fprintf(to, "Lease holder: ");
	render_text(to, *s->holder ? s->holder : "nobody");
	if (*s->holder)
		fprintf(to, ", for %s more", render_ms(s->lease_left_ms, time));
	putc('\n', to);
	if (*s->holder) {
		line(to, "wants:", s->holder_reason);
		line(to, "next:", s->holder_next);
	}
	fprintf(to, "Engine node: %s for %s, relays %s, mode %s\n", render_phase(s->phase),
	    render_ms(s->phase_age_ms, time), render_relays(s->relays, relays),
	    mode_name(s->mode));
	line(to, "does:", s->why);
	line(to, "blocked:", s->blocks);
	line(to, "next:", s->next);
	if (s->phase_left_ms)
		fprintf(to, "  %-10s%s in %s\n", "when:", render_phase(s->next_phase),
		    render_ms(s->phase_left_ms, time));
	if (s->run_s)
		fprintf(to, "  %-10s%s", "runs for:", render_ms(s->run_s * 1000, time));
	if (s->run_s)
		fprintf(to, ", at most %s more\n", render_ms(s->run_left_s * 1000, time));
	if (strcmp(s->third_crank_end, "none") == 0)
		line(to, "note:", "third end of a crank: none; a series time relay is advised");
	render_alarms(to, s);
}

void render_event(FILE *to, const Genctl__Event *e)
{
	time_t unix_s = e->unix_ms / 1000;
	struct tm tm;
	char when[RENDER_TIME_MAX], relays[RENDER_RELAYS_MAX];

	if (e->unix_ms && localtime_r(&unix_s, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	else /* the node's clock is not set: seconds since it was switched on */
		snprintf(when, sizeof(when), "up %" PRIu64 ".%03u s", e->mono_ms / 1000,
		    (unsigned)(e->mono_ms % 1000));
	fprintf(to, "%-19s  %-7s  %-12s  %-13s  ", when, e->kind, render_phase(e->phase),
	    render_relays(e->relays, relays));
	render_text(to, e->code);
	put_class(to, e->alarm_class, e->first, 0);
	if (*e->code && *e->text)
		fputs(": ", to);
	render_text(to, e->text);
	putc('\n', to);
}

static void json_string(FILE *to, const char *s)
{
	putc('"', to);
	for (; s && *s; s++) {
		unsigned char c = *s;

		if (c == '"' || c == '\\')
			fprintf(to, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(to, "\\u%04x", c);
		else
			putc(c, to);
	}
	putc('"', to);
}

static void json_value(FILE *to, const ProtobufCFieldDescriptor *f, const void *p)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_BOOL:
		fputs(*(const protobuf_c_boolean *)p ? "true" : "false", to);
		break;
	case PROTOBUF_C_TYPE_ENUM:
		json_string(to, enum_name(f->descriptor, *(const int *)p));
		break;
	case PROTOBUF_C_TYPE_STRING:
		json_string(to, *(const char *const *)p);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		render_json(to, *(const ProtobufCMessage *const *)p);
		break;
	case PROTOBUF_C_TYPE_SFIXED64:
		fprintf(to, "%" PRId64, *(const int64_t *)p);
		break;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		fprintf(to, "%" PRIu64, *(const uint64_t *)p);
		break;
	default:
		fprintf(to, "%" PRIu32, *(const uint32_t *)p);
	}
}

static bool absent(const ProtobufCFieldDescriptor *f, const char *base)
{
	if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
	    *(const uint32_t *)(const void *)(base + f->quantifier_offset) != f->id)
		return true;
	return f->type == PROTOBUF_C_TYPE_MESSAGE && f->label != PROTOBUF_C_LABEL_REPEATED &&
	       !*(const ProtobufCMessage *const *)(const void *)(base + f->offset);
}

static void json_list(FILE *to, const ProtobufCFieldDescriptor *f, const char *base)
{
	size_t n = *(const size_t *)(const void *)(base + f->quantifier_offset);
	const ProtobufCMessage *const *items =
	    *(const ProtobufCMessage *const *const *)(const void *)(base + f->offset);

	putc('[', to); /* every repeated field of the contract is a message */
	for (size_t i = 0; i < n; i++) {
		fputs(i ? ", " : "", to);
		render_json(to, items[i]);
	}
	putc(']', to);
}

void render_json(FILE *to, const ProtobufCMessage *message)
{
	const char *base = (const char *)message, *comma = "";

	putc('{', to);
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &message->descriptor->fields[i];

		if (absent(f, base))
			continue;
		fprintf(to, "%s\"%s\": ", comma, f->name);
		comma = ", ";
		if (f->label == PROTOBUF_C_LABEL_REPEATED)
			json_list(to, f, base);
		else
			json_value(to, f, base + f->offset);
	}
	putc('}', to);
}

void render_kv(FILE *to, const ProtobufCMessage *message)
{
	const char *base = (const char *)message;

	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &message->descriptor->fields[i];

		if (f->type == PROTOBUF_C_TYPE_MESSAGE)
			continue;
		fprintf(to, "%s=", f->name);
		if (f->type == PROTOBUF_C_TYPE_STRING)
			render_text(to, *(const char *const *)(const void *)(base + f->offset));
		else
			json_value(to, f, base + f->offset);
		putc('\n', to);
	}
}

static uint32_t unit_s(char unit)
{
	switch (unit) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	default:
		return 0;
	}
}

int render_duration(const char *text, uint32_t *seconds)
{
	uint64_t sum = 0;
	const char *p = text;

	while (*p) {
		char *end;
		unsigned long long n;

		if (!isdigit((unsigned char)*p))
			return -EINVAL;
		n = strtoull(p, &end, 10);
		if (!unit_s(*end) || n > 1000000)
			return -EINVAL;
		sum += n * unit_s(*end);
		p = end + 1;
	}
	if (sum == 0 || sum > UINT32_MAX)
		return -EINVAL;
	*seconds = (uint32_t)sum;
	return 0;
}

int render_hex(const char *text, uint8_t *relays)
{
	char *end;
	unsigned long v;

	if (!isxdigit((unsigned char)*text))
		return -EINVAL;
	v = strtoul(text, &end, 16);
	if (*end || v > RELAY_ALL)
		return -EINVAL;
	*relays = (uint8_t)v;
	return 0;
}

#include "test/simulate/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/simulate/sched.h"

enum { ROWS = 300, TEXT = 150 };

struct row {
	int64_t at_ms;
	int acked, contacts, inputs; /* contacts < 0: a line of text alone */
	char who[16], text[TEXT];
};

struct report report;
bool report_verbose;
static struct row rows[ROWS];
static uint64_t count;

void report_reset(void)
{
	report = (struct report){ .hash = UINT64_C(0xcbf29ce484222325) };
	count = 0;
}

static void mix(uint64_t value)
{
	report.hash = (report.hash ^ value) * UINT64_C(0x100000001b3);
	report.hash ^= report.hash >> 29;
}

static void mix_text(const char *text)
{
	for (; *text; text++)
		mix((unsigned char)*text);
}

static void byte_text(char out[static 5], int byte)
{
	if (byte == -2)
		snprintf(out, 5, "BAD");
	else if (byte < 0)
		snprintf(out, 5, "-");
	else
		snprintf(out, 5, "%02X", byte & 0xff);
}

static void print(const struct row *r)
{
	char acked[5], contacts[5], inputs[5];

	byte_text(acked, r->acked);
	byte_text(contacts, r->contacts);
	byte_text(inputs, r->inputs);
	printf("%4" PRId64 ".%02" PRId64 ":%02" PRId64 ":%02" PRId64 ".%03" PRId64
	       "  %-5s %-8s %-6s %-10s %s\n",
	    r->at_ms / 86400000, r->at_ms / 3600000 % 24, r->at_ms / 60000 % 60,
	    r->at_ms / 1000 % 60, r->at_ms % 1000, acked, contacts, inputs, r->who, r->text);
}

static struct row *add(void)
{
	struct row *r = &rows[count++ % ROWS];

	*r = (struct row){ .at_ms = sim_ms, .acked = -1, .contacts = -1, .inputs = -1 };
	mix((uint64_t)sim_ms);
	return r;
}

static void added(const struct row *r)
{
	mix_text(r->text);
	if (report_verbose)
		print(r);
}

void report_row(int acked, int contacts, int inputs, const char *event)
{
	struct row *r = add();

	r->acked = acked;
	r->contacts = contacts;
	r->inputs = inputs;
	snprintf(r->text, sizeof(r->text), "%s", event);
	mix((uint64_t)(uint32_t)acked << 32 ^ (uint64_t)(uint32_t)contacts << 16 ^
	    (uint64_t)(uint32_t)inputs);
	added(r);
}

void report_note(const char *who, const char *fmt, ...)
{
	struct row *r = add();
	va_list ap;

	snprintf(r->who, sizeof(r->who), "%s", who);
	va_start(ap, fmt);
	vsnprintf(r->text, sizeof(r->text), fmt, ap);
	va_end(ap);
	added(r);
}

void report_violation(const char *rule, const char *text)
{
	if (report.violated)
		return;
	report_note("JUDGE", "%s: %s", rule, text);
	report.violated = true;
	report.at_ms = sim_ms;
	snprintf(report.rule, sizeof(report.rule), "%s", rule);
	snprintf(report.text, sizeof(report.text), "%s", text);
}

void report_print_tail(void)
{
	uint64_t first = count > ROWS ? count - ROWS : 0;

	printf("day.hh:mm:ss.ms   acked contacts inputs who        what\n");
	for (uint64_t i = first; i < count; i++)
		print(&rows[i % ROWS]);
}

_Noreturn void report_broken(const char *why)
{
	report_print_tail();
	fprintf(stderr, "simulate: %s\n", why);
	_Exit(2);
}

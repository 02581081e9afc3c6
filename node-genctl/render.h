/*
 * render - what the engine node said, as text for people, for scripts and as JSON.
 *
 * Pure renderers from reply to stream, used by gencli. The status formats are, byte for byte,
 * those of the original's status tool; JSON is made from the wire contract itself and so
 * holds every field of the reply. Text that came over the wire is shown with its control
 * characters as '?': no peer writes escape codes to the operator's terminal.
 *
 * Errors: render_duration and render_hex: -EINVAL, output untouched.
 * Source: the seed document, "genserverstatus.py"; the original tool's printed keys.
 */
#ifndef GENCTL_RENDER_H
#define GENCTL_RENDER_H

#include <stdint.h>
#include <stdio.h>

#include "proto/genctl.pb-c.h"

enum render_format { RENDER_HUMAN, RENDER_COMPACT, RENDER_KV, RENDER_JSON };
enum { RENDER_RELAYS_MAX = 32, RENDER_INPUTS_MAX = 40, RENDER_TIME_MAX = 32 };

const char *render_relays(uint8_t relays, char out[static RENDER_RELAYS_MAX]); /* IGN+GLOW */
const char *render_inputs(const Genctl__Inputs *in, char out[static RENDER_INPUTS_MAX]);
const char *render_phase(Genctl__Phase phase);			      /* "warm-up" */
const char *render_ms(uint32_t ms, char out[static RENDER_TIME_MAX]); /* "1 min 20 s" */

void render_text(FILE *to, const char *text); /* control characters as '?'; NULL is empty */
void render_status(FILE *to, enum render_format format, const char *host, int port,
    const Genctl__Status *status, const Genctl__Health *health);
void render_health(FILE *to, const Genctl__Health *health);
/* Both sides: what the holder wants and why; what the node does, what blocks it, what next. */
void render_why(FILE *to, const Genctl__Status *status);
void render_event(FILE *to, const Genctl__Event *event); /* one line */
void render_alarms(FILE *to, const Genctl__Status *status);
void render_kv(FILE *to, const ProtobufCMessage *message);   /* its own scalar fields */
void render_json(FILE *to, const ProtobufCMessage *message); /* without a line end */

int render_duration(const char *text, uint32_t *seconds); /* "90s", "20m", "1h30m" */
int render_hex(const char *text, uint8_t *relays);	  /* "0A": 00..0F */

#endif

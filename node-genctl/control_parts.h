/*
 * control_parts - what control.c, its two servers and the status text share.
 *
 * Units: *_ms monotonic. Errors: the Genctl__Code of the wire, 0 for done.
 */
#ifndef GENCTL_CONTROL_PARTS_H
#define GENCTL_CONTROL_PARTS_H

#include <event2/event.h>

#include "node-genctl/config.h"
#include "node-genctl/events.h"
#include "node-genctl/ipc.h"
#include "node-genctl/lease.h"
#include "node-genctl/sequence.h"
#include "proto/genctl.pb-c.h"

enum { ORDERS_MAX = 16, ORDERS_OWN = 4, REASON_MAX = 120, NAME_MAX_LEN = 32 };

struct control;
/* The guard's answer to an order: as guard_state.answer, or -ETIMEDOUT. */
typedef void control_done(struct control *c, int32_t answer, uint64_t who, uint32_t id);

struct pending { /* an order the guard has not answered yet */
	uint32_t serial;
	enum order_kind kind;
	int64_t sent_ms;
	control_done *done; /* NULL: nobody waits */
	uint64_t who;	    /* handed to done(): connection and request */
	uint32_t id;
};

struct control {
	const struct genctl_config *config;
	struct event_base *base;
	struct event *timer, *heard;
	int fd;
	bool known; /* the guard has spoken: g is true */
	struct guard_state g;
	struct sequence seq;
	struct seq_in in;
	struct lease lease;
	struct events events;
	struct pending pending[ORDERS_MAX];
	uint32_t serial;
	int64_t listen_ms; /* to try again to listen; 0: not tried yet, INT64_MAX: it works */
	int64_t beat_ms, write_ms, hold_ms; /* next beat; not to write or to start before */
	int64_t born_ms;
	uint8_t attempts;     /* of the next request */
	uint8_t last_phase;   /* told in the last phase event */
	uint32_t told;	      /* alarms told */
	int32_t told_refusal; /* the guard's answer last told; 0: none stands */
	char holder[NAME_MAX_LEN], reason[REASON_MAX],
	    next[REASON_MAX]; /* the holder's words */
	char operator_reason[REASON_MAX];
	struct server *server;
	struct textserver *text;
};

/* control.c */
int control_send(struct control *c, const struct order *order, control_done *done, uint64_t who,
    uint32_t id);
void control_wake(struct control *c); /* something changed: decide now */

/* control_events.c */
void control_event(struct control *c, const char *kind, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void control_tell_alarms(struct control *c); /* those that began or are over */

/* control_orders.c: what servers ask for. Refusals leave a sentence in `text`. */
enum { REFUSAL_MAX = 200 };
struct refusal {
	Genctl__Code code; /* 0: accepted */
	uint32_t retry_ms;
	uint32_t request; /* accepted: the start's number */
	char text[REFUSAL_MAX];
};
struct refusal control_start(
    struct control *c, uint32_t for_s, uint32_t attempts, const char *reason);
int control_stop(struct control *c); /* -errno: the guard did not take it */
int control_estop(struct control *c);
struct refusal control_desire(
    struct control *c, uint64_t who, const char *name, const Genctl__Desired *d);

/* status.c */
enum { SENTENCE_MAX = 240, ALARMS_MAX = 32 };
struct status_text { /* storage behind the pointers of a Genctl__Status */
	Genctl__Inputs inputs;
	Genctl__Alarm alarm[ALARMS_MAX], *alarms[ALARMS_MAX];
	char why[SENTENCE_MAX], blocks[SENTENCE_MAX], next[SENTENCE_MAX];
};
enum phase status_phase(const struct control *c);
Genctl__AlarmClass status_alarm_class(enum alarm alarm); /* ALARM_N: NO_CLASS */
bool status_starting(const struct control *c);
const char *status_i2c(const struct control *c);
void status_blocks(const struct control *c, int64_t now_ms, char *out, size_t size);
void status_inputs(const struct control *c, Genctl__Inputs *out, int64_t now_ms);
void status_fill(
    const struct control *c, Genctl__Status *s, struct status_text *t, int64_t now_ms);

#endif

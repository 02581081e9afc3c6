/*
 * textserver - the original's line protocol, byte for byte, on a listener of its own.
 *
 *   banner       GENNY SERVER READY
 *   words        PING STATUS INPUTS RELAY xx START STOP HELP QUIT; case and extra words do
 *                not matter, a blank line gets no answer, answers come in order
 *   START, STOP  answer when the sequence ends (text_reply_after = end) or at once; until
 *                then only that connection's later lines wait, 32 at most
 *
 * A START is one attempt, and an operator's order. RELAY needs text_allow_relay and
 * maintenance. Neither is carried out if an emergency stop came while it waited.
 * Source: the original's public code and its transcripts.
 */
#ifndef GENCTL_TEXTSERVER_H
#define GENCTL_TEXTSERVER_H

#include "node-genctl/sequence.h"

struct control;
struct textserver;

/* 0 and *out NULL when it is not configured; -errno when it cannot listen. */
int textserver_open(struct control *c, struct textserver **out);
void textserver_progress(struct textserver *s, enum seq_event event); /* NULL: nothing */
int textserver_connections(const struct textserver *s);
void textserver_free(struct textserver *s);

#endif

/*
 * live - nothing is stuck: on the graph of a search, no way goes on for ever where one must end.
 *
 * In time alone, the board answering and no new order given: with fuel on, in a start, or
 * stopping with a relay closed, every path must leave. A cycle there is printed as a fault.
 */
#ifndef PROVE_LIVE_H
#define PROVE_LIVE_H

#include "test/prove/search.h"

bool live_check(const struct search *s, bool quiet);

#endif

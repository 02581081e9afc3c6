/* The flight recorder fetched, and the rule book. */
#include <errno.h>
#include <string.h>

#include "node-genctl/gencli.h"
#include "node-genctl/interlock.h"
#include "node-genctl/tracetext.h"

/* Line ends are the format's own; every other control character came from a peer. */
static void print_rows(const char *rows)
{
	for (; *rows; rows++)
		putchar(*rows == '\n' || (unsigned char)*rows >= ' ' ? *rows : '?');
}

/* One reply's worth of rows; *query moves on behind them. */
static int chunk(struct cli *c, Genctl__TraceQuery *query, bool *more)
{
	Genctl__Request request;
	Genctl__Reply *r;
	int rc;

	genctl__request__init(&request);
	request.body_case = GENCTL__REQUEST__BODY_TRACE;
	request.trace = query;
	rc = cli_ask(c, &request, &r);
	if (rc)
		return rc;
	if (r->body_case != GENCTL__REPLY__BODY_TRACE ||
	    (r->trace->more && r->trace->last <= query->after)) {
		genctl__reply__free_unpacked(r, NULL);
		return cli_wire_failed(c, -EBADMSG);
	}
	if (query->after == 0)
		puts(TRACETEXT_HEAD);
	print_rows(r->trace->rows);
	query->after = r->trace->last;
	*more = r->trace->more;
	genctl__reply__free_unpacked(r, NULL);
	return CLI_DONE;
}

int cmd_trace(struct cli *c)
{
	Genctl__TraceQuery query;
	bool more = true;
	int rc = CLI_DONE;

	genctl__trace_query__init(&query);
	query.since_s = c->since_s;
	while (rc == CLI_DONE && more) {
		rc = chunk(c, &query, &more);
		if (fflush(stdout) != 0) /* its reader has gone */
			return CLI_DONE;
	}
	return rc;
}

int cmd_rules(struct cli *c)
{
	for (int i = RULE_NONE + 1; i < RULE_N; i++)
		printf("%-3s %s\n", rule_info[i].id, rule_info[i].text);
	return CLI_DONE;
}

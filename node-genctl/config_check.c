#include "node-genctl/config.h"

#include "common/address.h"

static int check_listen(const char *key, const char *text, bool insecure, FILE *faults)
{
	struct sockaddr_storage at;
	socklen_t len;

	if (address_parse(text, &at, &len) < 0) {
		fprintf(
		    faults, "%s: \"%s\" is not host:port, such as 127.0.0.1:9999\n", key, text);
		return 1;
	}
	if (insecure || address_is_loopback((struct sockaddr *)&at))
		return 0;
	fprintf(faults,
	    "%s: \"%s\" can be reached from other machines and peers are not authenticated; "
	    "use 127.0.0.1, or set insecure = true if the network is yours alone\n",
	    key, text);
	return 1;
}

static int check_times(const struct engine_config *e, FILE *faults)
{
	int n = 0;

	if (crank_total_ms(e) > CRANK_TOTAL_CAP_MS)
		n += fprintf(faults,
			 "sequence.crank_ms: %d and glow_assist_ms %d keep the starter closed "
			 "for "
			 "%d ms; together at most %d are allowed\n",
			 e->crank_ms, e->glow_assist_ms, crank_total_ms(e),
			 CRANK_TOTAL_CAP_MS) > 0;
	if (e->glow_mode == GLOW_PREHEAT && e->preheat_ms == 0)
		n += fprintf(faults,
			 "sequence.preheat_ms: 0 with glow = \"preheat\" never glows; "
			 "set a time up to 15000 or glow = \"off\"\n") > 0;
	if (e->max_run_ms <= e->warmup_ms + e->stabilise_ms)
		n +=
		    fprintf(faults,
			"limits.max_run_ms: %d ends the run before warm-up and stabilising (%d "
			"ms) are over; use more\n",
			e->max_run_ms, e->warmup_ms + e->stabilise_ms) > 0;
	return n;
}

int config_check(const void *config, FILE *faults)
{
	const struct genctl_config *c = config;
	int n = check_listen("listen", c->listen, c->insecure, faults);

	if (c->text_listen[0])
		n += check_listen("text_listen", c->text_listen, c->insecure, faults);
	n += check_times(&c->engine, faults);
	if (c->time_scale != 1 && board_kinds[c->board.kind] != &board_sim)
		n +=
		    fprintf(faults,
			"time_scale: %d shortens the times of a real engine; only board.kind = "
			"\"sim\" may do that\n",
			c->time_scale) > 0;
	return n;
}

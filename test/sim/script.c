#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "test/sim/command.h"
#include "test/sim/world.h"

/* 1: a line was added; 0: nothing on it; -EBADMSG. */
static int parse_line(struct script *s, const char *text)
{
	struct script_line *line = &s->lines[s->n];
	const char *words;
	char *end;
	size_t n;

	text += strspn(text, " \t\r\n");
	if (!*text || *text == '#')
		return 0;
	line->t_ms = strtoll(text, &end, 10);
	words = end + strspn(end, " \t");
	n = strcspn(words, "#\r\n");
	if (end == text || words == end || line->t_ms < 0 || n >= sizeof(line->words) ||
	    (s->n && line->t_ms < line[-1].t_ms))
		return -EBADMSG;
	memcpy(line->words, words, n);
	line->words[n] = 0;
	return 1;
}

int script_load(struct script *s, const char *path)
{
	FILE *f = fopen(path, "r");
	char text[256];
	int rc = 0, at = 0;

	s->n = s->next = 0;
	if (!f)
		return -errno;
	while (rc >= 0 && fgets(text, sizeof(text), f)) {
		at++;
		rc = s->n < SCRIPT_MAX ? parse_line(s, text) : -EBADMSG;
		s->n += rc > 0;
	}
	fclose(f);
	if (rc >= 0)
		return 0;
	fprintf(stderr,
	    "%s:%d: write each line as `t_ms WORDS`, in order of time, %d at most\n", path, at,
	    SCRIPT_MAX);
	return rc;
}

int64_t script_due_ms(const struct script *s)
{
	return s->next < s->n ? s->lines[s->next].t_ms : INT64_MAX;
}

void script_run(struct script *s, struct world *w, int64_t t_ms)
{
	char reply[EP_REPLY];

	while (script_due_ms(s) <= t_ms) {
		command_run(w, s->lines[s->next++].words, reply);
		if (!strncmp(reply, "error", 5))
			fprintf(stderr, "script, line %zu of commands: %s\n", s->next, reply);
	}
}

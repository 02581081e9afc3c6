#include "node-monitor/watch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "node-monitor/schedule.h"
#include "node-monitor/status.h"
#include "node-monitor/view.h"

enum { REFRESH_MS = 500, MISSES_MAX = 20 }; /* it may be starting, or restarting */

static int unreachable(const char *runtime_dir, int rc)
{
	fprintf(stderr, "no monitord answers at %s/monitord.sock: %s\n", runtime_dir,
	    rc == -ENOENT || rc == -ECONNREFUSED ? "it does not run" : strerror(-rc));
	return EXIT_DEVICE;
}

int watch_once(const char *runtime_dir, const char *word)
{
	char text[VIEW_SIZE];
	int rc = status_ask(runtime_dir, word, text, sizeof(text));

	if (rc == -EAGAIN)
		fprintf(stderr, "\"%s\" is not known; use screen, line or json\n", word);
	if (rc == -EAGAIN)
		return EXIT_CONFIG;
	if (rc < 0)
		return unreachable(runtime_dir, rc);
	fputs(text, stdout);
	return fflush(stdout) == 0 ? 0 : EXIT_DEVICE;
}

/* Home, each line cleared to its end, then what is left of the screen. */
static void draw(const char *text)
{
	printf("\033[H");
	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");

		printf("%.*s\033[K\n", (int)n, line);
		line += n + (line[n] == '\n');
	}
	printf("\033[J");
}

int watch(const char *runtime_dir)
{
	bool screen = isatty(STDOUT_FILENO);
	char text[VIEW_SIZE], last[VIEW_SIZE] = "";
	int rc = 0, misses = 0;

	if (screen)
		printf("\033[2J");
	while (misses < MISSES_MAX) {
		rc = status_ask(runtime_dir, screen ? "screen" : "line", text, sizeof(text));
		misses = rc < 0 ? misses + 1 : 0;
		if (rc == 0 && screen)
			draw(text);
		else if (rc == 0 && strcmp(text, last) != 0)
			fputs(text, stdout);
		if (fflush(stdout) != 0)
			return 0; /* whoever read it has gone */
		if (rc == 0)
			memcpy(last, text, sizeof(last));
		(void)poll(NULL, 0, REFRESH_MS);
	}
	return unreachable(runtime_dir, rc);
}

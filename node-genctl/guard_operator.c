/* The operator's socket: a line with a word in, a line out. Only who may open the 0600 socket
 * is an operator; the network never reaches it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/log.h"
#include "node-genctl/guard_parts.h"

enum { CLIENT_MS = 2000, LINE_BYTES = 32, ANSWER_BYTES = 256 };

int guard_operator_open(struct guard *g)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	mode_t before;
	int rc = 0;

	mkdir(g->config->runtime_dir, 0755);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/genctl.sock", g->config->runtime_dir);
	g->door = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (g->door < 0)
		return -errno;
	unlink(at.sun_path); /* of a dead guard: we hold the board's lock */
	before = umask(0177);
	if (bind(g->door, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(g->door, 4) < 0)
		rc = -errno;
	umask(before);
	if (rc < 0)
		log_error("guard", "%s: %s; make the folder writable for this user",
		    at.sun_path, strerror(-rc));
	return rc;
}

static void close_client(struct guard *g)
{
	if (g->client >= 0)
		close(g->client);
	g->client = -1;
}

static void answer(
    struct guard *g, const char *word, char line[static ANSWER_BYTES], int64_t now_ms)
{
	int alarm;

	if (strcmp(word, "clear") != 0) {
		snprintf(line, ANSWER_BYTES, "ERROR: unknown word '%s'; use clear\n", word);
		return;
	}
	alarm = interlock_clear(&g->k);
	if (alarm > 0) {
		snprintf(line, ANSWER_BYTES, "REFUSED: %s: %s\n", alarm_info[alarm].code,
		    alarm_info[alarm].text);
		return;
	}
	interlock_lower(&g->k, ALARM_RESTARTED);
	guard_note(g, RECORD_CLEAR, 0, 0, now_ms);
	log_info("guard", "cleared by the operator; mode is off");
	snprintf(line, ANSWER_BYTES, "OK: cleared; mode is off until auto or start\n");
}

static void serve(struct guard *g, int64_t now_ms)
{
	char word[LINE_BYTES], line[ANSWER_BYTES];
	ssize_t n = recv(g->client, word, sizeof(word) - 1, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		word[n] = 0;
		word[strcspn(word, "\r\n")] = 0;
		answer(g, word, line, now_ms);
		guard_note_changes(g, now_ms);
		(void)!send(g->client, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL);
		g->push = true;
	}
	close_client(g);
}

/* One at a time; the next waits in the backlog, at most CLIENT_MS. */
void guard_operator(struct guard *g, int64_t now_ms)
{
	if (g->client < 0) {
		g->client = accept4(g->door, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		g->client_ms = now_ms;
	}
	if (g->client >= 0)
		serve(g, now_ms);
	if (g->client >= 0 && now_ms - g->client_ms >= CLIENT_MS)
		close_client(g);
}

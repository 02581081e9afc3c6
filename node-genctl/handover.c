#include "node-genctl/handover.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

enum { VERSION = 1, LIMIT_MS = 5000 };
enum word { HELLO = 1, STATE, TAKE, YOURS };

struct message {
	uint32_t version, word;
	uint8_t slot[LEDGER_SLOT];
	uint8_t relays, proved, sagged, adopted, phase;
	int32_t run_ms;
	int64_t since_ms, charger_off_ms, starter_off_ms;
};

static int tell(const struct guard *g, const struct message *m, int lock)
{
	struct iovec io = { .iov_base = (void *)(uintptr_t)m, .iov_len = sizeof(*m) };
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr h = { .msg_iov = &io, .msg_iovlen = 1 };

	if (lock >= 0) {
		h.msg_control = &control;
		h.msg_controllen = sizeof(control);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.head), &lock, sizeof(int));
	}
	return sendmsg(g->handover, &h, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static int say(const struct guard *g, enum word word)
{
	struct message m = { .version = VERSION, .word = word };

	return tell(g, &m, -1);
}

/* 1: a message is there; 0: nothing yet; -errno: the other side is gone or of another kind. */
static int hear(const struct guard *g, struct message *m, int *lock)
{
	struct iovec io = { .iov_base = m, .iov_len = sizeof(*m) };
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr h = { .msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(g->handover, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0)
		return -errno;
	if (lock && h.msg_controllen && control.head.cmsg_type == SCM_RIGHTS)
		memcpy(lock, CMSG_DATA(&control.head), sizeof(int));
	if (n != (ssize_t)sizeof(*m) || m->version != VERSION)
		return n == 0 ? -EPIPE : -EPROTO;
	return 1;
}

static const char *why_not(const struct guard *g)
{
	const struct interlock *k = &g->k;

	if (g->stage != STAGE_LIVE || g->heir)
		return "another change is under way";
	if (!k->known || g->retry.left || !g->acked_ever)
		return "the board does not answer";
	if (k->descending || k->permit || g->begin_serial || (k->relays && !k->proved))
		return "a start or a stop is under way";
	return NULL;
}

static void start_heir(const char *path, char *const *argv, int socket)
{
	sigset_t none;
	char number[16];
	int own = dup(socket); /* without close-on-exec */

	snprintf(number, sizeof(number), "%d", own);
	setenv(HANDOVER_ENV, number, 1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv(path, argv);
	_exit(3);
}

/* The file that stands at our path now, which an upgrade may have replaced. */
static int own_path(char path[static PATH_MAX])
{
	static const char gone[] = " (deleted)";
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (n < 0)
		return -errno;
	path[n] = 0;
	if ((size_t)n > strlen(gone) && strcmp(path + n - strlen(gone), gone) == 0)
		path[n - strlen(gone)] = 0;
	return 0;
}

void handover_begin(struct guard *g, int64_t now_ms)
{
	const char *reason = why_not(g);
	char path[PATH_MAX];
	int pair[2];

	if (reason) {
		log_warn("handover", "not now: %s", reason);
		return;
	}
	if (own_path(path) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return;
	log_info("handover", "starting %s", path);
	interlock_lower(&g->k, ALARM_CONFIG_REJECTED);
	g->heir = fork();
	if (g->heir == 0)
		start_heir(path, g->argv, pair[1]);
	close(pair[1]);
	g->handover = pair[0];
	g->handover_ms = now_ms;
	g->offered = false;
	if (g->heir < 0)
		handover_abort(g, now_ms);
}

void handover_abort(struct guard *g, int64_t now_ms)
{
	if (g->handover < 0 || g->stage == STAGE_HEIR)
		return;
	log_error("handover", "the new program did not take over: carrying on");
	if (g->heir > 0)
		kill(g->heir, SIGKILL);
	close(g->handover);
	g->handover = -1;
	g->heir = 0;
	if (g->offered)
		guard_spawn(g, CHILD_CONTROL, now_ms);
	g->offered = false;
}

static void offer(struct guard *g, int64_t now_ms)
{
	const struct interlock *k = &g->k;
	struct message m = { .version = VERSION,
		.word = STATE,
		.relays = k->relays,
		.proved = k->proved,
		.sagged = k->sagged,
		.adopted = g->adopted,
		.phase = g->phase,
		.run_ms = k->in.run_ms,
		.since_ms = g->phase_since_ms,
		.charger_off_ms = k->charger_off_ms,
		.starter_off_ms = k->starter_off_ms };
	static const char boot_id[BOOT_ID_LEN];

	g->offered = true;
	g->handed.ledger = k->ledger;
	g->handed.relays = k->relays;
	ledger_encode(&k->ledger, 0, boot_id, m.slot);
	guard_release_control(g, now_ms);
	if (tell(g, &m, g->lock) < 0)
		handover_abort(g, now_ms);
}

/* Only what was offered may be taken. A copied struct keeps its padding; should it not, the
 * handover fails and nothing else. */
static bool unchanged(const struct guard *g)
{
	return g->stage == STAGE_LIVE && g->k.known && !g->retry.left &&
	       g->k.relays == g->handed.relays &&
	       memcmp(&g->handed.ledger, &g->k.ledger, sizeof(g->k.ledger)) == 0;
}

/* The hardware watchdog opens for one process only. */
static bool give(struct guard *g)
{
	watchdog_disarm(&g->watchdog);
	if (say(g, YOURS) == 0)
		return true;
	watchdog_open(&g->watchdog, g->config->watchdog);
	return false;
}

static void old_step(struct guard *g, int64_t now_ms)
{
	struct message m;
	int rc = hear(g, &m, NULL);

	if (rc == 1 && m.word == HELLO && !g->offered) {
		offer(g, now_ms);
	} else if (rc == 1 && m.word == TAKE && unchanged(g) && give(g)) {
		log_info("handover", "the new program has the engine");
		g->stage = STAGE_GONE;
	} else if (rc != 0 || now_ms - g->handover_ms >= LIMIT_MS) {
		handover_abort(g, now_ms);
	}
}

static bool heir_is_ready(const struct guard *g)
{
	const struct inputs_view *in = &g->k.in;
	bool proved = !g->handed.proved || (in->running && !in->bad_ms);

	return proved && g->ready_told && g->k.ready && g->reads > 0;
}

static void own(struct guard *g, int64_t now_ms)
{
	struct interlock *k = &g->k;

	g->stage = STAGE_LIVE;
	g->acked_ever = true;
	interlock_acked(k, g->handed.relays, now_ms);
	if (g->handed.proved)
		interlock_adopt(k, now_ms);
	k->charger_off_ms = g->handed.charger_off_ms;
	k->starter_off_ms = g->handed.starter_off_ms;
	k->sagged = g->handed.sagged;
	k->dirty = true;
	close(g->handover);
	g->handover = -1;
	g->push = true;
	guard_operator_open(g);
	guard_trace_open(g, RECORD_HANDOVER, now_ms);
	guard_note(g, RECORD_BACK, 0, 0, now_ms); /* the old guard let its control go */
	guard_note_changes(g, now_ms);
	watchdog_open(&g->watchdog, g->config->watchdog);
	watchdog_ready(&g->watchdog, g->pid);
	log_info("handover", "took over with relays 0x%02X", k->relays);
}

static void heir_step(struct guard *g, int64_t now_ms)
{
	struct message m;
	int rc = hear(g, &m, NULL);

	if (rc == 1 && m.word == YOURS && g->taking) {
		own(g, now_ms);
	} else if (rc != 0) {
		log_error("handover", "the old guard carries on");
		g->may_be_closed = 0;
		g->stage = STAGE_GONE;
	} else if (!g->taking && heir_is_ready(g)) {
		g->taking = say(g, TAKE) == 0;
	}
}

void handover_step(struct guard *g, int64_t now_ms)
{
	if (g->handover < 0)
		return;
	if (g->stage == STAGE_HEIR)
		heir_step(g, now_ms);
	else
		old_step(g, now_ms);
}

int handover_receive(struct guard *g, int socket)
{
	struct pollfd p = { .fd = socket, .events = POLLIN };
	char boot_id[BOOT_ID_LEN + 1];
	int64_t now_ms;
	struct message m;
	struct ledger l;
	uint32_t seq;

	g->handover = socket;
	if (say(g, HELLO) < 0 || poll(&p, 1, LIMIT_MS) <= 0 || hear(g, &m, &g->lock) != 1 ||
	    m.word != STATE || g->lock < 0 || ledger_decode(m.slot, &l, &seq, boot_id) < 0) {
		log_error("handover", "no state of this version came");
		return -EPROTO;
	}
	if (!board_is_locked_by(&g->config->board, g->lock)) {
		log_error(
		    "handover", "another board is configured: that needs a stop and a start");
		return -EINVAL;
	}
	now_ms = clock_ms();
	g->stage = STAGE_HEIR;
	interlock_init(&g->k, &g->config->engine, &l, now_ms);
	inputs_credit(&g->inputs, m.run_ms, now_ms);
	g->handed.relays = g->may_be_closed = m.relays;
	g->handed.proved = m.proved;
	g->handed.sagged = m.sagged;
	g->handed.charger_off_ms = m.charger_off_ms;
	g->handed.starter_off_ms = m.starter_off_ms;
	g->adopted = m.adopted;
	g->phase = m.phase;
	g->phase_since_ms = m.since_ms;
	return 0;
}

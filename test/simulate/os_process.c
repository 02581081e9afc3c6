/* Processes, signals, clocks and the log as the nodes meet them. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/log.h"
#include "node-genctl/child.h"
#include "node-genctl/control.h"
#include "node-genctl/deadman.h"
#include "node-genctl/harden.h"
#include "node-genctl/health.h"
#include "node-genctl/saver.h"
#include "test/simulate/judge.h"
#include "test/simulate/os.h"
#include "test/simulate/report.h"
#include "test/simulate/site.h"
#include "test/simulate/wraps.h"

enum { YEAR_2024 = 1704067200 };

struct machine machines[NODES];
int64_t os_no_fork_until_ms;

/* Processes */

struct child_args {
	const struct genctl_config *config;
	enum child_kind kind;
	pid_t guard;
	int fd;
};

static int child_body(const void *arg)
{
	const struct child_args *a = arg;

	if (a->kind == CHILD_DEADMAN)
		harden();
	else
		harden_undo();
	if (a->kind == CHILD_CONTROL)
		return control_main(a->config, a->fd);
	if (a->kind == CHILD_SAVER)
		return saver_main(a->config->state_dir, a->fd);
	return deadman_main(a->config, a->guard, a->fd);
}

const char *child_name(enum child_kind kind)
{
	static const char *const names[] = { "control", "saver", "deadman" };

	return names[kind];
}

/* In place of the shipped one, which forks. */
pid_t child_start(const struct genctl_config *config, enum child_kind kind, pid_t guard, int fd)
{
	struct child_args args = { config, kind, guard, fd };
	struct proc *p;

	proc_call();
	if (sim_ms < os_no_fork_until_ms)
		return -EAGAIN;
	p = proc_start(child_name(kind), NODE_ENGINE, child_body, &args, sizeof(args));
	p->parent = guard;
	p->rank = kind == CHILD_DEADMAN ? 2 : 0; /* the guard is 1 */
	p->mortal = kind != CHILD_DEADMAN;
	/* The guard closes the number that it handed over; the child keeps another. */
	((struct child_args *)p->arg)->fd = os_hand_over(fd, p);
	return p->pid;
}

pid_t __wrap_getpid(void)
{
	return proc_self->pid;
}

pid_t __wrap_getppid(void)
{
	proc_call();
	return proc_self->parent ? proc_self->parent : 1;
}

int __wrap_kill(pid_t pid, int sig)
{
	proc_call();
	for (struct proc *p = procs; p < procs + PROCS; p++) {
		if (p->pid != pid || p->state == PROC_FREE)
			continue;
		proc_kill(p, sig);
		return 0;
	}
	errno = ESRCH;
	return -1;
}

pid_t __wrap_waitpid(pid_t pid, int *status, int flags)
{
	int children = 0;

	proc_call();
	for (struct proc *p = procs; p < procs + PROCS; p++) {
		if (p->state == PROC_FREE || p->parent != proc_self->pid)
			continue;
		children++;
		if (p->state != PROC_ZOMBIE || (pid > 0 && p->pid != pid))
			continue;
		if (status)
			*status = p->status;
		p->state = PROC_FREE;
		return p->pid;
	}
	errno = ECHILD;
	return children ? 0 : -1;
}

_Noreturn void __wrap__exit(int status)
{
	proc_kill(proc_self, status << 8);
	abort();
}

_Noreturn void __wrap_exit(int status)
{
	if (!proc_self)
		__real_exit(status);
	proc_kill(proc_self, status << 8);
	abort();
}

_Noreturn void __wrap_abort(void)
{
	report_violation("CRASH", proc_self ? proc_self->name : "the simulation");
	if (!proc_self)
		report_broken("abort");
	proc_kill(proc_self, SIGABRT);
	report_broken("abort");
}

int __wrap_mlockall(int flags)
{
	return 0;
}

int __wrap_sched_setscheduler(pid_t pid, int policy, const struct sched_param *param)
{
	return 0;
}

/* Signals */

int __wrap_signalfd(int fd, const sigset_t *mask, int flags)
{
	proc_call();
	return os_open(FD_SIGNALS);
}

int __wrap_sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	return 0;
}

/* Clocks: each node has its own two. */

int64_t clock_ms(void)
{
	return sim_ms + (proc_self ? machines[proc_self->node].mono_ms : 0);
}

int64_t clock_unix_ms(void)
{
	int64_t ms = sim_ms + (proc_self ? machines[proc_self->node].wall_ms : 0);

	return ms / 1000 < YEAR_2024 ? 0 : ms;
}

/* The simulated site lies where the clock is UTC; days to a date after H. Hinnant. */
struct civil clock_civil(void)
{
	int64_t s = clock_unix_ms() / 1000, z = s / 86400 + 719468, era = z / 146097;
	int64_t doe = z % 146097, doy, mp;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;

	if (s == 0)
		return (struct civil){ 0 };
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	return (struct civil){ .valid = true,
		.year = (int16_t)(yoe + era * 400 + (mp >= 10)),
		.month = (uint8_t)(mp < 10 ? mp + 3 : mp - 9),
		.day = (uint8_t)(doy - (153 * mp + 2) / 5 + 1),
		.weekday = (uint8_t)((s / 86400 + 4) % 7),
		.hour = (uint8_t)(s / 3600 % 24),
		.minute = (uint8_t)(s / 60 % 60),
		.second = (uint8_t)(s % 60) };
}

int __wrap_nanosleep(const struct timespec *t, struct timespec *left)
{
	proc_call();
	return 0;
}

/* What they ask of chance must come from the seed. */
ssize_t __wrap_getrandom(void *data, size_t n, unsigned flags)
{
	uint64_t value = chance_next(&site.chance);

	proc_call();
	memcpy(data, &value, n);
	return (ssize_t)n;
}

struct health health_read(void)
{
	return (struct health){ .uptime_s = sim_ms / 1000 };
}

/* Log: lines are rows of the report. */

void log_set_level(enum log_level level)
{
}

/* The monitor tells each change of the charge; that would leave no room for the rest. */
static bool is_chatter(const char *line)
{
	return strncmp(line, "SOC:", 4) == 0;
}

#define DEFINE_LOG(function)                                                                   \
	void function(const char *token, const char *fmt, ...)                                 \
	{                                                                                      \
		char line[200];                                                                \
		va_list ap;                                                                    \
		va_start(ap, fmt);                                                             \
		vsnprintf(line, sizeof(line), fmt, ap);                                        \
		va_end(ap);                                                                    \
		if (!is_chatter(line))                                                         \
			report_note(proc_self ? proc_self->name : "", "%s: %s", token, line);  \
		judge_line(token, line);                                                       \
	}

DEFINE_LOG(log_info)
DEFINE_LOG(log_warn)
DEFINE_LOG(log_error)

void log_debug(const char *token, const char *fmt, ...)
{
}

#include "node-genctl/child.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "node-genctl/control.h"
#include "node-genctl/deadman.h"
#include "node-genctl/harden.h"
#include "node-genctl/saver.h"

enum { FDS_MAX = 64 };

const char *child_name(enum child_kind kind)
{
	static const char *const names[CHILDREN] = { "genctl-control", "genctl-saver",
		"genctl-deadman" };

	return names[kind];
}

static void become(enum child_kind kind, pid_t guard, int fd)
{
	sigset_t none;

	prctl(PR_SET_NAME, child_name(kind));
	if (kind != CHILD_DEADMAN)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != guard)
		_exit(1);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int other = STDERR_FILENO + 1; other < FDS_MAX; other++) {
		if (other != fd)
			close(other);
	}
	if (kind == CHILD_DEADMAN)
		harden();
	else
		harden_undo();
}

static int child_main(
    const struct genctl_config *config, enum child_kind kind, pid_t guard, int fd)
{
	switch (kind) {
	case CHILD_CONTROL:
		return control_main(config, fd);
	case CHILD_SAVER:
		return saver_main(config->state_dir, fd);
	case CHILD_DEADMAN:
		return deadman_main(config, guard, fd);
	case CHILDREN:
		break;
	}
	return 1;
}

pid_t child_start(const struct genctl_config *config, enum child_kind kind, pid_t guard, int fd)
{
	pid_t pid = fork();

	if (pid == 0) {
		become(kind, guard, fd);
		_exit(child_main(config, kind, guard, fd));
	}
	return pid < 0 ? -errno : pid;
}

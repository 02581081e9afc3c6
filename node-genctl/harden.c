#include "node-genctl/harden.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/log.h"

enum { STACK_BYTES = 65536, FIFO_PRIORITY = 20 };

static void touch_stack(void)
{
	volatile char stack[STACK_BYTES];

	for (size_t i = 0; i < sizeof(stack); i += 1024)
		stack[i] = 0;
}

static void set_oom_score(const char *text)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		log_debug("harden", "oom_score_adj: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* Only what is mapped now is locked, so that a limit on locked memory cannot stop the
 * stack's growth later. */
void harden(void)
{
	struct sched_param fifo = { .sched_priority = FIFO_PRIORITY };

	set_oom_score("-1000");
	touch_stack();
	if (mlockall(MCL_CURRENT | MCL_ONFAULT) < 0 && mlockall(MCL_CURRENT) < 0)
		log_debug("harden", "mlockall: %s", strerror(errno));
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &fifo) < 0)
		log_debug("harden", "SCHED_FIFO: %s", strerror(errno));
}

void harden_undo(void)
{
	set_oom_score("0");
}

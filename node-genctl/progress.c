#include "node-genctl/progress.h"

#include <string.h>

#include "node-genctl/engine.h"

static enum progress_end begun(const struct progress *p, int64_t waited_ms)
{
	return p->moved || waited_ms > PROGRESS_BEGIN_MS ? PROGRESS_FAILED : PROGRESS_GOING;
}

static enum progress_end start(
    struct progress *p, const Genctl__Status *status, int64_t waited_ms)
{
	switch ((enum phase)status->phase) {
	case PHASE_LOADED:
		return PROGRESS_DONE;
	case PHASE_STOPPING: /* a given-up start comes to rest first: only then all is known */
		return PROGRESS_GOING;
	case PHASE_OFF:
	case PHASE_COOLDOWN:
		return status->start_in_progress ? PROGRESS_GOING : begun(p, waited_ms);
	case PHASE_LOCKOUT:
	case PHASE_EXTERNAL:
	case PHASE_MAINTENANCE:
	case PHASE_FAULT:
		return PROGRESS_FAILED;
	default:
		p->moved = true;
		return PROGRESS_GOING;
	}
}

static bool alarmed(const Genctl__Status *status, const char *code)
{
	for (size_t i = 0; i < status->n_alarms; i++) {
		if (strcmp(status->alarms[i]->code, code) == 0)
			return true;
	}
	return false;
}

static enum progress_end stop(
    struct progress *p, const Genctl__Status *status, int64_t waited_ms)
{
	switch ((enum phase)status->phase) {
	case PHASE_OFF:
		return PROGRESS_DONE;
	case PHASE_COOLDOWN:
	case PHASE_STOPPING:
		p->moved = true;
		return alarmed(status, "FAIL_TO_STOP") ? PROGRESS_FAILED : PROGRESS_GOING;
	case PHASE_LOCKOUT:
	case PHASE_EXTERNAL:
	case PHASE_MAINTENANCE:
	case PHASE_FAULT:
		return PROGRESS_FAILED;
	default: /* running still, or again because somebody started it */
		return begun(p, waited_ms);
	}
}

enum progress_end progress_step(
    struct progress *p, const Genctl__Status *status, int64_t waited_ms)
{
	return p->goal == PROGRESS_START ? start(p, status, waited_ms)
					 : stop(p, status, waited_ms);
}

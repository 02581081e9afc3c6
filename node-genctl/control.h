#ifndef GENCTL_CONTROL_H
#define GENCTL_CONTROL_H
#include "node-genctl/config.h"
int control_main(const struct genctl_config *config, int guard_fd);
#endif

/* conf_near - the known key a person most likely meant by an unknown one. */
#ifndef COMMON_CONF_NEAR_H
#define COMMON_CONF_NEAR_H

#include "common/conf.h"

const char *conf_near(const struct conf_key *keys, size_t n, const char *path);

#endif

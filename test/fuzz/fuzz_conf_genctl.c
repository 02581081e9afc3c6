/* The engine node's configuration file: the input is its text. */
#include "node-genctl/config.h"
#include "test/fuzz/conf_round.h"
#include "test/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct conf_table table = { config_keys, config_nkeys,
		sizeof(struct genctl_config), config_check };

	conf_round(&table, data, size);
	return 0;
}

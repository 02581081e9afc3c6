/* The monitor's configuration file: the input is its text. */
#include "node-monitor/config.h"
#include "test/fuzz/conf_round.h"
#include "test/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct conf_table table = { monitor_keys, monitor_nkeys,
		sizeof(struct monitor_config), monitor_config_check };

	conf_round(&table, data, size);
	return 0;
}

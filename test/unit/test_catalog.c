#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>

#include "node-monitor/catalog.h"

static void every_key_of_a_sample_has_its_row(void **state)
{
	for (int key = 0; key < INV_NKEYS; key++) {
		assert_non_null(catalog[key].name);
		assert_non_null(catalog[key].unit);
		assert_true(strlen(catalog[key].help) > 0);
	}
}

static void names_are_lower_case_words_and_found_once(void **state)
{
	for (int key = 0; key < INV_NKEYS; key++) {
		for (const char *c = catalog[key].name; *c; c++)
			assert_true(islower(*c) || isdigit(*c) || *c == '_');
		assert_int_equal(catalog_find(catalog[key].name), key);
	}
}

static void columns_of_the_original_csv_lead_to_their_metric(void **state)
{
	assert_int_equal(catalog_find("soc_pct"), INV_SOC);
	assert_int_equal(catalog_find("soh_pct"), INV_SOH);
	assert_int_equal(catalog_find("vbat_v"), INV_BATTERY_VOLTAGE);
	assert_int_equal(catalog_find("vpv1_v"), INV_PV1_VOLTAGE);
	assert_int_equal(catalog_find("vpv2_v"), INV_PV2_VOLTAGE);
	assert_int_equal(catalog_find("pv_power_w"), INV_PV_POWER);
	assert_int_equal(catalog_find("pv1_power_w"), INV_PV1_POWER);
	assert_int_equal(catalog_find("pv2_power_w"), INV_PV2_POWER);
	assert_int_equal(catalog_find("load_power_w"), INV_LOAD_POWER);
	assert_int_equal(catalog_find("charge_power_w"), INV_CHARGE_POWER);
	assert_int_equal(catalog_find("discharge_power_w"), INV_DISCHARGE_POWER);
}

static void the_scale_follows_from_the_unit(void **state)
{
	static const struct {
		const char *unit;
		int decimals;
	} scale[] = { { "V", 3 }, { "A", 3 }, { "C", 3 }, { "kWh", 3 }, { "Hz", 2 }, { "W", 0 },
		{ "VA", 0 }, { "var", 0 }, { "%", 0 }, { "s", 0 }, { "Ah", 0 } };

	for (int key = 0; key < INV_NKEYS; key++)
		for (size_t i = 0; i < sizeof(scale) / sizeof(scale[0]); i++)
			if (!strcmp(catalog[key].unit, scale[i].unit))
				assert_int_equal(catalog[key].decimals, scale[i].decimals);
}

static void an_unknown_name_is_refused(void **state)
{
	assert_int_equal(catalog_find("battery_voltag"), -ENOENT);
	assert_int_equal(catalog_find(""), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_of_a_sample_has_its_row),
		cmocka_unit_test(names_are_lower_case_words_and_found_once),
		cmocka_unit_test(columns_of_the_original_csv_lead_to_their_metric),
		cmocka_unit_test(the_scale_follows_from_the_unit),
		cmocka_unit_test(an_unknown_name_is_refused),
	};
	return cmocka_run_group_tests_name("catalog", tests, NULL, NULL);
}

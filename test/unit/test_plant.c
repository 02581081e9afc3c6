#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "node-monitor/policy/plant.h"

enum { HOUR_MS = 3600000 };

/* 10 kWh, no losses: an hour of 1 kW is 10 %. */
static struct plant plant_at(int32_t soc_pct)
{
	struct plant_config c = plant_defaults;
	struct plant p;

	c.capacity_wh = 10000;
	c.soc_pct = soc_pct;
	c.charge_pct = 100;
	c.charger_w = 5000;
	plant_init(&p, &c);
	return p;
}

static void load_drains_the_battery_and_sags_its_voltage(void **state)
{
	struct plant p = plant_at(50);
	struct plant_out idle = plant_step(&p, (struct plant_in){ 0 }, 1000);
	struct plant_out out = plant_step(&p, (struct plant_in){ .load_w = 1000 }, HOUR_MS);

	assert_int_equal(idle.soc_mpct, 50000);
	assert_int_equal(idle.battery_mv, 52000);
	assert_int_equal(out.soc_pct, 40);
	assert_int_equal(out.discharge_w, 1000);
	assert_int_equal(out.charge_w, 0);
	assert_true(out.battery_mv < 50000 + 40 * 40);
}

static void charge_needs_both_charger_and_running_engine(void **state)
{
	struct plant p = plant_at(50);

	assert_int_equal(
	    plant_step(&p, (struct plant_in){ .charger_on = true }, HOUR_MS).charge_w, 0);
	assert_int_equal(
	    plant_step(&p, (struct plant_in){ .engine_running = true }, HOUR_MS).charge_w, 0);
	assert_int_equal(
	    plant_step(&p, (struct plant_in){ 0, 0, true, true }, HOUR_MS / 5).soc_mpct, 60000);
}

static void charge_loss_is_not_stored(void **state)
{
	struct plant_config c = plant_defaults;
	struct plant p;

	c.capacity_wh = 10000;
	c.charge_pct = 90;
	plant_init(&p, &c);
	assert_int_equal(
	    plant_step(&p, (struct plant_in){ .pv_w = 1000 }, HOUR_MS).soc_mpct, 59000);
}

static void a_full_battery_curtails_the_sun_before_the_charger(void **state)
{
	struct plant p = plant_at(100);
	struct plant_in in = {
		.load_w = 2000, .pv_w = 1000, .charger_on = true, .engine_running = true
	};
	struct plant_out out = plant_step(&p, in, HOUR_MS);

	assert_int_equal(out.soc_pct, 100);
	assert_int_equal(out.charge_w, 0);
	assert_int_equal(out.pv_w, 0);
	assert_int_equal(out.charger_w, 2000);
	assert_int_equal(p.curtailed_mj, 1000LL * HOUR_MS);
}

static void an_empty_battery_leaves_load_unserved_and_says_how_much(void **state)
{
	struct plant p = plant_at(5);
	struct plant_out out = plant_step(&p, (struct plant_in){ .load_w = 1000 }, HOUR_MS);

	assert_int_equal(out.soc_mpct, 0);
	assert_int_equal(out.discharge_w, 500);
	assert_int_equal(out.load_w, 500);
	assert_int_equal(p.unserved_mj, 500LL * PLANT_MJ_PER_WH);
}

static void fuel_follows_running_hours_and_energy(void **state)
{
	struct plant p = plant_at(0);

	plant_step(&p, (struct plant_in){ .engine_running = true }, HOUR_MS);
	assert_int_equal(plant_fuel_ml(&p), 600);
	plant_step(&p, (struct plant_in){ 0, 0, true, true }, HOUR_MS);
	assert_int_equal(plant_fuel_ml(&p), 600 + 600 + 5 * 350);
	plant_step(&p, (struct plant_in){ .charger_on = true }, HOUR_MS);
	assert_int_equal(plant_fuel_ml(&p), 600 + 600 + 5 * 350);
	assert_int_equal(p.run_ms, 2 * HOUR_MS);
}

static void short_steps_and_one_long_step_end_alike(void **state)
{
	struct plant a = plant_at(50), b = plant_at(50);
	struct plant_in in = { .load_w = 333, .pv_w = 1234, .engine_running = true };

	for (int i = 0; i < HOUR_MS / 100; i++)
		plant_step(&a, in, 100);
	plant_step(&b, in, HOUR_MS);
	assert_memory_equal(&a, &b, sizeof(a));
}

static void a_step_of_no_time_moves_nothing_and_shows_no_power(void **state)
{
	struct plant p = plant_at(50);
	struct plant_out out = plant_step(&p, (struct plant_in){ 2000, 1000, true, true }, 0);

	assert_int_equal(out.soc_mpct, 50000);
	assert_int_equal(out.charge_w + out.discharge_w, 0);
	assert_int_equal(out.load_w + out.pv_w + out.charger_w, 0);
	assert_int_equal(plant_fuel_ml(&p), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_step_of_no_time_moves_nothing_and_shows_no_power),
		cmocka_unit_test(load_drains_the_battery_and_sags_its_voltage),
		cmocka_unit_test(charge_needs_both_charger_and_running_engine),
		cmocka_unit_test(charge_loss_is_not_stored),
		cmocka_unit_test(a_full_battery_curtails_the_sun_before_the_charger),
		cmocka_unit_test(an_empty_battery_leaves_load_unserved_and_says_how_much),
		cmocka_unit_test(fuel_follows_running_hours_and_energy),
		cmocka_unit_test(short_steps_and_one_long_step_end_alike),
	};
	return cmocka_run_group_tests_name("plant", tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "test/sim/command.h"
#include "test/sim/world.h"

static struct world w;
static char reply[EP_REPLY], file[64];

static int fresh(void **state)
{
	FILE *f = NULL;
	int fd;

	world_init(&w, 1000);
	strcpy(file, "/tmp/test_sim_world.XXXXXX");
	fd = mkstemp(file);
	if (fd >= 0)
		f = fdopen(fd, "w");
	return f ? fclose(f) : -1;
}

static int clean(void **state)
{
	trace_close(&w.trace);
	profile_free(&w.profile);
	recorded_free(&w.recorded);
	return unlink(file);
}

static void write_file(const char *text)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static const char *command(const char *words)
{
	char text[EP_REQUEST];

	snprintf(text, sizeof(text), "%s", words);
	command_run(&w, text, reply);
	return reply;
}

static void go_to(int64_t t_ms)
{
	while (w.now_ms < w.start_ms + t_ms)
		world_step(&w, w.now_ms + WORLD_TICK_MS);
}

static void board(const char *packet)
{
	char answer[8];

	world_board(&w, packet, answer);
	assert_int_equal(answer[0], 'A');
}

static void inputs_show_engine_and_contacts(void **state)
{
	board("W 10 08");
	go_to(100);
	assert_int_equal(world_inputs(&w), 2);
	board("W 10 09");
	go_to(1000);
	assert_int_equal(world_inputs(&w), 10);
	go_to(3000);
	assert_int_equal(world_inputs(&w), 11);
	board("W 10 08");
	go_to(3100);
	assert_int_equal(world_inputs(&w), 3);
}

static void a_forced_input_hides_the_truth(void **state)
{
	bool low = false, high = false;

	command("in 1 1");
	command("in 3 chatter");
	for (int i = 0; i < 20; i++) {
		go_to(i * WORLD_TICK_MS);
		assert_true(world_inputs(&w) & 1);
		low |= !(world_inputs(&w) & 4);
		high |= !!(world_inputs(&w) & 4);
	}
	assert_true(low && high);
	command("in 1 auto");
	assert_false(world_inputs(&w) & 1);
}

static void the_engines_time_runs_faster_by_the_scale(void **state)
{
	w.time_scale = 10;
	board("W 10 09");
	go_to(290);
	assert_int_equal(world_inputs(&w) & 1, 1);
}

/* Register 10 says nothing of the generator's charger, voltage and SOC do. */
static void the_generators_charger_shows_in_soc_and_voltage_alone(void **state)
{
	uint16_t *reg = w.inverter.input.value;
	int before_mv;

	w.speed = 3600;
	command("soc 30");
	command("load 1000");
	command("external on");
	go_to(500);
	before_mv = w.shown.battery_mv;
	board("W 10 0a");
	go_to(2500);
	assert_true((reg[5] & 0xff) > 30);
	assert_int_equal(reg[5] >> 8, 98);
	assert_true(w.shown.battery_mv > before_mv);
	assert_int_equal(reg[10], 0);
	assert_int_equal(reg[11], 1000);
	assert_int_equal(reg[170], 1000);
}

static void sun_is_split_over_two_strings_and_charges_by_register_ten(void **state)
{
	uint16_t *reg = w.inverter.input.value;

	command("load 500");
	command("pv 2001");
	go_to(50);
	assert_int_equal(reg[7] + reg[8] + reg[9], 2001);
	assert_int_equal(reg[9], 0);
	assert_int_equal(reg[10], 1501);
	assert_int_equal(reg[11], 0);
}

static void wrong_commands_say_what_to_write(void **state)
{
	assert_string_equal(command("soc x"), "error: write it as: soc PCT");
	assert_string_equal(command("soc 101"), "error: write it as: soc PCT");
	assert_string_equal(command("stuck maybe"), "error: write it as: stuck on|off");
	assert_string_equal(command("in 5 1"), "error: write it as: in N auto|0|1|chatter");
	assert_non_null(strstr(command("boom"), "no command 'boom'"));
	assert_non_null(strstr(command("a b c d e f g h"), "no command 'a'"));
	assert_non_null(strstr(command(""), "error"));
}

static void a_fault_for_a_time_ends_by_itself(void **state)
{
	assert_string_equal(command("stuck-bus 100"), "ok");
	assert_false(modio_readable(&w.modio, w.now_ms + 99));
	assert_true(modio_readable(&w.modio, w.now_ms + 100));
	command("zero on");
	assert_false(modio_readable(&w.modio, w.now_ms + 1000000000));
	command("zero off");
	assert_true(modio_readable(&w.modio, w.now_ms + 100));
}

static void the_script_runs_each_line_at_its_time(void **state)
{
	static struct script s;

	write_file("# at the start\n\n0 soc 20\n 500  load 1500 # comment\n");
	assert_int_equal(script_load(&s, file), 0);
	script_run(&s, &w, 0);
	assert_int_equal(plant_soc_mpct(&w.plant), 20000);
	script_run(&s, &w, 499);
	assert_int_equal(w.load_w, WORLD_FOLLOW);
	script_run(&s, &w, 500);
	assert_int_equal(w.load_w, 1500);
	assert_int_equal(script_due_ms(&s), INT64_MAX);
}

static void the_trace_holds_a_row_a_change(void **state)
{
	char text[512] = "";
	FILE *f;

	assert_int_equal(trace_open(&w.trace, file, w.start_ms), 0);
	board("W 10 08");
	go_to(100);
	command("stuck-bus 20");
	go_to(200);
	f = fopen(file, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	assert_string_equal(text, "t_ms,acked,contacts,inputs,event\n"
				  "0,,00,00,start mono_ms=1000\n"
				  "0,08,00,00,write\n"
				  "5,08,08,02,\n"
				  "100,08,08,BAD,cmd stuck-bus 20\n"
				  "120,08,08,02,\n");
}

static void recorded_blocks_of_one_scan_are_merged(void **state)
{
	write_file("{\"kind\":\"hold\",\"regs\":{\"0\":7}}\n"
		   "{\"kind\":\"input\",\"regs\":{\"0\":1,\"39\":2}}\n"
		   "{\"kind\":\"input\",\"regs\":{\"40\":3}}\n"
		   "{\"kind\":\"input\",\"regs\":{\"0\":4}}\n");
	assert_int_equal(recorded_load(&w.recorded, file), 0);
	assert_int_equal(w.recorded.n, 2);
	world_show_recorded(&w, 0);
	assert_int_equal(w.inverter.input.value[40], 3);
	assert_int_equal(w.inverter.holding.value[0], 7);
	command("recorded next");
	assert_int_equal(w.inverter.input.value[0], 4);
	assert_false(w.inverter.input.known[40]);
	recorded_free(&w.recorded);
	write_file("{\"regs\":{\"400\":1}}\n");
	assert_true(recorded_load(&w.recorded, file) < 0);
}

static void a_profile_is_followed_by_the_half_hour_and_repeated(void **state)
{
	write_file(",GC,GG\n2011-07-01 00:00:00,0.5,0.0\n2011-07-01 00:30:00,1.25,2.0\n");
	assert_int_equal(profile_load(&w.profile, file), 0);
	command("pv-pct 200");
	go_to(10);
	assert_int_equal(w.shown.load_w, 500);
	command("profile-at 1800000");
	go_to(20);
	assert_int_equal(w.shown.load_w, 1250);
	assert_int_equal(w.shown.pv_w, 4000);
	command("profile-at 3600000");
	go_to(30);
	assert_int_equal(w.shown.load_w, 500);
	profile_free(&w.profile);
	write_file("a,b\n1,2\n");
	assert_true(profile_load(&w.profile, file) < 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fresh, clean)
	const struct CMUnitTest tests[] = {
		T(inputs_show_engine_and_contacts),
		T(a_forced_input_hides_the_truth),
		T(the_engines_time_runs_faster_by_the_scale),
		T(the_generators_charger_shows_in_soc_and_voltage_alone),
		T(sun_is_split_over_two_strings_and_charges_by_register_ten),
		T(wrong_commands_say_what_to_write),
		T(a_fault_for_a_time_ends_by_itself),
		T(the_script_runs_each_line_at_its_time),
		T(the_trace_holds_a_row_a_change),
		T(recorded_blocks_of_one_scan_are_merged),
		T(a_profile_is_followed_by_the_half_hour_and_repeated),
	};
	return cmocka_run_group_tests_name("simulated site", tests, NULL, NULL);
}

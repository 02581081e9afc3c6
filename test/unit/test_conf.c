#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/conf.h"

struct sample {
	bool glow;
	int32_t address, crank_ms, kind;
	double scale;
	char listen[24], deep[8];
};

static const struct conf_key keys[] = {
	{ "listen", CONF_TEXT, CONF_AT(struct sample, listen), .def = "127.0.0.1:9999",
	    .unit = "", .help = "Where clients connect." },
	{ "glow", CONF_BOOL, CONF_AT(struct sample, glow), .def = "true", .unit = "",
	    .help = "Whether the glow plug is used." },
	{ "crank_ms", CONF_INT, CONF_AT(struct sample, crank_ms), 500, 15000, .def = "10000",
	    .unit = "ms", .help = "How long the starter turns at most." },
	{ "board.kind", CONF_CHOICE, CONF_AT(struct sample, kind), .choices = "modio sim",
	    .def = "modio", .unit = "", .help = "Which board." },
	{ "scale", CONF_REAL, CONF_AT(struct sample, scale), 1, 5, .def = "1", .unit = "",
	    .help = "How much faster." },
	{ "board.address", CONF_INT, CONF_AT(struct sample, address), 0, 127, .def = "0x58",
	    .unit = "", .help = "Address on the bus." },
	{ "board.far.deep", CONF_TEXT, CONF_AT(struct sample, deep), .def = "", .unit = "",
	    .help = "Two groups down." },
};
enum { NKEYS = sizeof(keys) / sizeof(keys[0]) };

static char path[] = "/tmp/test_conf.XXXXXX";
static char faults[4096];

/* Loads `text` as a file; its faults stand in `faults`, without the file's name. */
static int load_bytes(const char *text, size_t n, struct sample *out)
{
	FILE *f = fopen(path, "w"), *to = fmemopen(faults, sizeof(faults), "w");
	int rc;

	fwrite(text, 1, n, f);
	fclose(f);
	memset(faults, 0, sizeof(faults));
	rc = conf_load(path, keys, NKEYS, out, to);
	fclose(to);
	for (char *at; (at = strstr(faults, path));)
		memmove(at, at + strlen(path), strlen(at + strlen(path)) + 1);
	return rc;
}

static int load(const char *text, struct sample *out)
{
	return load_bytes(text, strlen(text), out);
}

static int set(const char *key, const char *text, struct sample *out)
{
	FILE *to = fmemopen(faults, sizeof(faults), "w");
	int rc;

	memset(faults, 0, sizeof(faults));
	rc = conf_set(keys, NKEYS, key, text, out, "--x", to);
	fclose(to);
	return rc;
}

static void defaults_fill_every_field(void **state)
{
	struct sample s;

	memset(&s, 0xff, sizeof(s));
	conf_defaults(keys, NKEYS, &s);
	assert_true(s.glow);
	assert_int_equal(s.address, 0x58);
	assert_int_equal(s.crank_ms, 10000);
	assert_int_equal(s.kind, 0);
	assert_true(s.scale == 1.0);
	assert_string_equal(s.listen, "127.0.0.1:9999");
	assert_string_equal(s.deep, "");
}

static void file_overrides_what_it_names(void **state)
{
	struct sample s = { 0 };

	assert_int_equal(load("glow = false;\nscale = 2;\n"
			      "board = { address = 0x20; kind = \"sim\"; };\n",
			     &s),
	    0);
	assert_false(s.glow);
	assert_int_equal(s.address, 0x20);
	assert_int_equal(s.kind, 1);
	assert_true(s.scale == 2.0);
	assert_int_equal(s.crank_ms, 10000);
	assert_string_equal(faults, "");
}

static void every_fault_is_listed_with_its_line(void **state)
{
	struct sample s = { .crank_ms = 42 };

	assert_int_equal(load("crank_ms = 20000;\n"
			      "glow = 1;\n"
			      "board = {\n  kind = \"modbus\";\n  adress = 3;\n};\n"
			      "scale = \"fast\";\n"
			      "listen = \"a-name-that-is-too-long-for-it:1\";\n",
			     &s),
	    -EINVAL);
	assert_string_equal(faults,
	    ":1: crank_ms: 20000 is outside 500..15000 ms\n"
	    ":2: glow: expected true or false, found a whole number\n"
	    ":4: board.kind: \"modbus\" is not one of: modio sim\n"
	    ":5: board.adress: unknown key; the nearest known one is board.address\n"
	    ":7: scale: expected a number (1..5), found a text in quotes\n"
	    ":8: listen: the text has 32 characters; at most 23 are allowed\n");
	assert_int_equal(s.crank_ms, 42);
}

static void a_fault_is_one_line_whatever_the_value_holds(void **state)
{
	struct sample s = { 0 };

	assert_int_equal(load("board = { kind = \"a\\nb\\x1b\"; };\n", &s), -EINVAL);
	assert_string_equal(faults, ":1: board.kind: \"a?b?\" is not one of: modio sim\n");
}

static void wrong_shapes_say_what_is_expected(void **state)
{
	struct sample s;

	assert_int_equal(load("crank_ms = 1.5;\nboard = 5;\nglow = { };\nlisten = [1, 2];\n"
			      "address = 1;\nother = { a = { crnk_ms = 1; }; };\n",
			     &s),
	    -EINVAL);
	assert_string_equal(faults,
	    ":1: crank_ms: expected a whole number (500..15000 ms), found a number with a "
	    "point\n"
	    ":2: board: this is a group: write board = { ... };\n"
	    ":3: glow: expected true or false, found a group { }\n"
	    ":4: listen: expected a text in quotes, found an array [ ]\n"
	    ":5: address: unknown key; the nearest known one is board.address\n"
	    ":6: other.a.crnk_ms: unknown key; the nearest known one is crank_ms\n");
}

static void numbers_too_large_for_the_field_do_not_wrap(void **state)
{
	struct sample s;

	assert_int_equal(load("crank_ms = 4294968296;", &s), -EINVAL); /* 2^32 + 1000 */
	assert_int_equal(load("crank_ms = 4294968296L;", &s), -EINVAL);
	assert_int_equal(load("crank_ms = 18446744073709552616;", &s), -EINVAL);
	assert_int_equal(load("crank_ms = 0x1000003E8;", &s), -EINVAL);
	assert_int_equal(load("scale = 1e999;", &s), -EINVAL);
	assert_int_equal(load("# 4294968296\n/* 4294968296\n*/ listen = \"4294968296\";\n"
			      "scale = 1.0000000000000000;\ncrank_ms = 0x1000003E8;",
			     &s),
	    -EINVAL);
	/* libconfig cuts it to -1 where a long has 32 bits, which adds a second fault */
	assert_memory_equal(faults, ":5: 0x1000003E8 is too large a number\n", 38);
}

static void missing_unreadable_and_foreign_files_are_told_apart(void **state)
{
	struct sample s = { .crank_ms = 42 };

	assert_int_equal(conf_load("/nonexistent/x.conf", keys, NKEYS, &s, stderr), -ENOENT);
	assert_int_equal(conf_load("/", keys, NKEYS, &s, stderr), -EINVAL);
	assert_int_equal(load_bytes("glow = true;\n\0crank_ms = 1;", 26, &s), -EINVAL);
	assert_int_equal(load("crank_ms = ;\n", &s), -EINVAL);
	assert_string_equal(faults, ":1: syntax error\n");
	assert_int_equal(load("glow = true;\nglow = false;\n", &s), -EINVAL);
	assert_non_null(strstr(faults, ":2: duplicate setting name"));
	assert_int_equal(s.crank_ms, 42);
	assert_int_equal(load("", &s), 0);
}

static void printed_configuration_loads_to_the_same_values(void **state)
{
	struct sample s, again;
	char text[4096] = "";
	FILE *to = fmemopen(text, sizeof(text), "w");

	conf_defaults(keys, NKEYS, &s);
	s.scale = 1.1;
	s.kind = 1;
	s.glow = false;
	strcpy(s.listen, "q\"uote\\and\ttab");
	strcpy(s.deep, "deep");
	conf_print(keys, NKEYS, &s, to);
	fclose(to);
	assert_int_equal(load(text, &again), 0);
	assert_int_equal(again.address, s.address);
	assert_int_equal(again.kind, 1);
	assert_false(again.glow);
	assert_true(again.scale == s.scale);
	assert_string_equal(again.listen, s.listen);
	assert_string_equal(again.deep, "deep");
	assert_non_null(strstr(text, "# How long the starter turns at most. (500..15000 ms, "
				     "default 10000)\ncrank_ms = 10000;\n"));
}

static void one_value_can_be_set_from_the_command_line(void **state)
{
	struct sample s = { 0 };

	assert_int_equal(set("board.address", "0x21", &s), 0);
	assert_int_equal(s.address, 0x21);
	assert_int_equal(set("scale", "2.5", &s), 0);
	assert_int_equal(set("crank_ms", "12s", &s), -EINVAL);
	assert_string_equal(
	    faults, "--x: crank_ms: expected a whole number (500..15000 ms), found \"12s\"\n");
	assert_int_equal(set("crank_ms", "99999999999999999999", &s), -EINVAL);
	assert_int_equal(set("scale", "nan", &s), -EINVAL);
	assert_int_equal(set("glow", "yes", &s), -EINVAL);
	assert_int_equal(set("crank", "1", &s), -EINVAL);
	assert_non_null(strstr(faults, "nearest known one is crank_ms"));
}

static int make_file(void **state)
{
	int fd = mkstemp(path);

	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_fill_every_field),
		cmocka_unit_test(file_overrides_what_it_names),
		cmocka_unit_test(every_fault_is_listed_with_its_line),
		cmocka_unit_test(a_fault_is_one_line_whatever_the_value_holds),
		cmocka_unit_test(wrong_shapes_say_what_is_expected),
		cmocka_unit_test(numbers_too_large_for_the_field_do_not_wrap),
		cmocka_unit_test(missing_unreadable_and_foreign_files_are_told_apart),
		cmocka_unit_test(printed_configuration_loads_to_the_same_values),
		cmocka_unit_test(one_value_can_be_set_from_the_command_line),
	};
	return cmocka_run_group_tests_name("conf", tests, make_file, remove_file);
}

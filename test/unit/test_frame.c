#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/frame.h"
#include "proto/genctl.pb-c.h"

#define REQUEST &genctl__request__descriptor

static bool accepted(
    const ProtobufCMessageDescriptor *type, const char *body, size_t n, bool strict)
{
	ProtobufCMessage *m = frame_unpack(type, (const uint8_t *)body, n, strict);

	if (m)
		protobuf_c_message_free_unpacked(m, NULL);
	return m != NULL;
}

static void packed_message_comes_back_whole(void **state)
{
	Genctl__Hello hello = GENCTL__HELLO__INIT;
	Genctl__Request request = GENCTL__REQUEST__INIT;
	Genctl__Request *back;
	uint8_t *buf;
	size_t n;

	hello.name = "gencli";
	request.id = 7;
	request.body_case = GENCTL__REQUEST__BODY_HELLO;
	request.hello = &hello;
	buf = frame_pack(&request.base, &n);
	assert_non_null(buf);
	assert_int_equal(frame_size(buf, n), n);
	assert_int_equal(frame_size(buf, n + 9), n);
	for (size_t part = 0; part < n; part++)
		assert_int_equal(frame_size(buf, part), 0);
	back = (Genctl__Request *)frame_unpack(REQUEST, buf + FRAME_HEAD, n - FRAME_HEAD, true);
	assert_non_null(back);
	assert_int_equal(back->id, 7);
	assert_string_equal(back->hello->name, "gencli");
	genctl__request__free_unpacked(back, NULL);
	free(buf);
}

static void lengths_of_zero_and_over_the_limit_are_refused_at_the_head(void **state)
{
	assert_int_equal(frame_size((const uint8_t *)"\0\0\0\0", 4), -EMSGSIZE);
	assert_int_equal(frame_size((const uint8_t *)"\0\1\0\1", 4), -EMSGSIZE);
	assert_int_equal(frame_size((const uint8_t *)"\377\377\377\377", 4), -EMSGSIZE);
	assert_int_equal(frame_size((const uint8_t *)"\0\1\0\0", 4), 0);
}

static void message_that_no_frame_can_hold_is_not_packed(void **state)
{
	Genctl__Hello hello = GENCTL__HELLO__INIT;
	char *name = calloc(1, FRAME_MAX + 1);
	uint8_t *buf;
	size_t n = 0;

	assert_null(frame_pack(&hello.base, &n)); /* no bytes at all */
	memset(name, 'a', FRAME_MAX);
	hello.name = name;
	assert_null(frame_pack(&hello.base, &n));
	name[FRAME_MAX - 4] = '\0'; /* tag and length take the other four */
	buf = frame_pack(&hello.base, &n);
	assert_non_null(buf);
	assert_int_equal(n, FRAME_HEAD + FRAME_MAX);
	free(buf);
	free(name);
}

static void unknown_field_is_refused_only_where_it_matters(void **state)
{
	assert_true(accepted(REQUEST, "\x08\x07\x1a\x00", 4, true));
	assert_false(accepted(REQUEST, "\x08\x07\x1a\x00\xf8\x01\x01", 7, true)); /* field 31 */
	assert_true(accepted(REQUEST, "\x08\x07\x1a\x00\xf8\x01\x01", 7, false));
}

static void unknown_field_is_refused_at_any_depth(void **state)
{
	/* id 7, desired { stamp { field 15 } } */
	assert_true(accepted(REQUEST, "\x08\x07\x42\x04\x0a\x02\x10\x01", 8, true));
	assert_false(accepted(REQUEST, "\x08\x07\x42\x04\x0a\x02\x78\x01", 8, true));
	assert_true(accepted(REQUEST, "\x08\x07\x42\x04\x0a\x02\x78\x01", 8, false));
	/* events { event { seq }, event { field 15 } } */
	assert_true(
	    accepted(&genctl__events__descriptor, "\x0a\x02\x08\x01\x0a\x02\x08\x02", 8, true));
	assert_false(
	    accepted(&genctl__events__descriptor, "\x0a\x02\x08\x01\x0a\x02\x78\x02", 8, true));
}

static void field_number_zero_is_refused_always(void **state)
{
	assert_false(accepted(REQUEST, "\x08\x07\x00\x01", 4, false));
	assert_false(accepted(REQUEST, "\x08\x07\x42\x04\x0a\x02\x00\x01", 8, false));
}

static void cut_or_foreign_bytes_are_refused(void **state)
{
	assert_false(accepted(REQUEST, "\x08", 1, true));
	assert_false(accepted(REQUEST, "\x08\x07\x1a\x05", 4, true));
	assert_false(accepted(REQUEST, "GET / HTTP/1.1\r\n", 16, true));
	assert_false(accepted(REQUEST, "\x0b\x0b\x0b\x0b", 4, true)); /* groups */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packed_message_comes_back_whole),
		cmocka_unit_test(lengths_of_zero_and_over_the_limit_are_refused_at_the_head),
		cmocka_unit_test(message_that_no_frame_can_hold_is_not_packed),
		cmocka_unit_test(unknown_field_is_refused_only_where_it_matters),
		cmocka_unit_test(unknown_field_is_refused_at_any_depth),
		cmocka_unit_test(field_number_zero_is_refused_always),
		cmocka_unit_test(cut_or_foreign_bytes_are_refused),
	};
	return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}

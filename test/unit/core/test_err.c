/*
 * Errors: the table's rows, filling and wrapping, and that a text is clean and whole whatever it was
 * made from.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static void test_table_is_sound(void **state UNUSED)
{
	for (int i = 0; i < ERR_COUNT; i++) {
		const struct err_info *e = err_info((enum err_code)i);

		assert_non_null(e->symbol);
		assert_true(strncmp(e->symbol, "ERR_", 4) == 0);
		assert_true(strlen(e->words) > 5 && e->words[strlen(e->words) - 1] == '.');
		assert_true(i == ERR_NONE ? e->status == 200 : e->status >= 400 && e->status < 600);
		/* the M of the platform's invalid_connectionMap */
		assert_int_equal(strspn(e->wire, "abcdefghijklmnopqrstuvwxyz_M"), strlen(e->wire));
		for (int k = 0; k < i; k++)
			assert_string_not_equal(e->wire, err_info((enum err_code)k)->wire);
	}
}

static void info_out_of_range(void *arg UNUSED)
{
	err_info(ERR_COUNT);
}

static void test_info_out_of_range_aborts(void **state UNUSED)
{
	assert_true(test_aborts(info_out_of_range, NULL));
}

static void test_set(void **state UNUSED)
{
	struct err err = ERR_INIT;

	err.retry_after_s = 7;
	assert_false(err_set(&err, ERR_TIMEOUT, "no answer within %d s", 30));
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_string_equal(err.message, "no answer within 30 s");
	assert_string_equal(err.field, "");
	assert_string_equal(err.hint, "");
	assert_int_equal(err.retry_after_s, 0);
	assert_false(err_set(NULL, ERR_TIMEOUT, "nobody listens"));
}

static void set_twice(void *arg)
{
	err_set(arg, ERR_IO, "first");
	err_set(arg, ERR_IO, "second");
}

static void test_set_twice_aborts(void **state UNUSED)
{
	struct err err = ERR_INIT;

	assert_true(test_aborts(set_twice, &err));
}

static void test_set_field_and_errno(void **state UNUSED)
{
	struct err err = ERR_INIT;

	assert_false(err_set_field(&err, ERR_MISSING, "rest.baseURI", "must be set"));
	assert_string_equal(err.field, "rest.baseURI");
	assert_string_equal(err.message, "must be set");
	assert_false(err_set_field(NULL, ERR_MISSING, "a", "b"));
	err_clear(&err);
	assert_int_equal(err.code, ERR_NONE);
	assert_string_equal(err.message, "");
	assert_false(err_set_errno(&err, ERR_IO, ENOENT, "can't open %s", "a.conf"));
	assert_string_equal(err.message, "can't open a.conf: No such file or directory");
	assert_false(err_set_errno(NULL, ERR_IO, ENOENT, "nobody listens"));
}

static void test_wrap_and_hint(void **state UNUSED)
{
	struct err err = ERR_INIT;

	err_set(&err, ERR_TIMEOUT, "no answer");
	assert_false(err_wrap(&err, "page %d", 3));
	assert_false(err_wrap(&err, "export \"%s\"", "Orders"));
	assert_string_equal(err.message, "export \"Orders\": page 3: no answer");
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_false(err_hint(&err, "raise %s", "timeout"));
	assert_false(err_hint(&err, "another"));
	assert_string_equal(err.hint, "raise timeout");
	assert_false(err_wrap(NULL, "x"));
	assert_false(err_hint(NULL, "x"));
}

static void test_long_texts_end_on_a_character(void **state UNUSED)
{
	/* Two bytes a character, shifted by each possible offset: never half a character. */
	for (int shift = 0; shift < 4; shift++) {
		struct err err = ERR_INIT;
		char text[3000];

		memset(text, 'a', (size_t)shift);
		for (size_t i = (size_t)shift; i + 2 < sizeof(text); i += 2)
			memcpy(text + i, "\xC3\xA9", 3);
		err_set_field(&err, ERR_INVALID, text, "%s", text);
		err_hint(&err, "%s", text);
		assert_true(str_is_utf8(str_z(err.message)));
		assert_true(str_ends(str_z(err.message), STR("...")));
		assert_true(strlen(err.message) >= ERR_MESSAGE_MAX - 2);
		assert_true(str_is_utf8(str_z(err.field)));
		assert_true(str_ends(str_z(err.field), STR("...")));
		assert_true(str_is_utf8(str_z(err.hint)));
		assert_true(str_ends(str_z(err.hint), STR("...")));
		err_wrap(&err, "%s", text);
		assert_true(str_is_utf8(str_z(err.message)));
		assert_true(strlen(err.message) < ERR_MESSAGE_MAX);
		assert_true(str_ends(str_z(err.message), STR("...")));
	}
}

static void test_wrap_of_a_full_message(void **state UNUSED)
{
	struct err err = ERR_INIT;

	err_set(&err, ERR_INVALID, "%01000d", 0);
	err_wrap(&err, "%0900d", 1);
	assert_int_equal(strlen(err.message), ERR_MESSAGE_MAX - 1);
	assert_true(str_ends(str_z(err.message), STR("000...")));
	assert_non_null(strstr(err.message, "1: 0"));
	err_clear(&err);
	err_set_errno(&err, ERR_IO, ENOENT, "%01100d", 0);
	assert_int_equal(strlen(err.message), ERR_MESSAGE_MAX - 1);
	assert_true(str_ends(str_z(err.message), STR("...")));
}

static void test_texts_are_clean(void **state UNUSED)
{
	struct err err = ERR_INIT;

	err_set_field(&err, ERR_INVALID, "na\x80me\r\n",
		"got \"\xFF\xC3\xA9\xC3\" and \x1b[1m\x7F");
	assert_string_equal(err.message, "got \"?\xC3\xA9?\" and ?[1m?");
	assert_string_equal(err.field, "na?me??");
	err_wrap(&err, "bad \xE2\x82");
	assert_string_equal(err.message, "bad ??: got \"?\xC3\xA9?\" and ?[1m?");
	err_hint(&err, "\xF5");
	assert_string_equal(err.hint, "?");
}

static void test_fd_close(void **state UNUSED)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), was = fd;

	assert_true(fd >= 0);
	fd_close(&fd);
	assert_int_equal(fd, -1);
	assert_int_equal(fcntl(was, F_GETFD), -1);
	fd_close(&fd);
	assert_int_equal(fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_is_sound),
		cmocka_unit_test(test_info_out_of_range_aborts),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_set_twice_aborts),
		cmocka_unit_test(test_set_field_and_errno),
		cmocka_unit_test(test_wrap_and_hint),
		cmocka_unit_test(test_long_texts_end_on_a_character),
		cmocka_unit_test(test_wrap_of_a_full_message),
		cmocka_unit_test(test_texts_are_clean),
		cmocka_unit_test(test_fd_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

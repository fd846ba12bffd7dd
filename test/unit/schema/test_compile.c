/*
 * test_compile.c - tables with faults stop the program; problems are kept, cut and given a status.
 */
#include "widget.h"

static void compile(void *rows)
{
	const struct fld *const tables[] = { rows, NULL };
	const struct res_def def = { .type = "x", .tables = tables };

	schema_compile(arena_new("test", 0), &def);
}

static void test_faulty_tables_abort(void **state)
{
	static struct fld no_text[] = { { "a", FLD_STR, 0, "" }, { NULL } };
	static struct fld twice[] = { { "a", FLD_STR, 0, "A field." },
		{ "a", FLD_STR, 0, "Again one." }, { NULL } };
	static struct fld no_parent[] = { { "a.b", FLD_STR, 0, "A field of nothing." }, { NULL } };
	static struct fld no_element[] = { { "a", FLD_OBJECT, FLD_LIST, "A list of them." },
		{ "a.b", FLD_STR, 0, "An element's field." }, { NULL } };
	static struct fld no_values[] = { { "a", FLD_ENUM, 0, "One of no words." }, { NULL } };
	static struct fld bad_when[] = {
		{ "a", FLD_STR, 0, "A field of something.", .when = "type=x" }, { NULL }
	};
	static struct fld bad_default[] = {
		{ "a", FLD_STR, 0, "A field of something.", .def = "GET" }, { NULL }
	};
	static struct fld fine[] = { { "a", FLD_STR, 0, "A field of something." }, { NULL } };

	(void)state;
	assert_true(test_aborts(compile, no_text));
	assert_true(test_aborts(compile, twice));
	assert_true(test_aborts(compile, no_parent));
	assert_true(test_aborts(compile, no_element));
	assert_true(test_aborts(compile, no_values));
	assert_true(test_aborts(compile, bad_when));
	assert_true(test_aborts(compile, bad_default));
	assert_false(test_aborts(compile, fine));
}

static void test_problems(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;

	assert_int_equal(problems_status(&f->p), 200);
	err_set(&err, ERR_PRECONDITION, "changed meanwhile");
	assert_false(problems_add_err(&f->p, &err));
	assert_false(problems_add(&f->p, ERR_REF, "a.b", "look again", "%s is wrong", "a.b"));
	assert_int_equal(f->p.count, 2);
	assert_int_equal(problems_status(&f->p), 412);
	assert_string_equal(f->p.list[1].message, "a.b is wrong");
	assert_string_equal(f->p.list[1].hint, "look again");
	assert_string_equal(f->p.list[1].field, "a.b");
	for (int i = 0; i < 2 * PROBLEMS_MAX; i++)
		problems_add(&f->p, ERR_REF, "x", NULL, "more");
	assert_int_equal(f->p.count, PROBLEMS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_faulty_tables_abort, setup, teardown),
		cmocka_unit_test_setup_teardown(test_problems, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

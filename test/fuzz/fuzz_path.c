/*
 * fuzz_path.c - any bytes as an extract path (the first line) into any record (the rest, or one with
 * every kind of value): what compiles is read the same each time, and finds nodes of the record only.
 */
#include "map/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char record[] =
	"{\"a\":{\"b\":[{\"c\":1},[2,[3]],\"s\"],\"0\":{\"x.y\":true},\"\":null},"
	"\"x.y\":[[[]]],\"*\":{\"[*]\":0},\"list\":[{\"id\":1},{\"id\":2},3]}";

static void check_inside(const struct json *v, const struct json *root)
{
	CHECK(v == NULL || (v >= root && v < json_next(root)));
}

static void check_path(const struct path *p, struct str text, const struct json *root)
{
	CHECK(str_eq(path_text(p), text));
	if (!path_has_star(p)) {
		check_inside(path_get(p, root), root);
		CHECK(path_get(p, root) == path_get(p, root));
		return;
	}
	const struct json *element = NULL;
	size_t n = path_star_elements(p, root, &element);

	CHECK(path_same_star(p, p));
	for (size_t i = 0; i < n; i++, element = json_next(element)) {
		check_inside(element, root);
		check_inside(path_get_behind_star(p, element), root);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	struct err err = ERR_INIT;
	const struct json *root;
	struct path *p = NULL;
	struct str rest, text;
	size_t length;

	if (a == NULL)
		a = arena_new("input", 0);
	arena_reset(a);
	rest = str_of(arena_memdup(a, data, size), size);
	text = str_cut(&rest, '\n');
	if (rest.p == NULL || !json_parse_copy(a, rest, &root, &err)) {
		err_clear(&err);
		CHECK(json_parse_copy(a, str_z(record), &root, &err));
	}
	(void)path_nearest_array(a, root, &length);
	for (int stars = 0; stars < 2; stars++) {
		err_clear(&err);
		if (!path_compile(a, text, stars != 0, &p, &err)) {
			CHECK(err.code == ERR_INVALID && err.message[0] != '\0');
			continue;
		}
		CHECK(stars != 0 || !path_has_star(p));
		check_path(p, text, root);
	}
	return 0;
}

/*
 * world.h - a store on disk with two accounts, keys and the types: what resources live in.
 */
#ifndef TEST_UNIT_RESOURCE_WORLD_H
#define TEST_UNIT_RESOURCE_WORLD_H

#include "test.h"

#include <unistd.h>

#include "core/limits.h"
#include "crypt/token.h"
#include "resource/resource.h"

#define ACCOUNT "5e03061cda20740022300f09"
#define OTHER   "5e03061cda20740022300f0a"

struct world {
	struct arena *a;
	char dir[64];
	struct clock_test clock;
	struct store *store;
	struct key_ring *keys;
	struct resources *r;
	struct problems p;
};

static UNUSED void remove_dir(const char *dir)
{
	static const char *const files[] = { "integrator.db", "integrator.db-wal",
		"integrator.db-shm", "lock", "key" };
	char path[128];

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
}

static bool add_accounts(struct store_conn *c, void *arg, struct err *err)
{
	struct store_account mine = { .id = STR(ACCOUNT), .name = STR("mine"), .created_ms = 1 };
	struct store_account other = { .id = STR(OTHER), .name = STR("other"), .created_ms = 1 };

	(void)arg;
	return store_account_add(c, &mine, err) && store_account_add(c, &other, err);
}

static UNUSED int setup(void **state)
{
	struct arena *a = arena_new("world", 0);
	struct world *w = arena_new_of(a, struct world);
	struct err err = ERR_INIT;

	w->a = a;
	/* in memory where that can be had: what is tested here is not the disk */
	snprintf(w->dir, sizeof(w->dir), "%s/integrator-test-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(w->dir));
	clock_test_init(&w->clock, 1497907629945);
	struct store_config sc = { .dir = w->dir,
		.clock = &w->clock.clock,
		.rng = rng_system(),
		.create = true };

	assert_ok(key_ring_load(a, str_fmt(a, "%s/key", w->dir).p, true, rng_system(), &w->keys,
		&err));
	assert_ok(store_open(&sc, &w->store, &err));
	assert_ok(store_write(w->store, add_accounts, NULL, &err));
	w->r = resources_new(a,
		&(struct resources_config){ w->store, w->keys, &w->clock.clock, rng_system() });
	problems_init(&w->p, a);
	*state = w;
	return 0;
}

static UNUSED int teardown(void **state)
{
	struct world *w = *state;

	store_close(w->store);
	remove_dir(w->dir);
	arena_free(w->a);
	return 0;
}

static UNUSED const struct json *parse(struct world *w, struct str text)
{
	const struct json *doc;
	struct err err = ERR_INIT;

	if (!json_parse_copy(w->a, text, &doc, &err))
		fail_msg("%.*s: %s", STR_ARG(text), err.message);
	return doc;
}

static UNUSED const struct schema *type_of(struct world *w, const char *type)
{
	const struct schema *s = resources_by_type(w->r, str_z(type));

	assert_non_null(s);
	return s;
}

static UNUSED struct str problems_text(struct world *w)
{
	struct str s = STR("");

	for (size_t i = 0; i < w->p.count; i++)
		s = str_fmt(w->a, "%.*s[%s %s: %s]", STR_ARG(s), err_info(w->p.list[i].code)->wire,
			w->p.list[i].field, w->p.list[i].message);
	return s;
}

static UNUSED struct resource_view create(struct world *w, const char *type, const char *body)
{
	struct resource_view v;

	problems_init(&w->p, w->a);
	if (!resource_create(w->r, STR(ACCOUNT), type_of(w, type), parse(w, str_z(body)), w->a, &v,
		    &w->p))
		fail_msg("%s: %s", body, problems_text(w).p);
	return v;
}

static UNUSED struct resource_view create_fmt(struct world *w, const char *type, const char *fmt,
	...) PRINTF(3, 4);
static UNUSED struct resource_view create_fmt(struct world *w, const char *type, const char *fmt,
	...)
{
	va_list ap;

	va_start(ap, fmt);
	struct str body = str_vfmt(w->a, fmt, ap);

	va_end(ap);
	return create(w, type, body.p);
}

/* The value of a top-level text in a view. */
static UNUSED struct str view_str(struct world *w, const struct resource_view *v, const char *path)
{
	const struct json *value = json_get_path(parse(w, v->json), str_z(path));

	return json_is_str(value) ? json_str(value) : STR_NULL;
}

/* The document as it lies in the store. */
static UNUSED struct str stored(struct world *w, const char *type, struct str id)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_resource row;
	struct err err;

	assert_ok(store_read_begin(w->store, &c, &err));
	assert_ok(store_resource_get(c, w->a, STR(ACCOUNT), str_z(type), id, &row, &err));
	return row.document;
}

#define CONNECTION                                                                          \
	"{\"name\":\"Shop\",\"type\":\"rest\",\"rest\":{\"baseURI\":\"https://a.example\"," \
	"\"bearerToken\":\"S3CRET\"}}"

/* Only the first problem's. */
#define assert_problem(w, code_, field_, text)                                                     \
	do {                                                                                       \
		assert_true((w)->p.count > 0);                                                     \
		if ((w)->p.list[0].code != (code_) || strcmp((w)->p.list[0].field, field_) != 0 || \
			strstr((w)->p.list[0].message, text) == NULL)                              \
			fail_msg("%s", problems_text(w).p);                                        \
	} while (0)

#endif

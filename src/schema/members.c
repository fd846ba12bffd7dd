/*
 * members.c - members of objects by name, and paths of values.
 *
 * A body decides how many members an object has, so look-up by walking would let a megabyte of
 * short names cost minutes: above a handful the keys are sorted once (not hashed: no flooding).
 */
#include "schema/schema_priv.h"

#define FEW 16

/* By name, then by place: of duplicates the last one stands last. */
static int by_name(const void *a, const void *b)
{
	const struct json *x = *(const struct json *const *)a, *y = *(const struct json *const *)b;
	int c = str_cmp(json_str(x), json_str(y));

	return c != 0 ? c : (x > y) - (x < y);
}

void members_init(struct members *m, struct arena *a, const struct json *obj)
{
	*m = (struct members){ .obj = obj };
	if (!json_is_object(obj) || obj->n <= FEW)
		return;
	size_t n = 0;

	m->sorted = arena_alloc(a, obj->n * sizeof(const struct json *));
	for (json_each_member(key, obj))
		m->sorted[n++] = key;
	qsort(m->sorted, n, sizeof(const struct json *), by_name);
}

static const struct json *find_few(const struct json *obj, struct str name)
{
	const struct json *found = NULL;

	if (!json_is_object(obj))
		return NULL;
	for (json_each_member(key, obj))
		if (str_eq(json_str(key), name))
			found = key;
	return found;
}

const struct json *members_find(const struct members *m, struct str name)
{
	if (m->sorted == NULL)
		return find_few(m->obj, name);
	size_t lo = 0, hi = m->obj->n; /* the first key behind NAME */

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (str_cmp(json_str(m->sorted[mid]), name) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 && str_eq(json_str(m->sorted[lo - 1]), name) ? m->sorted[lo - 1] : NULL;
}

const struct json *members_twice(const struct members *m)
{
	if (m->sorted == NULL) {
		for (json_each_member(key, m->obj))
			if (find_few(m->obj, json_str(key)) != key)
				return key;
		return NULL;
	}
	for (size_t i = 1; i < m->obj->n; i++)
		if (str_eq(json_str(m->sorted[i - 1]), json_str(m->sorted[i])))
			return m->sorted[i];
	return NULL;
}

static void put(struct walk_path *p, struct str s)
{
	size_t room = sizeof(p->s) - 1 - p->n;

	if (s.n > room) {
		s.n = room;
		while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xC0) == 0x80)
			s.n--;
	}
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		p->s[p->n + i] = c < 0x20 || c == 0x7F ? '?' : (char)c;
	}
	p->n += s.n;
	p->s[p->n] = '\0';
}

#define NAME_SHOWN 64

size_t walk_path_push(struct walk_path *p, struct str name)
{
	size_t old = p->n, n = name.n;

	if (old > 0)
		put(p, STR("."));
	if (n > NAME_SHOWN) {
		n = NAME_SHOWN;
		while (n > 0 && ((unsigned char)name.p[n] & 0xC0) == 0x80)
			n--;
	}
	put(p, str_of(name.p, n));
	if (n < name.n)
		put(p, STR("..."));
	return old;
}

size_t walk_path_push_index(struct walk_path *p, size_t i)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%zu", i);

	return walk_path_push(p, str_of(digits, (size_t)n));
}

void walk_path_pop(struct walk_path *p, size_t n)
{
	p->n = n;
	p->s[n] = '\0';
}

static void check_twice(const struct json *v, struct walk_path *path, struct arena *a,
	struct problems *p)
{
	if (v->type == JSON_ARRAY) {
		size_t i = 0;

		for (json_each (it, v)) {
			size_t old = walk_path_push_index(path, i++);

			check_twice(it, path, a, p);
			walk_path_pop(path, old);
		}
	}
	if (v->type != JSON_OBJECT)
		return;
	struct arena_mark mark = arena_mark(a);
	struct members m;

	members_init(&m, a, v);
	const struct json *twice = members_twice(&m);

	arena_rewind(a, mark);
	if (twice != NULL) {
		size_t old = walk_path_push(path, json_str(twice));

		problems_add(p, ERR_INVALID, path->s, "leave one of them out",
			"%s appears twice in the same object", path->s);
		walk_path_pop(path, old);
	}
	for (json_each_member(key, v)) {
		if (json_value(key)->type < JSON_ARRAY)
			continue;
		size_t old = walk_path_push(path, json_str(key));

		check_twice(json_value(key), path, a, p);
		walk_path_pop(path, old);
	}
}

static void add_unknown(struct str name, const char *names, struct problems *p)
{
	struct walk_path path = { .n = 0 };
	struct str near = hint_word(names, name), rest = str_z(names), hint;

	if (rest.n == 0) {
		hint = STR("leave it out: there is none");
	} else if (near.p != NULL) {
		hint = str_fmt(p->arena, "did you mean %.*s?", STR_ARG(near));
	} else {
		hint = str_fmt(p->arena, "known: %.*s", STR_ARG(str_cut(&rest, '|')));
		while (rest.p != NULL)
			hint = str_fmt(p->arena, "%.*s, %.*s", STR_ARG(hint),
				STR_ARG(str_cut(&rest, '|')));
	}
	(void)walk_path_push(&path, name);
	problems_add(p, ERR_UNKNOWN_FIELD, path.s, hint.p, "there is no field %s here", path.s);
}

static bool is_one_of(const char *names, struct str name)
{
	struct str rest = str_z(names);

	while (rest.p != NULL)
		if (str_eq(str_cut(&rest, '|'), name))
			return true;
	return false;
}

bool schema_check_members(const struct json *body, const char *names, struct problems *p)
{
	size_t before = p->count;

	if (!json_is_object(body))
		return problems_add(p, ERR_INVALID, "", NULL,
			"the body must be a JSON object; found %s",
			value_found(p->arena, body, false).p);
	for (json_each_member(key, body))
		if (!is_one_of(names, json_str(key)))
			add_unknown(json_str(key), names, p);
	return p->count == before;
}

bool schema_check_twice(const struct json *doc, struct problems *p)
{
	struct arena *scratch DEFER(arena_freep) = arena_new("scratch", 0);
	struct walk_path path = { .n = 0 };
	size_t before = p->count;

	check_twice(doc, &path, scratch, p);
	return p->count == before;
}

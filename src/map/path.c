/*
 * path.c - a path is compiled to steps: a name, an index, or the star of list mappings.
 *
 * A step written as digits between dots keeps both readings: its name for objects, its number for
 * arrays.
 */
#include "map/path_priv.h"

struct reader {
	struct str text;
	size_t at;
	struct path *path;
	struct arena *arena;
	struct err *err;
};

static bool fail(struct reader *r, const char *what)
{
	return err_set(r->err, ERR_INVALID, "path \"%.*s\", position %zu: %s", STR_ARG(r->text),
		r->at + 1, what);
}

static struct step *add(struct reader *r, enum step_kind kind)
{
	if (r->path->count == PATH_STEPS_MAX)
		return NULL;
	struct step *s = &r->path->steps[r->path->count++];

	*s = (struct step){ .kind = kind };
	return s;
}

/* A name up to the next '.', '[' or the end. */
static bool read_name(struct reader *r)
{
	size_t from = r->at;

	while (r->at < r->text.n && r->text.p[r->at] != '.' && r->text.p[r->at] != '[') {
		if (r->text.p[r->at] == ']' || r->text.p[r->at] == '{' || r->text.p[r->at] == '}')
			return fail(r,
				"this character can't be in a name without brackets and quotes");
		r->at++;
	}
	if (r->at == from)
		return fail(r, "expected a name");
	struct step *s = add(r, STEP_NAME);

	if (s == NULL)
		return fail(r, "the path has too many steps");
	s->name = str_dup(r->arena, str_sub(r->text, from, r->at - from));
	if (str_to_u64(s->name, &s->index))
		s->kind = STEP_EITHER;
	return true;
}

/* ["name"], where \" and \\ stand for themselves; R is at the quote. */
static bool read_quoted(struct reader *r)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	for (r->at++; r->at < r->text.n && r->text.p[r->at] != '"'; r->at++) {
		if (r->text.p[r->at] == '\\' && r->at + 1 < r->text.n)
			r->at++;
		buf_add_char(&b, r->text.p[r->at]);
	}
	if (r->at == r->text.n)
		return fail(r, "expected '\"'");
	r->at++;
	struct step *s = add(r, STEP_NAME);

	if (s == NULL)
		return fail(r, "the path has too many steps");
	s->name = str_dup(r->arena, buf_str(&b));
	return true;
}

static bool read_number(struct reader *r)
{
	size_t from = r->at;

	while (r->at < r->text.n && (unsigned)(r->text.p[r->at] - '0') <= 9)
		r->at++;
	struct step *s = add(r, STEP_INDEX);

	if (s == NULL)
		return fail(r, "the path has too many steps");
	return str_to_u64(str_sub(r->text, from, r->at - from), &s->index) ||
	       fail(r, "expected an index, '*' or a name in quotes");
}

static bool add_star(struct reader *r, bool stars)
{
	if (!stars)
		return fail(r, "[*] has a meaning in the fields of a list only");
	if (add(r, STEP_STAR) == NULL)
		return fail(r, "the path has too many steps");
	if (r->path->star == 0)
		r->path->star = r->path->count;
	r->at++;
	return true;
}

/* What stands in brackets; R is at the '['. */
static bool read_bracket(struct reader *r, bool stars)
{
	char c = r->at + 1 < r->text.n ? r->text.p[r->at + 1] : '\0';

	r->at++;
	if (c == '*') {
		if (!add_star(r, stars))
			return false;
	} else if (!(c == '"' ? read_quoted(r) : read_number(r))) {
		return false;
	}
	if (r->at == r->text.n || r->text.p[r->at] != ']')
		return fail(r, "expected ']'");
	r->at++;
	return true;
}

/* `*.sku`: another way to write `[*].sku`. */
static bool is_bare_star(struct str text)
{
	return text.n > 0 && text.p[0] == '*' &&
	       (text.n == 1 || text.p[1] == '.' || text.p[1] == '[');
}

bool path_compile(struct arena *a, struct str text, bool stars, struct path **out, struct err *err)
{
	struct path *p = arena_new_of(a, struct path);
	struct reader r = { .text = text, .path = p, .arena = a, .err = err };

	p->text = str_dup(a, text);
	if (text.n == 0)
		return fail(&r, "expected a name");
	if (is_bare_star(text) && !add_star(&r, stars))
		return false;
	while (r.at < text.n) {
		bool bracket = text.p[r.at] == '[';

		if (!bracket && r.at > 0) {
			if (text.p[r.at] != '.')
				return fail(&r, "expected '.' or '['");
			r.at++;
		}
		if (!(bracket ? read_bracket(&r, stars) : read_name(&r)))
			return false;
	}
	*out = p;
	return true;
}

struct str path_text(const struct path *p)
{
	return p->text;
}

bool path_has_star(const struct path *p)
{
	return p->star != 0;
}

/* As json_get(), but most members are told apart by length and first byte, without a call. */
static const struct json *member(const struct json *obj, struct str name)
{
	const struct json *found = NULL;

	if (!json_is_object(obj))
		return NULL;
	for (json_each_member(key, obj))
		if (key->n == name.n &&
			(name.n == 0 ||
				(key->s[0] == name.p[0] && memcmp(key->s, name.p, name.n) == 0)))
			found = json_value(key);
	return found;
}

static const struct json *step(const struct step *s, const struct json *v)
{
	switch (s->kind) {
	case STEP_NAME:
		return member(v, s->name);
	case STEP_INDEX:
		return json_at(v, s->index);
	case STEP_STAR:
		return json_at(v, 0);
	default:
		return json_is_array(v) ? json_at(v, s->index) : member(v, s->name);
	}
}

static const struct json *walk(const struct path *p, size_t from, size_t until,
	const struct json *v)
{
	for (size_t i = from; v != NULL && i < until; i++)
		v = step(&p->steps[i], v);
	return v;
}

/* A record that is an array of rows: the first row is meant, unless the path counts itself. */
static const struct json *row_of(const struct path *p, const struct json *record)
{
	return json_is_array(record) && p->steps[0].kind == STEP_NAME ? json_at(record, 0) : record;
}

const struct json *path_get(const struct path *p, const struct json *record)
{
	return walk(p, 0, p->count, row_of(p, record));
}

bool path_same_star(const struct path *a, const struct path *b)
{
	bool same = a->star == b->star;

	for (size_t i = 0; same && i + 1 < a->star; i++) {
		const struct step *x = &a->steps[i], *y = &b->steps[i];

		same = x->kind == y->kind &&
		       (x->kind == STEP_INDEX ? x->index == y->index : str_eq(x->name, y->name));
	}
	return same;
}

size_t path_star_elements(const struct path *p, const struct json *record,
	const struct json **first)
{
	const struct json *v = walk(p, 0, p->star - 1, row_of(p, record));

	if (json_is_array(v)) {
		*first = v + 1;
		return v->n;
	}
	*first = p->star == 1 ? v : NULL;
	return *first != NULL;
}

const struct json *path_get_behind_star(const struct path *p, const struct json *element)
{
	return walk(p, p->star, p->count, element);
}

#define NEAREST_LEVELS 3

struct nearest {
	struct arena *arena;
	struct str path;
	size_t length;
};

static void look(struct nearest *n, const struct json *v, struct str path, unsigned level)
{
	if (json_is_array(v) && path.n > 0 && (n->path.p == NULL || v->n > n->length)) {
		n->path = path;
		n->length = v->n;
	}
	if (!json_is_object(v) || level == NEAREST_LEVELS)
		return;
	for (json_each_member(key, v))
		look(n, json_value(key),
			path.n == 0 ? json_str(key)
				    : str_fmt(n->arena, "%.*s.%.*s", STR_ARG(path),
					      STR_ARG(json_str(key))),
			level + 1);
}

struct str path_nearest_array(struct arena *a, const struct json *doc, size_t *length)
{
	struct nearest n = { .arena = a, .path = STR_NULL };

	look(&n, doc, STR(""), 0);
	*length = n.length;
	return n.path;
}

/*
 * mapping_compile.c - JSON of a mapping to fields and a tree of targets; all faults are found here.
 */
#include "map/mapping_priv.h"

struct compiler {
	struct arena *arena;
	struct map *lookups; /* by name; NULL: none */
	struct mapping *mapping;
	struct err *err;
	char at[ERR_FIELD_MAX]; /* path of what is being compiled: "mapping.fields.3" */
};

static bool fail(struct compiler *c, const char *member, const char *fmt, ...) PRINTF(3, 4);

static bool fail(struct compiler *c, const char *member, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	struct str text = str_vfmt(c->arena, fmt, ap);

	va_end(ap);
	return err_set_field(c->err, ERR_INVALID, str_fmt(c->arena, "%s.%s", c->at, member).p,
		"%.*s", STR_ARG(text));
}

/* Puts the field's place into an error that a path or template reported. */
static bool place(struct compiler *c, const char *member)
{
	snprintf(c->err->field, sizeof(c->err->field), "%.100s.%s", c->at, member);
	return false;
}

/* ---- lookups ---- */

static bool is_true(const struct json *v)
{
	return v != NULL &&
	       (v->type == JSON_TRUE || (v->type == JSON_STRING && str_eq_z(json_str(v), "true")));
}

static void add_lookup(struct compiler *c, const struct json *doc)
{
	struct lookup *l = arena_new_of(c->arena, struct lookup);
	const struct json *table = json_get(doc, STR("map"));

	l->name = json_get_str(doc, STR("name"));
	l->allow_failures = is_true(json_get(doc, STR("allowFailures")));
	l->def = json_get(doc, STR("default"));
	if (l->name.p == NULL)
		return;
	if (json_is_object(table)) {
		l->map = map_new(c->arena);
		for (json_each_member(key, table))
			map_put(l->map, json_str(key), (void *)(uintptr_t)json_value(key));
	}
	map_put(c->lookups, l->name, l);
}

/* ---- targets ---- */

/* What stands before the value of a target, padded for json_print_behind(). */
static struct str key_text(struct compiler *c, struct str name)
{
	static const char pad[JSON_PREFIX_PAD];
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	buf_add_char(&b, ',');
	json_print_str(&b, name);
	buf_add_char(&b, ':');
	buf_add(&b, pad, sizeof(pad));
	return str_sub(str_dup(c->arena, buf_str(&b)), 0, b.n - sizeof(pad));
}

static struct target *child(struct compiler *c, struct target *in, struct str name)
{
	struct target **at = &in->first;

	for (; *at != NULL; at = &(*at)->next)
		if (str_eq((*at)->name, name))
			return *at;
	*at = arena_new_of(c->arena, struct target);
	(*at)->name = name;
	(*at)->key = key_text(c, name);
	return *at;
}

/* The target of a `generate` path, with the objects on its way. */
static struct target *target_of(struct compiler *c, struct target *root, struct str generate)
{
	struct str rest = generate;
	struct target *t = root;
	size_t depth = 0;

	while (rest.p != NULL) {
		struct str name = str_cut(&rest, '.');

		if (depth++ == PATH_STEPS_MAX) {
			fail(c, "generate", "\"%.*s\" has more than %d names",
				STR_ARG(str_sub(generate, 0, 64)), PATH_STEPS_MAX);
			return NULL;
		}
		if (name.n == 0) {
			fail(c, "generate", "\"%.*s\" has an empty name", STR_ARG(generate));
			return NULL;
		}
		if (t->field != 0 || t->list != NULL) {
			fail(c, "generate",
				"\"%.*s\" lies inside a value that another field generates",
				STR_ARG(generate));
			return NULL;
		}
		t = child(c, t, name);
	}
	if (t->field != 0 || t->list != NULL || t->first != NULL) {
		fail(c, "generate", "\"%.*s\" is generated twice", STR_ARG(generate));
		return NULL;
	}
	return t;
}

/* ---- fields ---- */

static bool read_extract(struct compiler *c, const struct json *doc, bool stars, struct field *f)
{
	struct str extract = json_get_str(doc, STR("extract"));

	f->hard_coded = json_get(doc, STR("hardCodedValue"));
	if (extract.p == NULL)
		return true;
	if (f->hard_coded != NULL)
		return fail(c, "hardCodedValue",
			"a field has either an extract or a hardCodedValue");
	if (str_find_char(extract, '{') != STR_NPOS)
		return template_compile(c->arena, extract, TEMPLATE_TEXT, &f->template, c->err) ||
		       place(c, "extract");
	return path_compile(c->arena, extract, stars, &f->path, c->err) || place(c, "extract");
}

static bool find_lookup(struct compiler *c, struct str name, const char *member,
	struct lookup **out)
{
	*out = map_get(c->lookups, name);
	return *out != NULL || fail(c, member, "there is no lookup named \"%.*s\"", STR_ARG(name));
}

static bool read_lookup(struct compiler *c, const struct json *doc, struct field *f)
{
	const char *member = "lookupName";
	struct str name = json_get_str(doc, STR("lookupName"));

	if (name.p == NULL) {
		member = "lookup";
		name = json_get_str(doc, STR("lookup"));
	}
	return name.p == NULL || find_lookup(c, name, member, &f->lookup);
}

static bool read_type(struct compiler *c, const struct json *doc, struct field *f)
{
	static const char *const names[] = { "", "string", "number", "boolean", "stringarray",
		"numberarray", "booleanarray", "objectarray" };
	struct str name = json_get_str(doc, STR("dataType"));

	if (name.p == NULL)
		return true;
	for (size_t i = 1; i < ARRAY_LEN(names); i++) {
		if (str_eq_ci(name, str_z(names[i]))) {
			f->type = (enum data_type)i;
			return true;
		}
	}
	return fail(c, "dataType",
		"\"%.*s\" is none of string, number, boolean, stringarray, numberarray, "
		"booleanarray, objectarray",
		STR_ARG(name));
}

/* ---- conditions ---- */

static bool check_when(struct compiler *c, const struct field *f, bool in_list)
{
	static const char at[] = "conditional.when";

	switch (f->when) {
	case WHEN_EXTRACT_NOT_EMPTY:
		return f->path != NULL || f->template != NULL ||
		       fail(c, at, "extract_not_empty needs an extract");
	case WHEN_LOOKUP_NOT_EMPTY:
	case WHEN_LOOKUP_EMPTY:
		return f->lookup != NULL || f->when_lookup != NULL ||
		       fail(c, at,
			       "this condition needs a lookup: lookupName or "
			       "conditional.lookupName");
	case WHEN_IGNORE_IF_SET:
		return !in_list ||
		       fail(c, at,
			       "ignore_if_set has no meaning in a list, whose lines are made "
			       "anew");
	default:
		return true;
	}
}

static bool read_when(struct compiler *c, const struct json *doc, bool in_list, struct field *f)
{
	static const char *const names[] = { "", "extract_not_empty", "lookup_not_empty",
		"lookup_empty", "record_created", "record_updated", "ignore_if_set" };
	const struct json *conditional = json_get(doc, STR("conditional"));
	struct str lookup = json_get_str(conditional, STR("lookupName"));
	struct str name = json_get_str(conditional, STR("when"));

	if (lookup.p != NULL && !find_lookup(c, lookup, "conditional.lookupName", &f->when_lookup))
		return false;
	if (name.p == NULL)
		return lookup.p == NULL ||
		       fail(c, "conditional.when", "the lookup of a condition needs a when");
	for (size_t i = 1; i < ARRAY_LEN(names); i++) {
		if (str_eq_z(name, names[i])) {
			f->when = (enum when)i;
			return check_when(c, f, in_list);
		}
	}
	return fail(c, "conditional.when", "\"%.*s\" is no condition that is known", STR_ARG(name));
}

/* ---- dates ---- */

static bool read_format(struct compiler *c, const struct json *doc, const char *member,
	enum datetime_use use, struct datetime_format **out)
{
	struct str text = json_get_str(doc, str_z(member));

	return text.p == NULL || datetime_format_compile(c->arena, text, use, out, c->err) ||
	       place(c, member);
}

static bool read_zone(struct compiler *c, const struct json *doc, const char *member,
	const struct zone **out)
{
	struct str name = json_get_str(doc, str_z(member));

	return name.p == NULL || timezone_find(name, out, c->err) || place(c, member);
}

static bool read_dates(struct compiler *c, const struct json *doc, struct field *f)
{
	struct dates d = { .read = NULL };

	if (!read_format(c, doc, "extractDateFormat", DATETIME_READ, &d.read) ||
		!read_format(c, doc, "generateDateFormat", DATETIME_PRINT, &d.print) ||
		!read_zone(c, doc, "extractDateTimezone", &d.read_zone))
		return false;
	d.print_zone = d.read_zone;
	if (!read_zone(c, doc, "generateDateTimezone", &d.print_zone))
		return false;
	if (d.read != NULL || d.print != NULL || d.print_zone != NULL)
		f->dates = arena_memdup(c->arena, &d, sizeof(d));
	return true;
}

/* ---- blocks ---- */

/* Does it print as it stands, between quotes? */
static bool is_plain(struct str s)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	json_print_str(&b, s);
	return b.n == s.n + 2;
}

/* What a template in single braces wants of the record. */
static void gather_pieces(struct compiler *c, struct field *f)
{
	const struct path *path;
	struct str literal;
	size_t n = 0;

	if (template_is_constant(f->template))
		return;
	while (template_part(f->template, n, &literal, &path))
		n++;
	if (n == 0)
		return;
	f->pieces = arena_array_of(c->arena, struct piece, n);
	f->piece_count = n;
	f->plain = true;
	for (size_t i = 0; i < n && template_part(f->template, i, &literal, &path); i++) {
		struct piece *p = &f->pieces[i];

		*p = (struct piece){ literal, GATHER_NPOS };
		if (path != NULL)
			*p = (struct piece){ STR_NULL, gather_add(c->mapping->gather, path) };
		f->plain = f->plain && is_plain(p->literal);
	}
}

/* What the field's source wants of the record; with a [*], find_stars() sees to it. */
static void gather_source(struct compiler *c, struct field *f)
{
	if (f->template != NULL)
		gather_pieces(c, f);
	else if (f->path != NULL && !path_has_star(f->path))
		f->slot = gather_add(c->mapping->gather, f->path);
	f->as_it_is = f->template == NULL && f->lookup == NULL && f->when == WHEN_ALWAYS &&
		      f->dates == NULL && f->type == DATA_AS_IS && !f->discard_if_empty;
}

static bool add_field(struct compiler *c, struct block *b, const struct json *doc, bool stars)
{
	struct field *f = &b->fields[b->count];

	f->generate = json_get_str(doc, STR("generate"));
	f->def = json_get(doc, STR("default"));
	if (f->generate.p == NULL)
		return fail(c, "generate", "a field needs the name it generates");
	f->discard_if_empty = is_true(json_get(doc, STR("discardIfEmpty")));
	if (!read_extract(c, doc, stars, f) || !read_lookup(c, doc, f) ||
		!read_when(c, doc, stars, f) || !read_dates(c, doc, f) || !read_type(c, doc, f))
		return false;
	if (f->path == NULL && f->template == NULL && f->hard_coded == NULL && f->lookup == NULL &&
		f->def == NULL)
		return fail(c, "extract", "a field needs an extract, a hardCodedValue or a lookup");
	struct target *t = target_of(c, &b->root, f->generate);

	if (t == NULL)
		return false;
	t->field = ++b->count;
	gather_source(c, f);
	return true;
}

static bool add_fields(struct compiler *c, struct block *b, const struct json *docs, const char *at,
	bool stars)
{
	size_t i = 0;

	if (!json_is_array(docs))
		return true;
	b->fields = arena_array_of(c->arena, struct field, MAX(docs->n, 1));
	for (json_each (doc, docs)) {
		snprintf(c->at, sizeof(c->at), "%s.%zu", at, i++);
		if (!add_field(c, b, doc, stars))
			return false;
	}
	return true;
}

/* Finds the arrays that the list's fields walk: fields that walk the same share a cursor. */
static void find_stars(struct compiler *c, struct list *l)
{
	l->stars = arena_array_of(c->arena, struct star, MAX(l->block.count, 1));
	for (size_t i = 0; i < l->block.count; i++) {
		struct field *f = &l->block.fields[i];
		size_t k = 0;

		if (f->path == NULL || !path_has_star(f->path))
			continue;
		while (k < l->star_count && !path_same_star(l->stars[k].path, f->path))
			k++;
		struct star *s = &l->stars[k];

		if (k == l->star_count) {
			s->path = f->path;
			s->slot = gather_add_star(c->mapping->gather, f->path);
			s->line = gather_new(c->arena, &l->slot_count);
			l->star_count++;
		}
		f->star = k + 1;
		f->slot = gather_add_behind_star(s->line, f->path);
	}
	for (size_t k = 0; k < l->star_count; k++)
		gather_finish(l->stars[k].line);
}

static bool add_list(struct compiler *c, struct block *body, const struct json *doc, size_t i)
{
	struct list *l = arena_new_of(c->arena, struct list);
	struct str generate = json_get_str(doc, STR("generate"));

	snprintf(c->at, sizeof(c->at), "mapping.lists.%zu", i);
	if (generate.p == NULL)
		return fail(c, "generate", "a list needs the name it generates");
	struct target *t = target_of(c, &body->root, generate);

	if (t == NULL)
		return false;
	t->list = l;
	if (!add_fields(c, &l->block, json_get(doc, STR("fields")),
		    str_fmt(c->arena, "mapping.lists.%zu.fields", i).p, true))
		return false;
	find_stars(c, l);
	return true;
}

bool mapping_compile(struct arena *a, const struct json *mapping, const struct json *lookups,
	struct mapping **out, struct err *err)
{
	struct compiler c = { .arena = a, .err = err, .lookups = map_new(a) };
	struct mapping *m = arena_new_of(a, struct mapping);
	const struct json *lists = json_get(mapping, STR("lists"));
	size_t i = 0;

	c.mapping = m;
	m->gather = gather_new(a, &m->slot_count);
	m->identity = mapping == NULL || mapping->type == JSON_NULL;
	if (json_is_array(lookups))
		for (json_each (doc, lookups))
			add_lookup(&c, doc);
	if (!add_fields(&c, &m->body, json_get(mapping, STR("fields")), "mapping.fields", false))
		return false;
	if (json_is_array(lists))
		for (json_each (doc, lists))
			if (!add_list(&c, &m->body, doc, i++))
				return false;
	gather_finish(m->gather);
	*out = m;
	return true;
}

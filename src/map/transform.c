/*
 * transform.c - each set of rules is written as the document of a mapping, and that is compiled.
 *
 * Rules whose generate holds [*] are gathered to lists by what stands before it. Where each rule went is
 * remembered, so that a fault in the mapping is told at the rule that it came from.
 */
#include "core/limits.h"
#include "core/map.h"
#include "map/mapping.h"
#include "map/rules_priv.h"
#include "map/transform.h"

#define STAR "[*]."

struct transform {
	struct mapping *sets[LIMIT_TRANSFORM_SETS];
	size_t count; /* 0: records pass unchanged */
};

/* One array of the mapping document: its fields, or those of one of its lists. */
struct part {
	struct str generate; /* of a list */
	size_t *rules;       /* the indexes of the rules in it, in order */
	size_t count;
};

struct compiler {
	struct arena *arena;
	struct err *err;
	const struct json **rules; /* of the set */
	size_t count;
	struct part fields;
	struct map *lists; /* struct part by generate */
	const char *at;    /* "transform.rules.0" */
};

/* ---- sorting ---- */

static size_t star_of(struct str generate)
{
	return str_find(generate, STR("[*]"));
}

static void add_rule(struct compiler *c, struct part *p, size_t rule)
{
	if (p->rules == NULL)
		p->rules = arena_array_of(c->arena, size_t, c->count);
	p->rules[p->count++] = rule;
}

static struct part *list_of(struct compiler *c, struct str generate)
{
	struct part *p = map_get(c->lists, generate);

	if (p == NULL) {
		p = arena_new_of(c->arena, struct part);
		p->generate = generate;
		map_put(c->lists, generate, p);
	}
	return p;
}

static bool refuse(struct compiler *c, size_t rule, const char *member, const char *what)
{
	return err_set_field(c->err, ERR_INVALID,
		str_fmt(c->arena, "%s.%zu%s", c->at, rule, member).p, "%s", what);
}

/* No field table stands before these: the rules are one field of any JSON. */
static bool check_members(struct compiler *c, size_t i)
{
	static const char *const texts[] = { "extract", "generate", "dataType", "extractDateFormat",
		"extractDateTimezone", "generateDateFormat", "generateDateTimezone" };

	for (json_each_member(key, c->rules[i])) {
		struct str name = json_str(key);
		const char *member = str_fmt(c->arena, ".%.*s", STR_ARG(name)).p;
		size_t k = 0;

		if (str_eq(name, STR("hardCodedValue")) || str_eq(name, STR("default")))
			continue;
		while (k < ARRAY_LEN(texts) && !str_eq_z(name, texts[k]))
			k++;
		if (k == ARRAY_LEN(texts))
			return refuse(c, i, member,
				"a rule has extract, generate, hardCodedValue, dataType, default "
				"and the formats and time zones of dates");
		if (json_value(key)->type != JSON_STRING)
			return refuse(c, i, member, "this must be a string");
	}
	return true;
}

static bool sort_rule(struct compiler *c, size_t i)
{
	const struct json *rule = c->rules[i];

	if (!json_is_object(rule))
		return refuse(c, i, "", "a rule is an object with extract and generate");
	if (!check_members(c, i))
		return false;
	struct str generate = json_get_str(rule, STR("generate"));

	if (generate.n == 0)
		return refuse(c, i, ".generate", "a rule needs the name it generates");
	size_t star = star_of(generate);

	if (star == STR_NPOS) {
		add_rule(c, &c->fields, i);
		return true;
	}
	struct str inside = str_from(generate, star + strlen(STAR));

	if (star == 0 || inside.n == 0 || !str_starts(str_from(generate, star), STR(STAR)))
		return refuse(c, i, ".generate",
			"[*] stands behind the array's name and before a field of its elements, as "
			"in lines[*].sku");
	if (star_of(inside) != STR_NPOS)
		return refuse(c, i, ".generate", "arrays of arrays can't be generated");
	add_rule(c, list_of(c, str_sub(generate, 0, star)), i);
	return true;
}

/* ---- the mapping's document ---- */

static void write_rule(struct compiler *c, const struct json *rule, bool in_list,
	struct json_build *b)
{
	struct str generate = json_get_str(rule, STR("generate"));

	if (in_list)
		generate = str_from(generate, star_of(generate) + strlen(STAR));
	json_build_object(b);
	for (json_each_member(key, rule))
		if (!str_eq(json_str(key), STR("generate")))
			json_add_copy(b, json_str(key), json_value(key));
	json_add_str(b, STR("generate"), str_dup(c->arena, generate));
	json_build_end(b);
}

static void write_fields(struct compiler *c, const struct part *p, struct json_build *b)
{
	json_build_key(b, STR("fields"));
	json_build_array(b);
	for (size_t i = 0; i < p->count; i++)
		write_rule(c, c->rules[p->rules[i]], p->generate.p != NULL, b);
	json_build_end(b);
}

static const struct json *write_mapping(struct compiler *c)
{
	struct json_build b;

	json_build_init(&b, c->arena);
	json_build_object(&b);
	write_fields(c, &c->fields, &b);
	json_build_key(&b, STR("lists"));
	json_build_array(&b);
	for (size_t i = 0; i < map_count(c->lists); i++) {
		const struct part *p = map_value_at(c->lists, i);

		json_build_object(&b);
		json_add_str(&b, STR("generate"), p->generate);
		write_fields(c, p, &b);
		json_build_end(&b);
	}
	json_build_end(&b);
	json_build_end(&b);
	return json_build_done(&b);
}

/* ---- faults ---- */

/* "12.rest" behind PREFIX in *FIELD: the number, and *FIELD moved to ".rest" or "". */
static bool take_index(struct str *field, struct str prefix, size_t *index)
{
	uint64_t i;

	if (!str_starts(*field, prefix))
		return false;
	struct str rest = str_from(*field, prefix.n);
	size_t dot = str_find_char(rest, '.');

	if (!str_to_u64(str_sub(rest, 0, dot), &i))
		return false;
	*index = i;
	*field = dot == STR_NPOS ? STR("") : str_from(rest, dot);
	return true;
}

/* The mapping's place of a fault, as the place of the rule that it came from. */
static bool replace_field(struct compiler *c)
{
	struct str field = c->err == NULL ? STR("") : str_dup(c->arena, str_z(c->err->field));
	const struct part *p = &c->fields;
	size_t list, i = 0;

	if (take_index(&field, STR("mapping.lists."), &list)) {
		p = map_value_at(c->lists, list);
		if (!take_index(&field, STR(".fields."), &i))
			field = STR(".generate"); /* of the list: of its first rule */
	} else if (!take_index(&field, STR("mapping.fields."), &i)) {
		return false;
	}
	snprintf(c->err->field, sizeof(c->err->field), "%s.%zu%.*s", c->at, p->rules[i],
		STR_ARG(field));
	return false;
}

/* ---- sets ---- */

static bool compile_set(struct arena *a, const struct json *set, const char *at,
	struct mapping **out, struct err *err)
{
	struct compiler c = { .arena = a,
		.err = err,
		.at = at,
		.lists = map_new(a),
		.count = set->n };
	size_t i = 0;

	if (set->n > LIMIT_TRANSFORM_RULES)
		return err_set_field(err, ERR_LIMIT, at, "at most %d rules can be in a set",
			LIMIT_TRANSFORM_RULES);
	c.rules = arena_array_of(a, const struct json *, MAX(set->n, 1));
	for (json_each (rule, set))
		c.rules[i++] = rule;
	for (i = 0; i < c.count; i++)
		if (!sort_rule(&c, i))
			return false;
	return mapping_compile(a, write_mapping(&c), NULL, out, err) || replace_field(&c);
}

static bool add_set(struct transform *t, struct arena *a, const struct json *set, const char *at,
	struct err *err)
{
	if (!json_is_array(set))
		return err_set_field(err, ERR_INVALID, at, "a set of rules is an array; found %s",
			json_type_phrase(set->type));
	if (set->n == 0)
		return true;
	if (t->count == LIMIT_TRANSFORM_SETS)
		return err_set_field(err, ERR_LIMIT, at,
			"at most %d sets of rules can follow each "
			"other",
			LIMIT_TRANSFORM_SETS);
	if (!compile_set(a, set, at, &t->sets[t->count], err))
		return false;
	t->count++;
	return true;
}

bool transform_compile(struct arena *a, const struct json *transform, const char *at,
	struct transform **out, struct err *err)
{
	struct transform *t = arena_new_of(a, struct transform);
	const struct json *rules;
	const char *field;
	size_t i = 0;

	if (!rules_find(a, transform, at, "[[{\"extract\": \"a\", \"generate\": \"b\"}]]", &rules,
		    &field, err))
		return false;
	if (rules != NULL && json_is_object(json_at(rules, 0))) {
		if (!add_set(t, a, rules, field, err))
			return false;
	} else if (rules != NULL) {
		for (json_each (set, rules))
			if (!add_set(t, a, set, str_fmt(a, "%s.%zu", field, i++).p, err))
				return false;
	}
	*out = t;
	return true;
}

/* A rule may copy the whole record: what each set made is held against the arena's cap. */
static bool apply_set(const struct mapping *set, const struct json *record, struct json_build *b,
	struct err *err)
{
	return mapping_apply(set, record, NULL, b, err) && arena_check(b->arena, err);
}

bool transform_apply(const struct transform *t, const struct json *record, struct json_build *b,
	struct err *err)
{
	for (size_t i = 0; i + 1 < t->count; i++) {
		struct json_build between;

		json_build_init(&between, b->arena);
		if (!apply_set(t->sets[i], record, &between, err))
			return false;
		record = json_build_done(&between);
	}
	if (t->count > 0)
		return apply_set(t->sets[t->count - 1], record, b, err);
	json_build_copy(b, record);
	return true;
}

/*
 * validate.c - one walk over the tree of rows beside the body and the stored document.
 *
 * Every row of an object is met in table order and writes its value, so that the result is in that
 * order whatever the body's was. A value at fault is reported and null written in its place: the
 * walk goes on to find the rest, and the result is thrown away at the end.
 */
#include "schema/schema_priv.h"

struct walk {
	const struct schema *s;
	const struct json *root;
	struct problems *p;
	struct json_build b;
	struct walk_path path;
	/* Whom secrets are sent to, when that is another than the stored ones are for; NULL: the same. */
	const struct node *receiver;
	struct str receiver_now, receiver_stored;
	bool create; /* nothing is stored yet */
};

enum holds { HOLDS_NO, HOLDS_YES, HOLDS_UNKNOWN };

static bool full(const struct walk *w)
{
	return w->p->count == PROBLEMS_MAX;
}

/* Null, or an object of nothing but such values: absent. */
static bool is_blank(const struct json *v)
{
	if (v->type == JSON_NULL)
		return true;
	if (v->type != JSON_OBJECT)
		return false;
	for (json_each_member(key, v))
		if (!is_blank(json_value(key)))
			return false;
	return true;
}

/* The value of a field that conditions ask for, or its default; NULL: it has none. */
static const struct json *value_asked_for(const struct walk *w, const struct node *n)
{
	const struct json *v = node_value(n, w->root);

	return v == NULL || v->type == JSON_NULL ? n->def : v;
}

/* The word that N, missing or misspelt, must have been meant to hold: the one whose section is given, or
 * the only one there is. p NULL: nobody can say. */
static struct str word_meant(const struct walk *w, const struct node *n)
{
	struct str word = STR_NULL;

	for (each_kid(k, n->parent)) {
		const struct json *v = k->when_node == n ? node_value(k, w->root) : NULL;

		if (v == NULL || v->type == JSON_NULL ||
			str_find_char(k->when_values, '|') != STR_NPOS)
			continue;
		if (word.p != NULL && !str_eq(word, k->when_values))
			return STR_NULL;
		word = k->when_values;
	}
	if (word.p == NULL && strchr(n->fld->values, '|') == NULL)
		word = str_z(n->fld->values);
	return word;
}

/* Does the row's condition hold? Unknown while the field it asks for is missing or wrong itself, and
 * nothing else tells what it was meant to be. */
static enum holds holds(const struct walk *w, const struct node *n)
{
	if (n->when_node == NULL)
		return HOLDS_YES;
	const struct fld *asked = n->when_node->fld;
	const struct json *v = value_asked_for(w, n->when_node);
	struct str word = STR_NULL;

	if (v == NULL && (asked->flags & FLD_REQUIRED) == 0)
		return HOLDS_NO;
	if (json_is_str(v))
		word = json_str(v);
	if (word.p != NULL && words_have(asked->values_later, word))
		return HOLDS_UNKNOWN;
	if (word.p == NULL || !words_have(asked->values, word))
		word = word_meant(w, n->when_node);
	if (word.p == NULL)
		return HOLDS_UNKNOWN;
	return words_have(n->when_values.p, word) ? HOLDS_YES : HOLDS_NO;
}

static bool wrong(struct walk *w, const struct node *n, const struct json *v, bool element)
{
	struct arena *a = w->p->arena;
	const char *hint = NULL;

	if (full(w))
		return false;
	if (!element && node_is(n, FLD_LIST) && v->type != JSON_ARRAY)
		hint = "put it in brackets: [ ]";
	else if (n->fld->type == FLD_INT && json_is_str(v))
		hint = "write the number without quotes";
	else if (n->fld->type == FLD_STR && v->type == JSON_NUMBER)
		hint = "put the number in quotes";
	return problems_add(w->p, ERR_INVALID, w->path.s, hint, "%s must be %.*s; found %.*s",
		w->path.s, STR_ARG(value_wanted(a, n->fld, element)),
		STR_ARG(value_found(a, v, node_is(n, FLD_SECRET))));
}

static bool holds_nul(struct str s)
{
	return s.n > 0 && memchr(s.p, '\0', s.n) != NULL;
}

static bool holds_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7F)
			return true;
	return false;
}

/* Length, NUL, line breaks: what holds for every text. */
static bool check_text(struct walk *w, const struct node *n, struct str s)
{
	const struct fld *f = n->fld;
	int64_t max = f->max > 0 ? f->max : SCHEMA_TEXT_MAX;
	int64_t min = f->max > 0 ? f->min : 1;

	if (holds_nul(s))
		return problems_add(w->p, ERR_INVALID, w->path.s, NULL,
			"%s must not hold the character U+0000", w->path.s);
	if ((f->flags & FLD_LINE) != 0 && holds_control(s))
		return problems_add(w->p, ERR_INVALID, w->path.s, NULL,
			"%s must be one line: line breaks and control characters are refused",
			w->path.s);
	if (s.n == 0 && min > 0)
		return problems_add(w->p, ERR_INVALID, w->path.s,
			(f->flags & FLD_REQUIRED) != 0 ? NULL : "leave it out instead",
			"%s must not be empty", w->path.s);
	if ((int64_t)s.n < min || (int64_t)s.n > max)
		return problems_add(w->p, ERR_INVALID, w->path.s, NULL,
			"%s must have %lld to %lld bytes; found %zu", w->path.s, (long long)min,
			(long long)max, s.n);
	return true;
}

static bool check_syntax(struct walk *w, const struct node *n, const struct json *v)
{
	struct str s = json_str(v);
	const char *fault = NULL;

	switch (n->fld->type) {
	case FLD_REF:
		if (value_id_fault(s) != NULL)
			return wrong(w, n, v, true);
		break;
	case FLD_TIME:
		fault = value_time_fault(s);
		break;
	case FLD_URL:
		fault = value_url_fault(s);
		break;
	case FLD_TOKEN:
		fault = value_token_fault(s);
		break;
	default:
		break;
	}
	if (fault == NULL)
		return true;
	return problems_add(w->p, ERR_INVALID, w->path.s, NULL, "%s must be %s", w->path.s, fault);
}

static bool check_string(struct walk *w, const struct node *n, const struct json *v)
{
	if (v->type != JSON_STRING)
		return wrong(w, n, v, true);
	return check_text(w, n, json_str(v)) && check_syntax(w, n, v);
}

static void put_text(struct walk *w, const struct node *n, const struct json *v)
{
	json_build_copy(&w->b, check_string(w, n, v) ? v : &json_null);
}

/* The mask stands for the stored secret at the same place. */
/* A stored secret never goes to another server by way of its mask: who may change the URL need not be
 * somebody who knows the secret. */
static void report_other_receiver(struct walk *w)
{
	const char *url = w->receiver->fld->path;

	if (full(w))
		return;
	problems_add(w->p, ERR_INVALID, w->path.s,
		str_fmt(w->p->arena, "send the secret itself together with the new %s", url).p,
		"%s must be given again: the stored one is for %.*s, and %s now names %.*s",
		w->path.s, STR_ARG(w->receiver_stored), url, STR_ARG(w->receiver_now));
}

static void put_secret(struct walk *w, const struct node *n, const struct json *v,
	const struct json *stored)
{
	if (!json_is_str(v) || !str_eq_z(json_str(v), SCHEMA_MASK)) {
		put_text(w, n, v);
		return;
	}
	if (!json_is_str(stored)) {
		problems_add(w->p, ERR_INVALID, w->path.s, "send the secret itself",
			"%s is \"" SCHEMA_MASK "\", which stands for a stored secret, but none is "
			"stored here",
			w->path.s);
		json_build_null(&w->b);
		return;
	}
	if (w->receiver != NULL)
		report_other_receiver(w);
	json_build_copy(&w->b, stored);
}

static void put_bool(struct walk *w, const struct node *n, const struct json *v)
{
	if (v->type == JSON_TRUE || (json_is_str(v) && str_eq_z(json_str(v), "true")))
		json_build_bool(&w->b, true);
	else if (v->type == JSON_FALSE || (json_is_str(v) && str_eq_z(json_str(v), "false")))
		json_build_bool(&w->b, false);
	else {
		wrong(w, n, v, true);
		json_build_null(&w->b);
	}
}

static void put_int(struct walk *w, const struct node *n, const struct json *v)
{
	int64_t i;

	if (!json_to_i64(v, &i) || i < n->fld->min || i > n->fld->max) {
		wrong(w, n, v, true);
		json_build_null(&w->b);
		return;
	}
	json_build_i64(&w->b, i); /* -0 becomes 0 */
}

static void report_word(struct walk *w, const struct node *n, const struct json *v)
{
	const struct fld *f = n->fld;

	if (full(w))
		return;
	if (json_is_str(v) && words_have(f->values_later, json_str(v))) {
		problems_add(w->p, ERR_INVALID, w->path.s, NULL,
			"%s: this version does not support \"%.*s\" yet; it knows %.*s", w->path.s,
			STR_ARG(json_str(v)), STR_ARG(words_join(w->p->arena, f->values, " and ")));
		return;
	}
	size_t before = w->p->count;
	struct str near = json_is_str(v) ? hint_word(f->values, json_str(v)) : STR_NULL;

	wrong(w, n, v, true);
	if (near.p != NULL)
		err_hint(&w->p->list[before], "did you mean \"%.*s\"?", STR_ARG(near));
}

static void put_enum(struct walk *w, const struct node *n, const struct json *v)
{
	if (json_is_str(v) && words_have(n->fld->values, json_str(v))) {
		json_build_copy(&w->b, v);
		return;
	}
	report_word(w, n, v);
	json_build_null(&w->b);
}

/* Texts inside free values: no NUL, which is the end of the text to much of the world. */
static void check_free(struct walk *w, const struct json *v)
{
	const struct json *end = json_next(v);

	for (; v < end; v++)
		if (v->type == JSON_STRING && holds_nul(json_str(v))) {
			problems_add(w->p, ERR_INVALID, w->path.s, NULL,
				"%s must not hold the character U+0000", w->path.s);
			return;
		}
}

static void put_map(struct walk *w, const struct node *n, const struct json *v)
{
	json_build_copy(&w->b, v->type == JSON_OBJECT ? v : &json_null);
	if (v->type != JSON_OBJECT) {
		wrong(w, n, v, true);
		return;
	}
	check_free(w, v);
	if (n->fld->values == NULL)
		return;
	for (json_each_member(key, v)) {
		const struct json *m = json_value(key);

		if ((m->type < JSON_ARRAY && m->type != JSON_NULL) || full(w))
			continue;
		size_t old = walk_path_push(&w->path, json_str(key));

		problems_add(w->p, ERR_INVALID, w->path.s, NULL,
			"%s must be a string, a number, true or false; found %s", w->path.s,
			value_found(w->p->arena, m, false).p);
		walk_path_pop(&w->path, old);
	}
}

/* Each value is a text and a secret; the mask stands for the stored one of the same name. */
static void put_secret_map(struct walk *w, const struct node *n, const struct json *v,
	const struct json *stored)
{
	if (v->type != JSON_OBJECT) {
		wrong(w, n, v, true);
		json_build_null(&w->b);
		return;
	}
	json_build_object(&w->b);
	for (json_each_member(key, v)) {
		const struct json *m = json_value(key);
		size_t old = walk_path_push(&w->path, json_str(key));

		json_build_key(&w->b, json_str(key));
		if (json_is_str(m)) {
			put_secret(w, n, m, json_get(stored, json_str(key)));
		} else {
			json_build_null(&w->b);
			if (!full(w))
				problems_add(w->p, ERR_INVALID, w->path.s,
					m->type == JSON_NUMBER ? "put the number in quotes" : NULL,
					"%s must be a string; found %s", w->path.s,
					value_found(w->p->arena, m, true).p);
		}
		walk_path_pop(&w->path, old);
	}
	json_build_end(&w->b);
}

static void put_object(struct walk *w, const struct node *n, const struct json *v,
	const struct json *stored);

static void put_one(struct walk *w, const struct node *n, const struct json *v,
	const struct json *stored)
{
	switch (n->fld->type) {
	case FLD_STR:
		if (node_is(n, FLD_SECRET))
			put_secret(w, n, v, stored);
		else
			put_text(w, n, v);
		break;
	case FLD_REF:
	case FLD_TIME:
	case FLD_URL:
	case FLD_TOKEN:
		put_text(w, n, v);
		break;
	case FLD_BOOL:
		put_bool(w, n, v);
		break;
	case FLD_INT:
		put_int(w, n, v);
		break;
	case FLD_ENUM:
		put_enum(w, n, v);
		break;
	case FLD_OBJECT:
		put_object(w, n, v, stored);
		break;
	case FLD_MAP:
		if (node_is(n, FLD_SECRET))
			put_secret_map(w, n, v, stored);
		else
			put_map(w, n, v);
		break;
	case FLD_ANY:
		check_free(w, v);
		json_build_copy(&w->b, v);
		break;
	}
}

static void put_list(struct walk *w, const struct node *n, const struct json *v,
	const struct json *stored)
{
	const struct json *old_it = json_is_array(stored) ? stored + 1 : NULL;
	const struct json *old_end = old_it != NULL ? json_next(stored) : NULL;
	size_t i = 0;

	json_build_array(&w->b);
	for (json_each (it, v)) {
		size_t back = walk_path_push_index(&w->path, i++);
		const struct json *old = old_it < old_end ? old_it : NULL;

		put_one(w, n, it, old);
		if (old != NULL)
			old_it = json_next(old);
		walk_path_pop(&w->path, back);
	}
	json_build_end(&w->b);
}

static void put_value(struct walk *w, const struct node *n, const struct json *v,
	const struct json *stored)
{
	if (!node_has_elements(n) || (node_is(n, FLD_LIST_OR_ONE) && v->type != JSON_ARRAY)) {
		put_one(w, n, v, stored);
	} else if (v->type != JSON_ARRAY) {
		wrong(w, n, v, false);
		json_build_null(&w->b);
	} else {
		put_list(w, n, v, stored);
	}
}

static void put_read_only(struct walk *w, const struct node *n, const struct json *given,
	const struct json *stored)
{
	if (stored != NULL) {
		json_build_key(&w->b, n->name);
		json_build_copy(&w->b, stored);
	}
	if (given == NULL || (stored != NULL && json_equal(given, stored)) || full(w) ||
		(!w->create && node_is(n, FLD_LIVE)))
		return;
	if (stored == NULL)
		problems_add(w->p, ERR_READ_ONLY, w->path.s, "leave it out",
			"%s is set by the server", w->path.s);
	else
		problems_add(w->p, ERR_READ_ONLY, w->path.s,
			"leave it out, or read the resource again",
			"%s is set by the server and is %s", w->path.s,
			value_found(w->p->arena, stored, false).p);
}

/* Of a row's text, which is written for the reference pages: "the [Connection](connection.md) that ...". */
static struct str first_sentence(struct arena *a, const char *text)
{
	struct str rest = str_z(text);
	size_t end = str_find(rest, STR(". "));
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	rest = str_sub(rest, 0, end == STR_NPOS ? rest.n : end + 1);
	for (size_t i = 0; i < rest.n; i++) {
		size_t link = rest.p[i] == ']' && str_starts(str_from(rest, i), STR("]("))
				      ? str_find_char(str_from(rest, i), ')')
				      : STR_NPOS;

		if (link != STR_NPOS)
			i += link;
		else if (rest.p[i] != '[' || str_find(str_from(rest, i), STR("](")) == STR_NPOS)
			buf_add_char(&b, rest.p[i]);
	}
	return str_dup(a, buf_str(&b));
}

/* Reports a required row that is absent: of an object the fields that it needs. */
static void report_missing(struct walk *w, const struct node *n)
{
	size_t before = w->p->count;

	if (n->fld->type == FLD_OBJECT && !node_has_elements(n)) {
		for (each_kid(k, n)) {
			if (!node_is(k, FLD_REQUIRED) || holds(w, k) != HOLDS_YES)
				continue;
			size_t old = walk_path_push(&w->path, k->name);

			report_missing(w, k);
			walk_path_pop(&w->path, old);
		}
	}
	if (w->p->count == before)
		problems_add(w->p, ERR_MISSING, w->path.s, NULL, "%s is required: %.*s", w->path.s,
			STR_ARG(first_sentence(w->p->arena, n->fld->text)));
}

static void report_not_here(struct walk *w, const struct node *n)
{
	struct arena *a = w->p->arena;
	const char *asked = n->when_node->fld->path;
	const struct json *is = value_asked_for(w, n->when_node);
	struct str words = words_join(a, str_to_z(a, n->when_values), " or ");

	if (full(w))
		return;
	problems_add(w->p, ERR_UNKNOWN_FIELD, w->path.s,
		is == NULL ? str_fmt(a, "set %s to %.*s", asked, STR_ARG(words)).p : NULL,
		"%s is a field only when %s is %.*s, and it is %s", w->path.s, asked,
		STR_ARG(words), is == NULL ? "not set" : value_found(a, is, false).p);
}

static void report_unknown(struct walk *w, const struct node *in, struct str name)
{
	if (full(w))
		return;
	const struct node *near = hint_field(w->s, in, name);
	size_t old = walk_path_push(&w->path, name);
	struct str hint = STR("");

	if (near != NULL)
		hint = str_fmt(w->p->arena, "did you mean %s?", near->fld->path);
	problems_add(w->p, ERR_UNKNOWN_FIELD, w->path.s, hint.p, "there is no field %s in %s %s",
		w->path.s, word_article(str_z(w->s->def->type)), w->s->def->type);
	walk_path_pop(&w->path, old);
}

/* The body's values by the index of their rows; unknown names are reported. */
static const struct json **collect(struct walk *w, const struct node *n, const struct json *v)
{
	const struct json **given = arena_zalloc(w->p->arena,
		(n->kid_count + 1) * sizeof(const struct json *));

	for (json_each_member(key, v)) {
		const struct node *k = node_kid(n, json_str(key));

		if (k == NULL)
			report_unknown(w, n, json_str(key));
		else
			given[k->index] = json_value(key);
	}
	return given;
}

static void put_member(struct walk *w, const struct node *k, const struct json *given,
	const struct json *stored)
{
	bool nothing = k->fld->type == FLD_OBJECT && !node_has_elements(k)
			       ? given != NULL && is_blank(given)
			       : given != NULL && given->type == JSON_NULL;

	if (nothing && !node_is(k, FLD_NULLABLE))
		given = NULL;
	if (node_is(k, FLD_READ_ONLY)) {
		put_read_only(w, k, given, stored);
		return;
	}
	enum holds on = holds(w, k);

	if (on == HOLDS_NO) {
		if (given != NULL)
			report_not_here(w, k);
		/* where nothing says otherwise it is meant, and what it holds is looked at too */
		if (value_asked_for(w, k->when_node) != NULL)
			return;
	}
	if (given != NULL) {
		json_build_key(&w->b, k->name);
		put_value(w, k, given, stored);
	} else if (on == HOLDS_YES && node_is(k, FLD_REQUIRED)) {
		report_missing(w, k);
	}
}

static void put_object(struct walk *w, const struct node *n, const struct json *v,
	const struct json *stored)
{
	if (v->type != JSON_OBJECT) {
		wrong(w, n, v, true);
		json_build_null(&w->b);
		return;
	}
	const struct json **given = collect(w, n, v);

	json_build_object(&w->b);
	for (each_kid(k, n)) {
		size_t old = walk_path_push(&w->path, k->name);

		put_member(w, k, given[k->index], json_get(stored, k->name));
		walk_path_pop(&w->path, old);
	}
	json_build_end(&w->b);
}

/* Finds a URL below N by which the secrets would go elsewhere. */
static void find_receiver(struct walk *w, const struct node *n, const struct json *stored)
{
	for (each_kid(k, n)) {
		if (!k->any_receiver || w->receiver != NULL)
			continue;
		const struct json *now = node_value(k, w->root), *old = node_value(k, stored);

		if (!node_is(k, FLD_SECRETS_GO))
			find_receiver(w, k, stored);
		else if (json_is_str(now) && value_url_fault(json_str(now)) == NULL) {
			w->receiver_now = value_url_origin(w->p->arena, json_str(now));
			w->receiver_stored = json_is_str(old)
						     ? value_url_origin(w->p->arena, json_str(old))
						     : STR("no server yet");
			if (!str_eq_ci(w->receiver_now, w->receiver_stored))
				w->receiver = k;
		}
	}
}

bool schema_validate(const struct schema *s, const struct json *body, const struct json *stored,
	struct arena *a, const struct json **out, struct problems *p)
{
	struct walk w = { .s = s, .root = body, .p = p, .create = stored == NULL };
	size_t before = p->count;

	if (body->type != JSON_OBJECT)
		return problems_add(p, ERR_INVALID, "", NULL,
			"the body must be a JSON object that describes %s %s; found %s",
			word_article(str_z(s->def->type)), s->def->type,
			value_found(p->arena, body, false).p);
	schema_check_twice(body, p);
	if (stored != NULL)
		find_receiver(&w, &s->root, stored);
	json_build_init(&w.b, a);
	put_object(&w, &s->root, body, stored);
	if (s->def->check != NULL)
		s->def->check(json_build_done(&w.b), p);
	if (p->count > before)
		return false;
	*out = json_build_done(&w.b);
	return true;
}

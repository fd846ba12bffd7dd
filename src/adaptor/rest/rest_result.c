/*
 * rest_result.c - what a 2xx answer says about the records of its request: their ids, and whether
 * each was a success after all.
 *
 * The answer to a batch is split when it is an array of as many elements as there were records;
 * else it says the same of all of them.
 */
#include "adaptor/rest/rest_sink_priv.h"

bool rest_result_compile(struct sink *s, const struct json *rest, struct err *err)
{
	struct str id = json_get_str(rest, STR("responseIdPath"));
	struct str success = json_get_str(rest, STR("successPath"));
	const struct json *values = json_get(rest, STR("successValues"));

	if (id.n > 0 && !path_compile(s->arena, id, false, &s->id_path, err))
		return rest_fault(err, "rest.responseIdPath");
	if (success.n > 0 && !path_compile(s->arena, success, false, &s->success_path, err))
		return rest_fault(err, "rest.successPath");
	if (json_is_array(values) && values->n > 0)
		s->success_values = values;
	return true;
}

bool rest_result_is_false(const struct json *v)
{
	double number;

	if (v == NULL || v->type == JSON_NULL || v->type == JSON_FALSE)
		return true;
	if (v->type == JSON_STRING)
		return v->n == 0;
	return v->type == JSON_NUMBER && json_to_double(v, &number) && number >= 0 && number <= 0;
}

const struct json *rest_result_copy(struct arena *a, const struct json *v)
{
	const struct json *copy;
	struct err err = ERR_INIT;

	if (v == NULL)
		return NULL;
	if (v->type < JSON_ARRAY) {
		struct json *one = arena_memdup(a, v, sizeof(*v));

		if (v->type == JSON_NUMBER || v->type == JSON_STRING)
			one->s = arena_strndup(a, v->s, v->n);
		return one;
	}
	/* what was printed from a document can be parsed */
	CHECK(json_parse_copy(a, json_print_arena(a, v), &copy, &err));
	return copy;
}

static struct str text_of(struct arena *a, const struct json *v)
{
	return v->type == JSON_STRING || v->type == JSON_NUMBER ? json_str(v)
								: json_print_arena(a, v);
}

static bool is_success(struct sink *s, const struct json *part)
{
	const struct json *v;

	if (s->success_path == NULL)
		return true;
	v = path_get(s->success_path, part);
	if (s->success_values == NULL)
		return !rest_result_is_false(v);
	if (v == NULL)
		return false;
	struct str got = text_of(s->scratch, v);

	for (json_each (want, s->success_values))
		if (json_is_str(want) && str_eq(json_str(want), got))
			return true;
	return false;
}

static const struct json *find_id(const struct sink *s, const struct json *part)
{
	const struct json *v;

	if (s->id_path != NULL) {
		v = path_get(s->id_path, part);
	} else {
		v = json_get(part, STR("id"));
		if (v == NULL || v->type == JSON_NULL)
			v = json_get(part, STR("_id"));
	}
	return v == NULL || v->type == JSON_NULL ? NULL : v;
}

/* Is there room for so much more? What a page keeps is bounded, whatever its answers are. */
static bool keeps(struct sink *s, size_t bytes)
{
	if (bytes > s->keep_left)
		return false;
	s->keep_left -= bytes;
	return true;
}

static void judge(struct sink *s, const struct rest_call *c, const struct json *part,
	struct delivery *d, struct arena *a)
{
	d->id = rest_result_copy(a, find_id(s, part));
	if (s->keep_answers && keeps(s, c->http.res_body.n))
		d->answer = rest_result_copy(a, part);
	if (is_success(s, part))
		return;
	d->status = 422;
	(void)rest_status_error(s->session, &c->http, &d->err);
	err_wrap(&d->err,
		s->success_values == NULL ? "successPath \"%.*s\" is not set"
					  : "successPath \"%.*s\" has none of the successValues",
		STR_ARG(path_text(s->success_path)));
}

/* Without successPath nobody depends on the answer being JSON: then one that is none says nothing. */
static bool parse(struct sink *s, const struct rest_call *c, const struct json **doc,
	struct err *err)
{
	struct str body = buf_str(&c->http.res_body);

	if (body.n == 0 && s->success_path == NULL)
		return false;
	arena_reset(s->scratch);
	char *text = arena_strndup(s->scratch, body.p, body.n);

	return rest_answer_parse(s->session, &c->http, s->scratch, text, body.n, doc, err);
}

void rest_result_judge(struct sink *s, const struct rest_call *c, struct delivery *const *records,
	size_t n, struct arena *a)
{
	const struct json *doc;
	struct err unreadable = ERR_INIT;

	if (!parse(s, c, &doc, &unreadable)) {
		for (size_t i = 0; i < n && s->success_path != NULL; i++)
			records[i]->err = unreadable;
		return;
	}
	bool split = s->batch_size > 1 && json_is_array(doc) && doc->n == n;

	for (size_t i = 0; i < n; i++)
		judge(s, c, split ? json_at(doc, i) : doc, records[i], a);
}

/*
 * rest_prepare.c - which operation a record needs, and the request as text.
 *
 * The text is what submit() sends, kept over restarts, so that a repeat has identical bytes:
 *
 *   u PUT /customers/17      existence when it was made (u: there, c: not there, -: not asked),
 *   Accept-Language: en      method, relative URI; the import's own header fields, rendered;
 *                            an empty line; the body
 *   {"city":"Ulm"}
 *
 * It holds nothing of the connection: base URI, credentials and the connection's headers are added
 * when it is sent.
 */
#include "adaptor/rest/rest_sink_priv.h"

#define KEY_HEADER "Idempotency-Key"

/* ---- compile ---- */

static bool sends_body(enum http_method m)
{
	return m == HTTP_POST || m == HTTP_PUT || m == HTTP_PATCH;
}

/* Element I of a value that may be one or an array of them; NULL: there is none. */
static const struct json *one_of(const struct json *v, size_t i)
{
	if (json_is_array(v))
		return json_at(v, i);
	return i == 0 ? v : NULL;
}

static bool read_uri(struct sink *s, struct operation *o, struct str uri, struct err *err)
{
	struct values v = { .sink = s, .record = &json_empty_object };

	if (!template_compile(s->arena, uri.p == NULL ? STR("") : uri, TEMPLATE_URI, &o->uri, err))
		return rest_fault(err, "rest.relativeURI");
	if (!template_is_constant(o->uri))
		return true;
	buf_reset(&s->text);
	if (!rest_values_uri(o->uri, &v, &s->text, err))
		return rest_fault(err, "rest.relativeURI");
	o->constant = str_dup(s->arena, buf_str(&s->text));
	return true;
}

/*
 * Operation I of the document. A body in an array goes with its operation; a single one goes with
 * both, unless it is itself the array that is to be sent (one URI).
 */
static bool read_operation(struct sink *s, const struct json *rest, size_t i, struct str uri,
	struct err *err)
{
	struct operation *o = &s->operations[i];
	const struct json *method = one_of(json_get(rest, STR("method")), i);
	const struct json *body = json_get(rest, STR("body"));

	if (body == NULL)
		body = json_get(rest, STR("postBody"));
	if (json_is_array(body) && s->operation_count > 1)
		body = json_at(body, i);
	o->method = rest_method(json_is_str(method) ? json_str(method) : STR_NULL, HTTP_POST);
	if (!read_uri(s, o, uri, err))
		return false;
	return body == NULL || body->type == JSON_NULL ||
	       rest_text_compile(s->arena, body, &o->body, err) || rest_fault(err, "rest.body");
}

static bool read_operations(struct sink *s, const struct json *rest, const struct call_args *call,
	struct err *err)
{
	const struct json *uri = json_get(rest, STR("relativeURI"));

	s->operation_count = json_is_array(uri) && uri->n == 2 ? 2 : 1;
	for (size_t i = 0; i < s->operation_count; i++) {
		const struct json *v = one_of(uri, i);
		struct str text = json_is_str(v) ? json_str(v) : STR_NULL;

		if (!read_operation(s, rest, i,
			    call->relative_uri.p != NULL ? call->relative_uri : text, err))
			return false;
	}
	return true;
}

static bool read_headers(struct sink *s, const struct json *rest, struct err *err)
{
	struct http_header list[REST_HEADERS_MAX];

	if (!rest_headers_read(json_get(rest, STR("headers")), list, &s->header_count, err))
		return rest_fault(err, "rest.headers");
	for (size_t i = 0; i < s->header_count; i++) {
		struct sink_header *h = &s->headers[i];

		h->name = list[i].name;
		if (!template_compile(s->arena, list[i].value, TEMPLATE_TEXT, &h->value, err))
			return err_wrap(err, "%.*s", STR_ARG(h->name)) ||
			       rest_fault(err, "rest.headers");
	}
	const struct json *key = json_get(rest, STR("idempotencyHeader"));

	s->key_header = json_is_str(key) ? json_str(key) : STR(KEY_HEADER);
	return true;
}

/* By name: a lookup that asks the application, else an extract. */
static bool decide_by(struct sink *s, struct str name, struct err *err)
{
	s->decider = rest_lookup_find(s, name);
	if (s->decider != NULL) {
		s->decider->decides = true;
		return true;
	}
	return path_compile(s->arena, name, false, &s->decider_extract, err);
}

static bool read_decider(struct sink *s, const struct json *import, struct err *err)
{
	const struct json *id = json_get_path(import, STR("rest.resourceId"));
	struct str lookup = json_get_str(id, STR("lookupName")),
		   extract = json_get_str(id, STR("extract")),
		   existing = json_get_str(import, STR("ignoreExistingLoE")),
		   missing = json_get_str(import, STR("ignoreMissingLoE"));

	if (lookup.n > 0) {
		if (decide_by(s, lookup, err) && s->decider != NULL)
			return true;
		err_clear(err);
		return err_set_field(err, ERR_INVALID, "rest.resourceId.lookupName",
			"rest.lookups has none called \"%.*s\" that asks the application",
			STR_ARG(lookup));
	}
	if (extract.n > 0)
		return path_compile(s->arena, extract, false, &s->decider_extract, err) ||
		       rest_fault(err, "rest.resourceId.extract");
	if (s->ignore_missing && missing.n > 0)
		return decide_by(s, missing, err) || rest_fault(err, "ignoreMissingLoE");
	if (existing.n > 0)
		return decide_by(s, existing, err) || rest_fault(err, "ignoreExistingLoE");
	if (missing.n > 0)
		return decide_by(s, missing, err) || rest_fault(err, "ignoreMissingLoE");
	if (s->operation_count < 2 && !s->ignore_missing)
		return true;
	for (size_t i = 0; i < s->lookup_count && s->decider == NULL; i++)
		if (rest_values_names(s->operations[0].uri, s->lookups[i].name))
			s->decider = &s->lookups[i];
	if (s->decider != NULL)
		s->decider->decides = true;
	return true;
}

static bool check_decider(const struct sink *s, struct err *err)
{
	if (s->decider != NULL || s->decider_extract != NULL)
		return true;
	if (s->operation_count < 2 && !s->ignore_existing && !s->ignore_missing)
		return true;
	return err_set_field(err, ERR_MISSING, "rest.resourceId",
		"nothing says whether a record exists: rest.resourceId must name a lookup or an "
		"extract, or the first relativeURI must have a lookup in it");
}

bool rest_prepare_compile(struct sink *s, const struct json *import, const struct call_args *call,
	struct err *err)
{
	const struct json *rest = json_get(import, STR("rest"));
	int64_t n;

	s->ignore_existing = json_get_true(import, STR("ignoreExisting"));
	s->ignore_missing = json_get_true(import, STR("ignoreMissing"));
	s->attempts_max = LIMIT_ATTEMPTS_DEFAULT;
	if (json_to_i64(json_get(import, STR("maxAttempts")), &n))
		s->attempts_max = (unsigned)n;
	s->batch_size = 1;
	if (json_to_i64(json_get(rest, STR("batchSize")), &n))
		s->batch_size = (unsigned)n;
	return read_operations(s, rest, call, err) && read_headers(s, rest, err) &&
	       read_decider(s, import, err) && check_decider(s, err);
}

/* ---- the decision ---- */

enum existence rest_prepare_existence(const struct sink *s, const struct json *record,
	const struct json *lookups)
{
	const struct json *v;

	if (s->decider != NULL)
		return json_get(lookups, s->decider->name) != NULL ? EXISTS_YES : EXISTS_NO;
	if (s->decider_extract == NULL)
		return EXISTS_UNASKED;
	v = path_get(s->decider_extract, record);
	return v == NULL || v->type == JSON_NULL || (v->type >= JSON_STRING && v->n == 0)
		       ? EXISTS_NO
		       : EXISTS_YES;
}

bool rest_prepare_prints(const struct sink *s)
{
	for (size_t i = 0; i < s->operation_count; i++) {
		const struct operation *o = &s->operations[i];

		if (o->body != NULL || o->constant.p == NULL || !sends_body(o->method))
			return false;
	}
	for (size_t i = 0; i < s->header_count; i++)
		if (!template_is_constant(s->headers[i].value))
			return false;
	return rest_body_is_json(s->session);
}

/* ---- make ---- */

static const char existence_marks[] = { '-', 'c', 'u' };

static bool add_headers(struct sink *s, const struct values *v, struct err *err)
{
	struct buf *out = &s->text;

	for (size_t i = 0; i < s->header_count; i++) {
		const struct sink_header *h = &s->headers[i];

		buf_add_str(out, h->name);
		BUF_ADD_LIT(out, ": ");
		size_t from = out->n;

		if (!rest_values_render(h->value, v, out, err))
			return err_wrap(err, "rest.headers, %.*s", STR_ARG(h->name));
		for (size_t k = from; k < out->n; k++)
			if (((unsigned char)out->p[k] < 0x20 && out->p[k] != '\t') ||
				out->p[k] == 0x7F)
				return err_set_field(err, ERR_INVALID, "rest.headers",
					"a value puts a control character (byte %02X) into header "
					"%.*s",
					(unsigned char)out->p[k], STR_ARG(h->name));
		buf_add_char(out, '\n');
	}
	return true;
}

/* A body written by hand for an XML application is XML; the mapped record is JSON in any case. */
static void add_media_type(struct sink *s, const struct operation *o)
{
	if (!s->xml || o->body == NULL)
		return;
	for (size_t i = 0; i < s->header_count; i++)
		if (str_eq_ci(s->headers[i].name, STR("Content-Type")))
			return;
	BUF_ADD_LIT(&s->text, "Content-Type: application/xml\n");
}

static bool add_body(struct sink *s, struct delivery *d, const struct operation *o,
	const struct values *v)
{
	struct values in_body = *v;
	struct err *err = &d->err;

	in_body.mapped_first = true;
	if (o->body != NULL)
		return rest_text_render(o->body, &in_body, &s->text, err) ||
		       rest_fault(err, "rest.body");
	if (!sends_body(o->method))
		return true;
	if (v->mapped == NULL)
		return rest_map_print(s, d, &s->text, err);
	buf_reset(&s->more);
	if (!rest_body_print(s->session, v->mapped, &s->more, err))
		return false;
	buf_add_str(&s->text, buf_str(&s->more));
	return true;
}

static bool make(struct sink *s, struct delivery *d)
{
	struct values v = { .sink = s,
		.lookups = d->lookups,
		.record = d->source,
		.mapped = d->mapped };
	enum existence e = rest_prepare_existence(s, d->source, d->lookups);
	const struct operation *o =
		&s->operations[s->operation_count == 2 && e == EXISTS_NO ? 1 : 0];
	struct buf *out = &s->text;

	buf_reset(out);
	buf_add_char(out, existence_marks[e]);
	buf_add_char(out, ' ');
	buf_add_str(out, str_z(http_method_name(o->method)));
	buf_add_char(out, ' ');
	if (o->constant.p != NULL)
		buf_add_str(out, o->constant);
	else if (!rest_values_uri(o->uri, &v, out, &d->err))
		return rest_fault(&d->err, "rest.relativeURI");
	buf_add_char(out, '\n');
	if (!add_headers(s, &v, &d->err))
		return false;
	add_media_type(s, o);
	buf_add_char(out, '\n');
	if (!add_body(s, d, o, &v))
		return false;
	return !out->over || err_set(&d->err, ERR_LIMIT,
				     "the record makes a request of more than %zu bytes", out->max);
}

bool rest_prepare_make(struct sink *s, struct delivery *d, struct arena *a)
{
	if (!make(s, d)) {
		d->stage = "mapping";
		return false;
	}
	d->request = str_dup(a, buf_str(&s->text));
	return true;
}

/* ---- parse ---- */

bool rest_prepare_parse(struct str text, struct request *out, struct err *err)
{
	struct str rest = text;
	struct str line = str_cut(&rest, '\n'), uri = str_from(line, 2);
	struct str method = str_cut(&uri, ' ');
	size_t headers = rest.n > 0 && rest.p[0] == '\n' ? 0 : str_find(rest, STR("\n\n"));

	*out = (struct request){ .existed = EXISTS_UNASKED };
	for (size_t i = 0; line.n > 0 && i < ARRAY_LEN(existence_marks); i++)
		if (line.p[0] == existence_marks[i])
			out->existed = (enum existence)i;
	out->method = http_method_of(method);
	if (uri.p == NULL || rest.p == NULL || headers == STR_NPOS || out->method == HTTP_OTHER)
		return err_set(err, ERR_INTERNAL, "the prepared request can't be read");
	out->uri = uri;
	if (headers > 0)
		out->headers = str_sub(rest, 0, headers + 1);
	out->body = str_from(rest, headers + (headers > 0 ? 2 : 1));
	out->head = str_sub(text, 0, (size_t)(out->body.p - text.p));
	return true;
}

bool rest_prepare_header(struct str *lines, struct http_header *out)
{
	struct str value;

	if (lines->n == 0)
		return false;
	value = str_cut(lines, '\n');
	out->name = str_cut(&value, ':');
	out->value = str_from(value, 1);
	return true;
}

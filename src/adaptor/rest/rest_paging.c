/*
 * rest_paging.c - from one page to the next, in the seven ways of the product.
 *
 * What the next request needs is the place: page number, records to skip, token, URL or body. It is
 * also the cursor, so that a later source goes on where this one stands. Secrets of the connection
 * that templates put into a URL or body are replaced by marks there.
 */
#include "adaptor/rest/rest_fields.h"
#include "adaptor/rest/rest_source_priv.h"

#include "core/limits.h"

/* ---- the document ---- */

static const struct {
	const char *word;
	enum rest_paging_kind kind;
} kinds[] = {
	{ "nextpageurl", REST_PAGES_NEXT_URL },
	{ "pageargument", REST_PAGES_NUMBER },
	{ "skipargument", REST_PAGES_SKIP },
	{ "token", REST_PAGES_TOKEN },
	{ "linkheader", REST_PAGES_LINK },
	{ "relativeuri", REST_PAGES_URI },
	{ "postbody", REST_PAGES_BODY },
};

static bool read_path(struct source *s, const char *name, struct path **out, struct err *err)
{
	struct str text = json_get_str(s->rest, str_z(name));

	return text.n == 0 || path_compile(s->arena, text, false, out, err) ||
	       err_wrap(err, "rest.%s", name);
}

static struct str text_or(const struct json *rest, const char *name, const char *otherwise)
{
	struct str text = json_get_str(rest, str_z(name));

	return text.n == 0 ? str_z(otherwise) : text;
}

static bool read_kind(struct source *s, struct err *err)
{
	struct str word = json_get_str(s->rest, STR("pagingMethod"));

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_eq_z(word, kinds[i].word))
			s->paging.kind = kinds[i].kind;
	if (word.n > 0 && s->paging.kind == REST_PAGES_NONE)
		return err_set_field(err, ERR_UNSUPPORTED, "rest.pagingMethod",
			"this version does not page by \"%.*s\"", STR_ARG(word));
	return true;
}

static bool need(bool there, const char *field, struct err *err)
{
	return there || err_set_field(err, ERR_MISSING, field, "this pagingMethod needs %s", field);
}

static bool check_needs(const struct rest_paging *p, struct err *err)
{
	switch (p->kind) {
	case REST_PAGES_NEXT_URL:
	case REST_PAGES_TOKEN:
		return need(p->next_path != NULL, "rest.nextPagePath", err);
	case REST_PAGES_URI:
		return need(p->next_uri.n > 0, "rest.nextPageRelativeURI", err);
	case REST_PAGES_BODY:
		return need(p->next_body != NULL, "rest.pagingPostBody", err);
	default:
		return true;
	}
}

/* A number that stands in the URI or the query is the one to begin with. */
static uint64_t first_number(struct source *s, uint64_t otherwise)
{
	struct str text = rest_url_param(s->arena, s->uri, s->paging.argument);
	const struct json *query = json_get(json_get(s->rest, STR("query")), s->paging.argument);
	uint64_t n;

	if (query != NULL && (query->type == JSON_STRING || query->type == JSON_NUMBER))
		text = json_str(query);
	return text.p != NULL && str_to_u64(text, &n) ? n : otherwise;
}

bool rest_paging_read(struct source *s, struct err *err)
{
	struct rest_paging *p = &s->paging;
	const struct json *rest = s->rest, *one = json_get(rest, STR("lastPageValue"));

	if (!read_kind(s, err) || !read_path(s, "nextPagePath", &p->next_path, err) ||
		!read_path(s, "maxPagePath", &p->max_page_path, err) ||
		!read_path(s, "maxCountPath", &p->max_count_path, err) ||
		!read_path(s, "lastPagePath", &p->last_path, err))
		return false;
	p->last_values = json_get(rest, STR("lastPageValues"));
	if (p->last_values == NULL)
		p->last_values = one;
	if (!json_to_i64(json_get(rest, STR("lastPageStatusCode")), &p->last_status))
		p->last_status = 0;
	p->argument = p->kind == REST_PAGES_SKIP ? text_or(rest, "skipArgument", "skip")
						 : text_or(rest, "pageArgument", "page");
	p->relation = text_or(rest, "linkHeaderRelation", "next");
	p->next_uri = json_get_str(rest, STR("nextPageRelativeURI"));
	p->next_body = json_get(rest, STR("pagingPostBody"));
	p->in_template = rest_request_mentions(s, STR("export.http.paging."));
	p->start = first_number(s, p->kind == REST_PAGES_SKIP ? 0 : 1);
	s->place.page = p->kind == REST_PAGES_NUMBER ? p->start : 1;
	s->place.skip = p->kind == REST_PAGES_SKIP ? p->start : 0;
	return check_needs(p, err);
}

/* ---- cursors ---- */

static struct str make_cursor(struct source *s, struct arena *a)
{
	const struct rest_place *at = &s->place;
	struct json_build b;

	json_build_init(&b, a);
	json_build_object(&b);
	json_add_i64(&b, STR("page"), (int64_t)at->page);
	json_add_i64(&b, STR("skip"), (int64_t)at->skip);
	json_add_str(&b, STR("token"), at->token);
	if (at->url.p != NULL)
		json_add_str(&b, STR("url"),
			rest_hidden(s->session, a, rest_url_without_token(s->session, a, at->url)));
	if (at->body.p != NULL)
		json_add_str(&b, STR("body"), rest_hidden(s->session, a, at->body));
	json_build_end(&b);
	return json_print_arena(a, json_build_done(&b));
}

bool rest_paging_resume(struct source *s, struct str cursor, struct err *err)
{
	const struct json *doc;
	int64_t page = 0, skip = 0;

	if (!json_parse_copy(s->arena, cursor, &doc, err))
		return err_wrap(err, "the export's cursor");
	if (!json_to_i64(json_get(doc, STR("page")), &page) || page < 0 ||
		!json_to_i64(json_get(doc, STR("skip")), &skip) || skip < 0)
		return err_set(err, ERR_INVALID, "the export's cursor can't be read");
	s->place.page = (uint64_t)page;
	s->place.skip = (uint64_t)skip;
	s->place.token = json_get_str(doc, STR("token"));
	s->place.url = json_get_str(doc, STR("url"));
	s->place.body = json_get_str(doc, STR("body"));
	if (s->place.url.p != NULL)
		s->place.url = rest_unhidden(s->session, s->arena, s->place.url);
	if (s->place.body.p != NULL)
		s->place.body = rest_unhidden(s->session, s->arena, s->place.body);
	s->resumed = true;
	return true;
}

/* ---- the end ---- */

static bool is_nothing(const struct json *v)
{
	return v == NULL || v->type == JSON_NULL || v->type == JSON_FALSE ||
	       (json_is_str(v) && v->n == 0);
}

static bool equals_text(struct arena *a, const struct json *v, const struct json *want)
{
	struct str text = v == NULL        ? STR("null")
			  : json_is_str(v) ? json_str(v)
					   : json_print_arena(a, v);

	return str_eq(text, json_is_str(want) ? json_str(want) : json_print_arena(a, want));
}

static bool says_last(const struct source *s, const struct json *doc, struct arena *a)
{
	const struct rest_paging *p = &s->paging;
	const struct json *v = p->last_path == NULL ? NULL : path_get(p->last_path, doc);

	if (p->last_path == NULL)
		return false;
	if (p->last_values == NULL)
		return !is_nothing(v);
	if (!json_is_array(p->last_values))
		return equals_text(a, v, p->last_values);
	for (json_each (it, p->last_values))
		if (equals_text(a, v, it))
			return true;
	return false;
}

/* A count in the answer, as number or text; false: not there. */
static bool read_count(const struct path *path, const struct json *doc, uint64_t *out)
{
	const struct json *v = path == NULL ? NULL : path_get(path, doc);

	return v != NULL && (v->type == JSON_NUMBER || v->type == JSON_STRING) &&
	       str_to_u64(json_str(v), out);
}

/* Pages by number win over records by number. */
static bool counted_out(const struct source *s, const struct json *doc)
{
	const struct rest_paging *p = &s->paging;
	uint64_t start = p->kind == REST_PAGES_NUMBER ? p->start : 1, max;

	if (read_count(p->max_page_path, doc, &max))
		return s->place.page - MIN(start, s->place.page) + 1 >= max;
	return read_count(p->max_count_path, doc, &max) && s->place.skip >= max;
}

/* Did the application name the next page itself, so that it should be there? */
static bool is_named(enum rest_paging_kind kind)
{
	return kind == REST_PAGES_NEXT_URL || kind == REST_PAGES_LINK;
}

bool rest_paging_ends_at(const struct source *s, int status)
{
	const struct rest_paging *p = &s->paging;

	if (p->kind == REST_PAGES_NONE || (s->requests <= 1 && !s->resumed))
		return false;
	return p->last_status != 0 ? status == p->last_status : status == 404 && !is_named(p->kind);
}

/* ---- the next page ---- */

static bool set_url(struct source *s, struct arena *a, struct str ref, struct rest_place *next,
	struct err *err)
{
	struct url here, target;

	if (!url_parse(a, str_z(s->call.http.res_url), &here, err) ||
		!url_resolve(a, &here, ref, &target, err))
		return err_wrap(err, "the next page's URL");
	next->url = rest_url_without_token(s->session, a, url_print(a, &target));
	return true;
}

/* The value at nextPagePath; NULL: this was the last page. */
static bool next_value(struct source *s, const struct json *doc, struct str *out, struct err *err)
{
	const struct path *path = s->paging.next_path;
	const struct json *v = path_get(path, doc);

	*out = STR_NULL;
	if (is_nothing(v))
		return true;
	if (v->type != JSON_STRING &&
		(v->type != JSON_NUMBER || s->paging.kind == REST_PAGES_NEXT_URL))
		return err_set(err, ERR_RESPONSE, "nextPagePath \"%.*s\" holds %s, not %s",
			STR_ARG(path_text(path)), json_type_phrase(v->type),
			s->paging.kind == REST_PAGES_NEXT_URL ? "a URL" : "a token");
	*out = json_str(v);
	return true;
}

/* A template of the page before. *LAST: it has no more values to go on with. */
static bool from_template(struct source *s, const struct rest_previous *previous,
	struct rest_place *next, bool *last, struct err *err)
{
	const struct rest_paging *p = &s->paging;
	struct rest_render r = { .arena = s->place_spare };

	r.record = rest_request_record(s, s->place_spare, next, previous);
	if (p->kind == REST_PAGES_BODY) {
		if (!rest_render_body(&r, s->session, p->next_body, &next->body, err))
			return err_wrap(err, "rest.pagingPostBody");
		*last = r.placeholders > 0 && r.values == 0;
		return true;
	}
	if (rest_render_uri(&r, p->next_uri, &next->url, err))
		return true;
	/* a value that only the answer has, and the last answer has no more */
	if (err->code == ERR_MISSING_VALUE &&
		str_find(p->next_uri, STR("previous_page.full_response")) != STR_NPOS) {
		err_clear(err);
		*last = true;
		return true;
	}
	return err_wrap(err, "rest.nextPageRelativeURI");
}

/* Fills NEXT for the kinds that look into the answer. */
static bool find_next(struct source *s, const struct json *doc, const struct json *record,
	struct rest_place *next, bool *last, struct err *err)
{
	const struct rest_previous previous = { doc, record, &s->call.http };
	struct str value = STR_NULL;

	if (s->paging.next_path != NULL) {
		if (!next_value(s, doc, &value, err))
			return false;
		*last = value.p == NULL;
	}
	if (s->paging.kind == REST_PAGES_LINK) {
		value = rest_link_find(buf_str(&s->call.http.res_headers), s->paging.relation);
		*last = value.p == NULL;
	}
	if (*last)
		return true;
	switch (s->paging.kind) {
	case REST_PAGES_NEXT_URL:
	case REST_PAGES_LINK:
		return set_url(s, s->place_spare, value, next, err);
	case REST_PAGES_TOKEN:
		next->token = str_dup(s->place_spare, value);
		return true;
	case REST_PAGES_URI:
	case REST_PAGES_BODY:
		return from_template(s, &previous, next, last, err);
	default:
		return true;
	}
}

/* The kinds that ask until nothing comes end with an empty page; where the application says itself
 * whether there is more, an empty page is just that. */
static bool ends_when_empty(enum rest_paging_kind kind)
{
	return kind == REST_PAGES_NUMBER || kind == REST_PAGES_SKIP || kind == REST_PAGES_URI ||
	       kind == REST_PAGES_BODY;
}

static const struct json *last_of(const struct json *records, bool single)
{
	const struct json *last = NULL;

	if (single)
		return records;
	for (json_each (it, records))
		last = it;
	return last;
}

bool rest_paging_next(struct source *s, const struct json *doc, const struct json *records,
	bool single, struct chunk *out, struct err *err)
{
	const struct rest_paging *p = &s->paging;
	uint64_t count = single ? 1 : records->n;
	struct rest_place next = { .page = s->place.page + 1, .skip = s->place.skip + count };

	arena_reset(s->place_spare);
	s->place.skip += count;
	out->last = p->kind == REST_PAGES_NONE || says_last(s, doc, out->arena) ||
		    counted_out(s, doc) || (count == 0 && ends_when_empty(p->kind));
	if (out->last)
		return true;
	bool last = false;

	if (!find_next(s, doc, last_of(records, single), &next, &last, err))
		return false;
	out->last = last;
	if (last)
		return true;
	struct arena *a = s->place_spare;

	s->place_spare = s->place_arena;
	s->place_arena = a;
	s->place = next;
	out->cursor = make_cursor(s, out->arena);
	return true;
}

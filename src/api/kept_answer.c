/*
 * kept_answer.c - answers as they are kept for repeats: field lines as on the wire, but with line feeds
 * alone; a field's value can hold none.
 */
#include "api/kept_answer.h"

#include "core/buf.h"

/* Others belong to the request (Request-Id), to the moment (Date) or to failures, which are not kept. */
static const char *const kept[] = { "Content-Type", "Location", "ETag" };

static bool is_kept(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (str_eq_ci(name, str_z(kept[i])))
			return true;
	return false;
}

void kept_answer_fingerprint(const struct http_exchange *x, struct str connector_id,
	unsigned char out[SHA256_BYTES])
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	buf_add_str(&b, x->method_text);
	buf_add_char(&b, ' ');
	buf_add_str(&b, x->target);
	buf_add_char(&b, '\n');
	buf_add_str(&b, connector_id);
	buf_add_char(&b, '\n');
	buf_add(&b, x->body, x->body_bytes);
	digest_sha256(buf_str(&b), out);
}

struct str kept_answer_print(struct arena *a, const struct http_exchange *x)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	for (size_t i = 0; i < x->res_header_count; i++) {
		const struct http_header *h = &x->res_headers[i];

		if (is_kept(h->name))
			buf_add_fmt(&b, "%.*s: %.*s\n", STR_ARG(h->name), STR_ARG(h->value));
	}
	buf_add_char(&b, '\n');
	buf_add_str(&b, x->res_body);
	return str_dup(a, buf_str(&b));
}

bool kept_answer_read(struct str text, struct http_exchange *x)
{
	struct str rest = text, line;

	while ((line = str_cut(&rest, '\n')).n > 0 && rest.p != NULL)
		if (!is_kept(str_cut(&line, ':')) || line.n < 2)
			return false;
	if (line.n > 0 || rest.p == NULL)
		return false;
	x->res_body = rest;
	while ((line = str_cut(&text, '\n')).n > 0) {
		struct str name = str_cut(&line, ':');

		http_response_header(x, name, str_from(line, 1));
	}
	return true;
}

/*
 * by_integrator.c - the product's own way: the page's arena, the tape, a compiled mapping that prints.
 *
 * The parser works in the text's own bytes, which in the product are the answer's buffer; here each
 * page is first copied, and the copy is part of what is measured.
 */
#include "bench_json.h"

#include "map/mapping.h"

struct state {
	struct arena *job;
	struct mapping *mapping;
	struct buf text, out;
};

static void add_name(struct buf *b, const char *outer, const char *inner)
{
	buf_add_fmt(b, "\"%s%s%s\"", outer, inner[0] == '\0' ? "" : ".", inner);
}

static struct mapping *compile(struct arena *a)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	struct err err = ERR_INIT;
	const struct json *doc;
	struct mapping *m;

	BUF_ADD_LIT(&b, "{\"fields\":[");
#define X(from, from_inner, to, to_inner)  \
	BUF_ADD_LIT(&b, "{\"extract\":");  \
	add_name(&b, from, from_inner);    \
	BUF_ADD_LIT(&b, ",\"generate\":"); \
	add_name(&b, to, to_inner);        \
	BUF_ADD_LIT(&b, "},");
	BENCH_MAPPING(X)
#undef X
	b.n--; /* the last comma */
	BUF_ADD_LIT(&b, "]}");
	CHECK(json_parse_copy(a, buf_str(&b), &doc, &err));
	CHECK(mapping_compile(a, doc, NULL, &m, &err));
	return m;
}

static void *open_state(void)
{
	struct arena *a = arena_new("job", 0);
	struct state *s = arena_new_of(a, struct state);

	s->job = a;
	s->mapping = compile(a);
	return s;
}

static struct bench_text page(void *state, const char *text, size_t n)
{
	struct state *s = state;
	struct arena *a DEFER(arena_freep) = arena_new("page", 0);
	struct err err = ERR_INIT;
	const struct json *doc;

	buf_reset(&s->text);
	buf_add(&s->text, text, n);
	buf_reset(&s->out);
	if (!json_parse(a, s->text.p, n, NULL, &doc, &err))
		return (struct bench_text){ NULL, 0 };
	for (json_each (record, doc)) {
		if (!mapping_print(s->mapping, record, NULL, a, &s->out, &err))
			return (struct bench_text){ NULL, 0 };
		buf_add_char(&s->out, '\n');
	}
	return (struct bench_text){ s->out.p, s->out.n };
}

static void close_state(void *state)
{
	struct state *s = state;

	buf_free(&s->text);
	buf_free(&s->out);
	arena_free(s->job);
}

const struct bench_worker by_integrator = { "integrator", open_state, page, close_state };

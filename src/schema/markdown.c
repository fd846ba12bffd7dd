/*
 * markdown.c - the reference pages: a table per section of a type, its examples, errors, limits.
 *
 * A section is the top of the document or one object directly below it ("rest"); deeper fields
 * stand in their section's table with their whole path, as users write it.
 */
#include "schema/schema_priv.h"

#include "core/limits.h"

/* Text in a table's cell: a bar would end the cell, a line break the row. */
static void put_cell(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '|')
			buf_add_char(out, '\\');
		buf_add_char(out, s.p[i] == '\n' ? ' ' : s.p[i]);
	}
}

static void put_words(struct buf *out, const char *list)
{
	struct str rest = str_z(list);

	while (rest.p != NULL) {
		struct str word = str_cut(&rest, '|');

		if (word.n == 0)
			BUF_ADD_LIT(out, "(empty)");
		else
			buf_add_fmt(out, "`%.*s`", STR_ARG(word));
		if (rest.p != NULL)
			BUF_ADD_LIT(out, ", ");
	}
}

static void put_one_type(struct buf *out, const struct fld *f)
{
	switch (f->type) {
	case FLD_STR:
	case FLD_TOKEN:
		BUF_ADD_LIT(out, "string");
		break;
	case FLD_BOOL:
		BUF_ADD_LIT(out, "boolean");
		break;
	case FLD_INT:
		buf_add_fmt(out, "integer, %lld to %lld", (long long)f->min, (long long)f->max);
		break;
	case FLD_ENUM:
		put_words(out, f->values);
		break;
	case FLD_REF: {
		struct str rest = str_z(f->values);

		BUF_ADD_LIT(out, "id of ");
		while (rest.p != NULL) {
			struct str type = str_cut(&rest, '|');

			buf_add_fmt(out, "%s %.*s", word_article(type), STR_ARG(type));
			if (rest.p != NULL)
				BUF_ADD_LIT(out, " or ");
		}
		break;
	}
	case FLD_TIME:
		BUF_ADD_LIT(out, "time, ISO 8601");
		break;
	case FLD_URL:
		BUF_ADD_LIT(out, "URL");
		break;
	case FLD_OBJECT:
	case FLD_MAP:
		BUF_ADD_LIT(out, "object");
		break;
	case FLD_ANY:
		BUF_ADD_LIT(out, "any value");
		break;
	}
}

static void put_type(struct buf *out, const struct fld *f)
{
	if ((f->flags & FLD_LIST) != 0)
		BUF_ADD_LIT(out, "array of: ");
	put_one_type(out, f);
	if ((f->flags & FLD_LIST_OR_ONE) != 0)
		BUF_ADD_LIT(out, "; or an array of them");
}

static void put_description(struct buf *out, const struct node *n)
{
	const struct fld *f = n->fld;

	put_cell(out, str_z(f->text));
	if (n->when_node != NULL) {
		buf_add_fmt(out, " Only when `%s` is ", n->when_node->fld->path);
		put_words(out, n->when_values.p);
		BUF_ADD_LIT(out, ".");
	}
	if (node_is(n, FLD_REQUIRED))
		BUF_ADD_LIT(out, " *Required.*");
	if (node_is(n, FLD_SECRET))
		BUF_ADD_LIT(out, " *Secret: sealed at rest, answered as `" SCHEMA_MASK "`.*");
	if (node_is(n, FLD_READ_ONLY))
		BUF_ADD_LIT(out, " *Read-only.*");
	if (node_is(n, FLD_INDEXED))
		buf_add_fmt(out, " *Lists filter by it: `?%s=`.*", f->path);
	if (node_is(n, FLD_INERT))
		BUF_ADD_LIT(out, " *Stored; not acted on by this version: a run that needs it is "
				 "refused.*");
	if (node_is(n, FLD_UNUSED))
		BUF_ADD_LIT(out, " *Stored; not acted on by this version.*");
	if (node_is(n, FLD_LIST_INERT))
		BUF_ADD_LIT(out, " *An array is stored; not acted on by this version.*");
	if (f->values_inert != NULL) {
		BUF_ADD_LIT(out, " *Stored; not acted on by this version:* ");
		put_words(out, f->values_inert);
		BUF_ADD_LIT(out, ".");
	}
	if (f->values_later != NULL) {
		BUF_ADD_LIT(out, " *Not in this version:* ");
		put_words(out, f->values_later);
		BUF_ADD_LIT(out, ".");
	}
}

static void put_row(struct buf *out, const struct node *n)
{
	const struct fld *f = n->fld;

	buf_add_fmt(out, "| **%s** | ", f->path);
	put_type(out, f);
	BUF_ADD_LIT(out, " | ");
	if (f->def != NULL) {
		BUF_ADD_LIT(out, "`");
		put_cell(out, str_z(f->def));
		BUF_ADD_LIT(out, "`");
	}
	BUF_ADD_LIT(out, " | ");
	put_description(out, n);
	BUF_ADD_LIT(out, " |\n");
}

static void put_head(struct buf *out)
{
	BUF_ADD_LIT(out, "| Field | Type | Default | Description |\n"
			 "| :---- | :---- | :---- | :---- |\n");
}

static void put_rows(struct buf *out, const struct node *n)
{
	for (each_kid(k, n)) {
		put_row(out, k);
		put_rows(out, k);
	}
}

static bool is_section(const struct node *n)
{
	return n->first != NULL && !node_has_elements(n);
}

static void put_top(struct buf *out, const struct node *root)
{
	BUF_ADD_LIT(out, "## Fields\n\n");
	put_head(out);
	for (each_kid(k, root)) {
		put_row(out, k);
		if (!is_section(k))
			put_rows(out, k);
	}
	BUF_ADD_LIT(out, "\n");
}

static void put_examples(struct buf *out, const char *const *example)
{
	struct arena *a DEFER(arena_freep) = arena_new("page", 0);

	if (example == NULL || *example == NULL)
		return;
	buf_add_fmt(out, "## Example%s\n\n", example[1] != NULL ? "s" : "");
	for (; *example != NULL; example++) {
		const struct json *doc;
		struct err err = ERR_INIT;

		CHECK(json_parse_copy(a, str_z(*example), &doc, &err));
		BUF_ADD_LIT(out, "```json\n");
		json_print(out, doc, JSON_PRETTY);
		BUF_ADD_LIT(out, "\n```\n\n");
	}
}

void schema_markdown(const struct schema *s, struct buf *out)
{
	const struct res_def *d = s->def;

	buf_add_fmt(out, "# %s\n\n%s\n\n", d->title, d->text);
	buf_add_fmt(out, "Path: `/v1/%s`, one of them: `/v1/%s/{_id}`.\n\n", d->segment,
		d->segment);
	put_top(out, &s->root);
	for (each_kid(k, &s->root)) {
		if (!is_section(k))
			continue;
		buf_add_fmt(out, "## %s\n\n%s\n\n", k->fld->path, k->fld->text);
		put_head(out);
		put_rows(out, k);
		BUF_ADD_LIT(out, "\n");
	}
	put_examples(out, d->examples);
}

void schema_markdown_errors(struct buf *out)
{
	BUF_ADD_LIT(out,
		"# Errors\n\n"
		"Errors are answered as `{\"errors\":[{\"field\":...,\"code\":...,\"message\":..."
		"}]}`, all problems of a request at once. `field` is there when one field is at "
		"fault, `hint` when something can be done about it.\n\n"
		"| Code | Status | May the same request succeed later? | Meaning |\n"
		"| :---- | :---- | :---- | :---- |\n");
	for (int i = ERR_NONE + 1; i < ERR_COUNT; i++) {
		const struct err_info *e = err_info((enum err_code)i);

		buf_add_fmt(out, "| `%s` | %d | %s | ", e->wire, e->status,
			e->retry == ERR_RETRY_YES ? "yes" : "no");
		put_cell(out, str_z(e->words));
		BUF_ADD_LIT(out, " |\n");
	}
}

void schema_markdown_limits(struct buf *out)
{
	static const struct {
		const char *name, *unit, *words;
		long long value;
	} limits[] = {
#define X(sym, value, unit, words) { #sym, unit, words, value },
		LIMIT_TABLE(X)
#undef X
	};

	BUF_ADD_LIT(out, "# Limits\n\n| Limit | Value | What |\n| :---- | ----: | :---- |\n");
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		buf_add_fmt(out, "| `%s` | %lld %s | ", limits[i].name + strlen("LIMIT_"),
			limits[i].value, limits[i].unit);
		put_cell(out, str_z(limits[i].words));
		BUF_ADD_LIT(out, " |\n");
	}
}

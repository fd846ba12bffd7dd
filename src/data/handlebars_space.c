/*
 * handlebars_space.c - what ~ strips, and blocks, comments and {{else}} that stand alone on a line:
 * the rules of whitespace-control.js of handlebars.js 4.7, including their order.
 *
 * Text nodes keep their original, by which "stands alone" is judged, beside the value that is cut.
 */
#include "data/handlebars_priv.h"

#define AT_BEGIN SIZE_MAX

struct standing { /* what a statement tells the program around it */
	bool any, open, close, open_alone, close_alone, alone;
};

static struct node *content_at(const struct program *p, size_t i)
{
	return i < p->count && p->body[i]->kind == NODE_CONTENT ? p->body[i] : NULL;
}

static bool has_newline(struct str s)
{
	return str_find_char(s, '\n') != STR_NPOS;
}

/* Does what stands before statement I (p->count: the end) end a line? ROOT: may it be the start? */
static bool line_before(const struct program *p, size_t i, bool root)
{
	if (i == 0)
		return root;
	const struct node *n = content_at(p, i - 1);

	if (n == NULL)
		return false;
	struct str kept = js_trim_right(n->original);

	if (i == 1 && root && kept.n == 0)
		return true;
	return has_newline(str_from(n->original, kept.n));
}

/* Does what stands behind statement I (AT_BEGIN: the first) begin with the end of a line? */
static bool line_behind(const struct program *p, size_t i, bool root)
{
	size_t next = i + 1;

	if (next >= p->count)
		return root;
	const struct node *n = content_at(p, next);

	if (n == NULL)
		return false;
	struct str kept = js_trim_left(n->original);

	if (next + 1 >= p->count && root && kept.n == 0)
		return true;
	return has_newline(str_sub(n->original, 0, n->original.n - kept.n));
}

/* Cuts the text behind statement I: all white space, or blanks and one line end. */
static void omit_right(const struct program *p, size_t i, bool all)
{
	struct node *n = content_at(p, i + 1);

	if (n == NULL || (!all && n->right_stripped))
		return;
	struct str v = n->value;

	if (all) {
		v = js_trim_left(v);
	} else {
		while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == '\t'))
			v = str_from(v, 1);
		if (str_starts(v, STR("\r\n")))
			v = str_from(v, 2);
		else if (v.n > 0 && (v.p[0] == '\r' || v.p[0] == '\n'))
			v = str_from(v, 1);
	}
	n->right_stripped = v.n != n->value.n;
	n->value = v;
}

/* Cuts the text before statement I (p->count: the last): all white space, or blanks. */
static void omit_left(const struct program *p, size_t i, bool all)
{
	struct node *n = i == 0 ? NULL : content_at(p, i - 1);

	if (n == NULL || (!all && n->left_stripped))
		return;
	struct str v = n->value;

	if (all)
		v = js_trim_right(v);
	else
		while (v.n > 0 && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t'))
			v.n--;
	n->left_stripped = v.n != n->value.n;
	n->value = v;
}

static void strip_program(const struct program *p, bool root);

/* The inside of a block; what it lacks is NULL. */
static struct standing strip_block(const struct node *b)
{
	if (b->program != NULL)
		strip_program(b->program, false);
	if (b->inverse != NULL)
		strip_program(b->inverse, false);
	const struct program *program = b->program != NULL ? b->program : b->inverse;
	const struct program *inverse = b->program != NULL ? b->inverse : NULL;
	const struct program *first = inverse, *last = inverse;

	if (inverse != NULL && inverse->chained) {
		first = inverse->body[0]->program;
		while (last->chained) {
			const struct node *n = last->body[last->count - 1];

			last = n->program;
		}
	}
	struct standing s = { .any = true,
		.open = b->strip.open,
		.close = b->close_strip.close,
		.open_alone = line_behind(program, AT_BEGIN, false),
		.close_alone = line_before(first != NULL ? first : program,
			(first != NULL ? first : program)->count, false) };

	if (b->strip.close)
		omit_right(program, AT_BEGIN, true);
	if (inverse == NULL) {
		if (b->close_strip.open)
			omit_left(program, program->count, true);
		return s;
	}
	if (b->inverse_strip.open)
		omit_left(program, program->count, true);
	if (b->inverse_strip.close)
		omit_right(first, AT_BEGIN, true);
	if (b->close_strip.open)
		omit_left(last, last->count, true);
	if (line_before(program, program->count, false) && line_behind(first, AT_BEGIN, false)) {
		omit_left(program, program->count, false);
		omit_right(first, AT_BEGIN, false);
	}
	return s;
}

static struct standing strip_node(const struct node *n)
{
	switch (n->kind) {
	case NODE_BLOCK:
		return strip_block(n);
	case NODE_MUSTACHE:
	case NODE_COMMENT:
		return (struct standing){ .any = true,
			.open = n->strip.open,
			.close = n->strip.close,
			.alone = n->kind == NODE_COMMENT };
	default:
		return (struct standing){ .any = false };
	}
}

static void strip_program(const struct program *p, bool root)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct node *n = p->body[i];
		struct standing s = strip_node(n);

		if (!s.any)
			continue;
		bool before = line_before(p, i, root), behind = line_behind(p, i, root);

		if (s.close)
			omit_right(p, i, true);
		if (s.open)
			omit_left(p, i, true);
		if (s.alone && before && behind) {
			omit_right(p, i, false);
			omit_left(p, i, false);
		}
		if (s.open_alone && before) {
			omit_right(n->program != NULL ? n->program : n->inverse, AT_BEGIN, false);
			omit_left(p, i, false);
		}
		if (s.close_alone && behind) {
			const struct program *end = n->inverse != NULL ? n->inverse : n->program;

			omit_right(p, i, false);
			omit_left(end, end->count, false);
		}
	}
}

void hbs_strip_whitespace(struct program *main)
{
	strip_program(main, true);
}

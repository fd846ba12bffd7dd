/*
 * handlebars_parse.c - recursive descent over the grammar of handlebars.js 4.7.
 *
 * What handlebars.js decides when it compiles the tree is decided here at once, since the names of
 * block parameters around a mustache are known by then: whether a name is a helper, a block
 * parameter or a path.
 */
#include "data/handlebars_priv.h"

struct names { /* block parameters of the programs around, innermost first */
	const struct program *program;
	const struct names *up;
};

struct parser {
	struct lexer lexer;
	struct token t; /* the next one */
	struct arena *arena;
	const struct hbs_options *options;
	struct hbs *out;
	const struct names *names;
	unsigned depth;
	struct err *err;
};

/* A name with its arguments, before it is known what it stands for. */
struct phrase {
	struct expr *name;
	struct expr **args;
	uint32_t args_count, args_cap;
	struct str *hash_names;
	struct expr **hash;
	uint32_t hash_count, hash_cap;
};

struct chain { /* {{else}} or {{else name}} and what follows */
	struct program *program;
	struct strip strip;
};

static bool parse_program(struct parser *p, struct program *out);
static bool parse_param(struct parser *p, struct expr **out);

static bool next(struct parser *p)
{
	return lex_next(&p->lexer, &p->t, p->err);
}

static bool fail(struct parser *p, size_t at, const char *what)
{
	return lex_fail(at, p->err, "%s", what);
}

static bool expect(struct parser *p, enum token_kind kind, const char *what)
{
	return p->t.kind == kind ? next(p) : fail(p, p->t.at, what);
}

static bool enter(struct parser *p)
{
	if (++p->depth <= LIMIT_TEMPLATE_DEPTH)
		return true;
	return err_set(p->err, ERR_LIMIT, "position %zu: this is nested more than %d levels deep",
		p->t.at + 1, LIMIT_TEMPLATE_DEPTH);
}

/* Room for one more item of SIZE in a list that doubles. */
static void *more(struct arena *a, void *list, uint32_t count, uint32_t *cap, size_t size)
{
	if (count < *cap)
		return list;
	uint32_t n = *cap == 0 ? 4 : *cap * 2;

	list = arena_grow(a, list, *cap * size, n * size);
	*cap = n;
	return list;
}

/* ---- names ---- */

/* Takes the brackets off `[any name]`, unless a line break is in it. */
static struct str bare(struct str id)
{
	if (id.n >= 2 && id.p[0] == '[' && id.p[id.n - 1] == ']' &&
		str_find_char(id, '\n') == STR_NPOS && str_find_char(id, '\r') == STR_NPOS)
		return str_sub(id, 1, id.n - 2);
	return id;
}

static bool word_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '_';
}

/* As the expression /^\.|this\b/ of handlebars.js: also true in the middle of a name. */
static bool is_scoped(struct str s)
{
	size_t at;

	if (str_starts(s, STR(".")))
		return true;
	while ((at = str_find(s, STR("this"))) != STR_NPOS) {
		s = str_from(s, at + 4);
		if (s.n == 0 || !word_char(s.p[0]))
			return true;
	}
	return false;
}

static void find_block_param(const struct parser *p, struct hbs_path *path)
{
	int block = 0;

	path->block = -1;
	if (path->scoped || path->depth > 0 || path->count == 0)
		return;
	for (const struct names *n = p->names; n != NULL; n = n->up, block++)
		for (uint32_t i = 0; i < n->program->params_count; i++)
			if (str_eq(n->program->params[i], path->parts[0])) {
				path->block = block;
				path->param = (int)i;
				return;
			}
}

/* A path that begins with an empty name, `[]` or "", is the context itself in handlebars.js. */
static void drop_empty(struct hbs_path *path)
{
	if (path->count > 0 && path->parts[0].n == 0) {
		path->count = 0;
		path->data = false;
	}
}

static void keep_path(struct parser *p, struct str text)
{
	struct hbs *t = p->out;

	if (t->paths_count == t->paths_cap) {
		size_t cap = t->paths_cap == 0 ? 4 : t->paths_cap * 2;

		t->paths = arena_grow(p->arena, t->paths, t->paths_cap * sizeof(*t->paths),
			cap * sizeof(*t->paths));
		t->paths_cap = cap;
	}
	t->paths[t->paths_count++] = text;
}

static bool add_part(struct parser *p, struct hbs_path *path, struct buf *original, uint32_t *cap,
	size_t at)
{
	struct str part = bare(p->t.text);
	bool literal = !str_eq(part, p->t.text), up = str_eq(part, STR(".."));

	buf_add_str(original, part);
	if (!literal && (up || str_eq(part, STR(".")) || str_eq(part, STR("this")))) {
		if (path->count > 0)
			return lex_fail(at, p->err, "\"%.*s\" can't stand inside a path",
				STR_ARG(part));
		path->depth += up;
		return true;
	}
	path->parts = more(p->arena, path->parts, path->count, cap, sizeof(struct str));
	path->parts[path->count++] = part;
	return true;
}

static bool parse_path(struct parser *p, struct expr *e)
{
	struct buf original DEFER(buf_free) = BUF_INIT(0);
	struct hbs_path *path = arena_new_of(p->arena, struct hbs_path);
	uint32_t cap = 0;

	path->data = p->t.kind == T_DATA;
	if (path->data) {
		buf_add_char(&original, '@');
		if (!next(p))
			return false;
	}
	for (;;) {
		if (p->t.kind != T_ID)
			return fail(p, p->t.at, "expected a name");
		if (!add_part(p, path, &original, &cap, e->at) || !next(p))
			return false;
		if (p->t.kind != T_SEP)
			break;
		buf_add_str(&original, p->t.text);
		if (!next(p))
			return false;
	}
	path->original = str_dup(p->arena, buf_str(&original));
	path->scoped = is_scoped(path->original);
	find_block_param(p, path);
	drop_empty(path);
	e->kind = EXPR_PATH;
	e->path = path;
	return true;
}

static bool parse_literal(struct parser *p, struct expr *e)
{
	e->kind = EXPR_LITERAL;
	e->text = p->t.text;
	switch (p->t.kind) {
	case T_STRING:
		e->literal = js_new_str(p->arena, p->t.text);
		break;
	case T_NUMBER:
		e->literal = js_new_number(p->arena, js_parse_number(p->arena, p->t.text));
		e->text = json_str(e->literal);
		break;
	case T_TRUE:
		e->literal = &json_true;
		break;
	case T_FALSE:
		e->literal = &json_false;
		break;
	case T_NULL:
		e->literal = &json_null;
		break;
	default:
		break; /* undefined */
	}
	return next(p);
}

/* helperName of the grammar: a path or a literal. */
static bool parse_name(struct parser *p, struct expr **out)
{
	struct expr *e = *out = arena_new_of(p->arena, struct expr);

	e->at = p->t.at;
	switch (p->t.kind) {
	case T_ID:
	case T_DATA:
		return parse_path(p, e);
	case T_STRING:
	case T_NUMBER:
	case T_TRUE:
	case T_FALSE:
	case T_UNDEFINED:
	case T_NULL:
		return parse_literal(p, e);
	default:
		return fail(p, p->t.at, "expected a name, a path or a literal");
	}
}

static bool starts_param(enum token_kind k)
{
	return k == T_ID || k == T_DATA || k == T_OPEN_SEXPR || (k >= T_STRING && k <= T_NULL);
}

/* ---- arguments ---- */

/* A name that turned out to be an argument of its own, or the name of a hash member. */
static bool parse_argument(struct parser *p, struct phrase *f)
{
	struct token first = p->t;
	struct lexer at_first = p->lexer;
	struct expr *value;

	if (first.kind == T_ID) {
		if (!next(p))
			return false;
		if (p->t.kind == T_EQUALS) {
			uint32_t cap = f->hash_cap;

			if (!next(p) || !parse_param(p, &value))
				return false;
			f->hash_names = more(p->arena, f->hash_names, f->hash_count, &cap,
				sizeof(struct str));
			f->hash = more(p->arena, f->hash, f->hash_count, &f->hash_cap,
				sizeof(struct expr *));
			f->hash_names[f->hash_count] = bare(first.text);
			f->hash[f->hash_count++] = value;
			return true;
		}
		p->lexer = at_first;
		p->t = first;
	}
	if (f->hash_count > 0)
		return fail(p, first.at, "expected name=value: other arguments stand before those");
	if (!parse_param(p, &value))
		return false;
	f->args = more(p->arena, f->args, f->args_count, &f->args_cap, sizeof(struct expr *));
	f->args[f->args_count++] = value;
	return true;
}

static bool parse_phrase(struct parser *p, struct phrase *f)
{
	*f = (struct phrase){ .name = NULL };
	if (!parse_name(p, &f->name))
		return false;
	while (starts_param(p->t.kind))
		if (!parse_argument(p, f))
			return false;
	return true;
}

static bool check_call(struct parser *p, const struct expr *e, bool block)
{
	const struct hbs_helper *h = e->fn;
	unsigned min = block && h->form == HBS_TEXT ? 0 : h->args_min;

	if (h->form == HBS_BLOCK && !block)
		return lex_fail(e->at, p->err, "%s can only be used as a block: {{#%s %s}}",
			h->name, h->name, h->args);
	if (e->args_count < min || e->args_count > h->args_max)
		return lex_fail(e->at, p->err, "%s takes %s%u argument%s, here are %u: {{%s%s %s}}",
			h->name,
			min == h->args_max    ? ""
			: e->args_count < min ? "at least "
					      : "at most ",
			e->args_count < min ? min : h->args_max,
			(e->args_count < min ? min : h->args_max) == 1 ? "" : "s", e->args_count,
			h->form == HBS_BLOCK ? "#" : "", h->name, h->args);
	return true;
}

static bool unknown_helper(struct parser *p, const struct expr *e)
{
	const struct hbs_helpers *table;
	struct str near = STR_NULL, name = e->path->original;
	unsigned best = 4;

	for (size_t i = 0; (table = hbs_table_at(p->options, i)) != NULL; i++)
		for (size_t k = 0; k < table->count; k++) {
			unsigned d = str_distance(name, str_z(table->rows[k].name), best);

			if (d < best) {
				best = d;
				near = str_z(table->rows[k].name);
			}
		}
	lex_fail(e->at, p->err, "there is no helper \"%.*s\"", STR_ARG(str_sub(name, 0, 100)));
	if (near.p != NULL)
		err_hint(p->err, "the nearest name is \"%.*s\"", STR_ARG(near));
	return false;
}

/* A literal where a name stands means the member of that name: {{"first name"}}. */
static void literal_to_path(struct parser *p, struct expr *e)
{
	struct hbs_path *path = arena_new_of(p->arena, struct hbs_path);

	path->original = e->text;
	path->parts = arena_memdup(p->arena, &e->text, sizeof(e->text));
	path->count = 1;
	path->scoped = is_scoped(e->text);
	find_block_param(p, path);
	drop_empty(path);
	e->kind = EXPR_PATH;
	e->path = path;
}

static bool is_keyword(const struct hbs_helper *h)
{
	return h >= hbs_builtin_helpers.rows &&
	       h < hbs_builtin_helpers.rows + hbs_builtin_helpers.count && h->form == HBS_BLOCK;
}

/* Decides what F stands for: classifySexpr() of handlebars.js. */
static bool resolve(struct parser *p, const struct phrase *f, bool sexpr, bool block,
	struct expr **out)
{
	struct expr *e = *out = arena_memdup(p->arena, f->name, sizeof(*f->name));
	bool asked = sexpr || f->args_count > 0 || f->hash_count > 0;

	if (e->kind == EXPR_LITERAL)
		literal_to_path(p, e);
	const struct hbs_path *path = e->path;
	bool simple = path->count == 1 && !path->scoped && path->depth == 0;

	if (simple && path->block >= 0)
		return true; /* a block parameter: arguments mean nothing, as in handlebars.js */
	const struct hbs_helper *h = simple && !path->data ? hbs_find(p->options, path->parts[0])
							   : NULL;

	if (!asked && (h == NULL || (h->args_min > 0 && !(block && h->form == HBS_TEXT) &&
					    !is_keyword(h)))) {
		keep_path(p, path->original);
		return true;
	}
	if (h == NULL)
		return unknown_helper(p, e);
	e->kind = EXPR_CALL;
	e->fn = h;
	e->args = f->args;
	e->args_count = f->args_count;
	e->hash = f->hash;
	e->hash_names = f->hash_names;
	e->hash_count = f->hash_count;
	return check_call(p, e, block);
}

static bool parse_param(struct parser *p, struct expr **out)
{
	if (p->t.kind != T_OPEN_SEXPR) {
		if (!parse_name(p, out))
			return false;
		if ((*out)->kind == EXPR_PATH && (*out)->path->block < 0)
			keep_path(p, (*out)->path->original);
		return true;
	}
	struct phrase f;

	if (!enter(p) || !next(p) || !parse_phrase(p, &f))
		return false;
	p->depth--;
	return expect(p, T_CLOSE_SEXPR, "expected an argument or ')'") &&
	       resolve(p, &f, true, false, out);
}

/* The '}}' of an opening; people write {"a":{{b}}} and mean a brace of their own behind it. */
static bool expect_close(struct parser *p)
{
	size_t at = p->t.at;
	bool three = p->t.kind == T_CLOSE_RAW;

	if (expect(p, T_CLOSE, "expected an argument or '}}'"))
		return true;
	if (three && p->t.at == at)
		err_hint(p->err, "put a space between '}}' and the '}' behind it");
	return false;
}

/* ---- statements ---- */

static bool tilde_open(struct str token)
{
	return token.n > 2 && token.p[2] == '~';
}

static bool tilde_close(struct str token)
{
	return token.n > 2 && token.p[token.n - 3] == '~';
}

static struct node *add_node(struct parser *p, struct program *to, enum node_kind kind)
{
	struct node *n = arena_new_of(p->arena, struct node);

	if (to->count == to->cap) {
		size_t cap = to->cap == 0 ? 4 : to->cap * 2;

		to->body = arena_grow(p->arena, to->body, to->cap * sizeof(*to->body),
			cap * sizeof(*to->body));
		to->cap = cap;
	}
	to->body[to->count++] = n;
	n->kind = kind;
	n->at = p->t.at;
	return n;
}

/* Keeps the token's text in the template's own copy of the source. */
static bool parse_content(struct parser *p, struct program *to)
{
	struct node *n = add_node(p, to, NODE_CONTENT);

	n->original = n->value = p->t.text;
	return next(p);
}

static bool parse_comment(struct parser *p, struct program *to)
{
	struct node *n = add_node(p, to, NODE_COMMENT);

	n->strip = (struct strip){ tilde_open(p->t.text), tilde_close(p->t.text) };
	return next(p);
}

static bool parse_mustache(struct parser *p, struct program *to)
{
	struct node *n = add_node(p, to, NODE_MUSTACHE);
	bool raw = p->t.kind == T_OPEN_RAW;
	struct str open = p->t.text;
	struct phrase f;

	p->out->constant = false;
	n->escaped = !raw && open.p[open.n - 1] != '&';
	if (!next(p) || !parse_phrase(p, &f) || !resolve(p, &f, false, false, &n->expr))
		return false;
	n->strip = (struct strip){ tilde_open(open), tilde_close(p->t.text) };
	return raw ? expect(p, T_CLOSE_RAW, "expected an argument or '}}}'") : expect_close(p);
}

/* The rest of an opening: name, arguments, `as |a b|`; strip of OPEN and of the closing braces. */
static bool parse_opening(struct parser *p, struct phrase *f, struct program *params,
	struct strip *strip)
{
	struct str open = p->t.text;
	uint32_t cap = 0;

	if (!next(p) || !parse_phrase(p, f))
		return false;
	if (p->t.kind == T_PARAMS) {
		if (!next(p))
			return false;
		while (p->t.kind == T_ID) {
			params->params = more(p->arena, params->params, params->params_count, &cap,
				sizeof(struct str));
			params->params[params->params_count++] = bare(p->t.text);
			if (!next(p))
				return false;
		}
		if (params->params_count == 0)
			return fail(p, p->t.at, "expected a name");
		if (!expect(p, T_BAR, "expected a name or '|'"))
			return false;
	}
	*strip = (struct strip){ tilde_open(open), tilde_close(p->t.text) };
	return expect_close(p);
}

static bool parse_inside(struct parser *p, struct program *program)
{
	struct names names = { program, p->names };

	p->names = &names;
	bool ok = parse_program(p, program);

	p->names = names.up;
	return ok;
}

static bool parse_else(struct parser *p, struct chain *c)
{
	c->strip = (struct strip){ tilde_open(p->t.text), tilde_close(p->t.text) };
	c->program = arena_new_of(p->arena, struct program);
	return next(p) && parse_inside(p, c->program);
}

/* {{else name}} and what follows it; *C keeps a NULL program when there is none. */
static bool parse_chain(struct parser *p, struct chain *c)
{
	struct chain inner = { .program = NULL };
	struct phrase f;

	*c = inner;
	if (p->t.kind == T_INVERSE)
		return parse_else(p, c);
	if (p->t.kind != T_OPEN_CHAIN)
		return true;
	c->program = arena_new_of(p->arena, struct program);
	c->program->chained = true;
	struct node *n = add_node(p, c->program, NODE_BLOCK);
	struct names none = { c->program, p->names };

	n->program = arena_new_of(p->arena, struct program);
	p->names = &none; /* the program that holds the chained block counts, too */
	if (!enter(p) || !parse_opening(p, &f, n->program, &n->strip) ||
		!resolve(p, &f, false, true, &n->expr) || !parse_inside(p, n->program) ||
		!parse_chain(p, &inner))
		return false;
	p->names = none.up;
	p->depth--;
	c->strip = n->strip;
	n->inverse = inner.program;
	n->inverse_strip = n->close_strip = inner.strip;
	if (inner.program != NULL && inner.program->chained)
		inner.program->body[0]->close_strip = inner.strip; /* sic */
	return true;
}

static bool same_name(const struct expr *a, const struct expr *b)
{
	struct str x = a->kind == EXPR_PATH ? a->path->original : a->text;
	struct str y = b->kind == EXPR_PATH ? b->path->original : b->text;
	int p = a->kind == EXPR_PATH || a->literal == NULL ? JSON_STRING : a->literal->type;
	int q = b->kind == EXPR_PATH || b->literal == NULL ? JSON_STRING : b->literal->type;

	return p == q && str_eq(x, y);
}

static bool parse_block_end(struct parser *p, const struct node *n, const struct expr *name,
	struct strip *strip)
{
	struct expr *close;
	size_t at = p->t.at;
	struct str open = p->t.text,
		   want = name->kind == EXPR_PATH ? name->path->original : name->text;

	if (p->t.kind != T_OPEN_END)
		return lex_fail(p->t.at, p->err,
			"expected {{/%.*s}}, which closes the block at position %zu",
			STR_ARG(str_sub(want, 0, 100)), n->at + 1);
	if (!next(p) || !parse_name(p, &close))
		return false;
	if (!same_name(name, close))
		return lex_fail(at, p->err,
			"this closes another block than {{#%.*s}} at position %zu",
			STR_ARG(str_sub(want, 0, 100)), n->at + 1);
	*strip = (struct strip){ tilde_open(open), tilde_close(p->t.text) };
	return expect(p, T_CLOSE, "expected '}}'");
}

static bool parse_block(struct parser *p, struct program *to)
{
	struct node *n = add_node(p, to, NODE_BLOCK);
	bool inverted = p->t.kind == T_OPEN_INVERSE;
	struct chain c = { .program = NULL };
	struct phrase f;

	p->out->constant = false;
	n->program = arena_new_of(p->arena, struct program);
	if (!enter(p) || !parse_opening(p, &f, n->program, &n->strip) ||
		!resolve(p, &f, false, true, &n->expr) || !parse_inside(p, n->program))
		return false;
	if (inverted && p->t.kind == T_OPEN_CHAIN)
		return fail(p, p->t.at, "{{^name}} can have an {{else}}, but no {{else name}}");
	if (!parse_chain(p, &c) || !parse_block_end(p, n, f.name, &n->close_strip))
		return false;
	p->depth--;
	n->inverse = c.program;
	n->inverse_strip = c.strip;
	if (c.program != NULL && c.program->chained)
		c.program->body[0]->close_strip = n->close_strip;
	if (inverted) {
		n->inverse = n->program;
		n->program = c.program;
	}
	return true;
}

static bool parse_raw_block(struct parser *p, struct program *to)
{
	struct node *n = add_node(p, to, NODE_BLOCK);
	struct phrase f;

	p->out->constant = false;
	n->program = arena_new_of(p->arena, struct program);
	if (!next(p) || !parse_phrase(p, &f) || !resolve(p, &f, false, true, &n->expr) ||
		!expect(p, T_CLOSE_RAWBLOCK, "expected an argument or '}}}}'"))
		return false;
	while (p->t.kind == T_CONTENT)
		if (!parse_content(p, n->program))
			return false;
	struct str name = f.name->kind == EXPR_PATH ? f.name->path->original : f.name->text;

	if (p->t.kind == T_END_RAWBLOCK && !str_eq(p->t.text, name))
		return lex_fail(p->t.at, p->err,
			"this closes another raw block than the one at position %zu", n->at + 1);
	return expect(p, T_END_RAWBLOCK, "expected the end of a raw block");
}

static bool parse_program(struct parser *p, struct program *out)
{
	for (;;) {
		bool ok;

		switch (p->t.kind) {
		case T_CONTENT:
			ok = parse_content(p, out);
			break;
		case T_COMMENT:
			ok = parse_comment(p, out);
			break;
		case T_OPEN:
		case T_OPEN_RAW:
			ok = parse_mustache(p, out);
			break;
		case T_OPEN_BLOCK:
		case T_OPEN_INVERSE:
			ok = parse_block(p, out);
			break;
		case T_OPEN_RAWBLOCK:
			ok = parse_raw_block(p, out);
			break;
		default:
			return true;
		}
		if (!ok)
			return false;
	}
}

bool hbs_parse(struct arena *a, struct str text, const struct hbs_options *options, struct hbs *t,
	struct err *err)
{
	struct parser p = { .lexer = { .arena = a, .s = text },
		.arena = a,
		.options = options,
		.out = t,
		.err = err };
	size_t nul = str_find_char(text, '\0');

	if (nul != STR_NPOS)
		return fail(&p, nul, "a NUL byte can't be in a template");
	t->main = arena_new_of(a, struct program);
	t->constant = true;
	if (!next(&p) || !parse_inside(&p, t->main))
		return false;
	if (p.t.kind == T_INVERSE || p.t.kind == T_OPEN_CHAIN)
		return fail(&p, p.t.at, "there is no block that this could be the {{else}} of");
	return p.t.kind == T_EOF || fail(&p, p.t.at, "there is no block that this could close");
}

/*
 * handlebars_render.c - walks the compiled tree with a scope: the context, the contexts around it
 * (`../`), the loop data (`@index`) and the block parameters.
 *
 * Scopes live on the C stack, values in the scratch arena, output goes straight to the buffer: a
 * block is not rendered to a text first. Every statement and every round of a loop is a step, and
 * steps, output and scratch memory have limits, so that no template can run away.
 */
#include "data/handlebars_priv.h"

#define BYTES_STEP 64 /* bytes of an argument that make a step */

/* What a helper's `this` is where the context is undefined or null: an object of no members. */
static const struct json no_context = { .type = JSON_OBJECT, .span = 1 };

bool hbs_compile(struct arena *a, struct str text, const struct hbs_options *options,
	struct hbs **out, struct err *err)
{
	struct hbs *t = arena_new_of(a, struct hbs);

	t->text = str_dup(a, text);
	if (!hbs_parse(a, t->text, options, t, err))
		return err_wrap(err, "template \"%.*s\"", STR_ARG(str_sub(text, 0, 200)));
	hbs_strip_whitespace(t->main);
	*out = t;
	return true;
}

bool hbs_is_constant(const struct hbs *t)
{
	return t->constant;
}

struct str hbs_path_at(const struct hbs *t, size_t i)
{
	return i < t->paths_count ? t->paths[i] : STR_NULL;
}

bool run_steps(struct run *r, size_t n, struct err *err)
{
	if (r->steps > LIMIT_TEMPLATE_STEPS || n > LIMIT_TEMPLATE_STEPS - r->steps)
		return err_set(err, ERR_LIMIT, "the template takes more than %d steps",
			LIMIT_TEMPLATE_STEPS);
	r->steps += n;
	if (arena_used(r->scratch) - r->scratch_begin > LIMIT_TEMPLATE_SCRATCH)
		return err_set(err, ERR_LIMIT,
			"the template needs more than %d bytes for intermediate values",
			LIMIT_TEMPLATE_SCRATCH);
	return true;
}

/* ---- paths ---- */

/* A variable of the environment that P begins with; *USED parts of P named it. */
static bool variable(struct run *r, const struct hbs_path *p, size_t *used, const struct json **v,
	struct err *err)
{
	bool found = false;

	*used = 0;
	if (p->count > 1 && str_eq(p->parts[0], STR("lookup"))) {
		struct str name = str_fmt(r->scratch, "lookup.%.*s", STR_ARG(p->parts[1]));

		if (!r->env->value(r->env->ctx, name, &found, v, err))
			return false;
		*used = found ? 2 : 0;
	}
	if (!found) {
		if (!r->env->value(r->env->ctx, p->parts[0], &found, v, err))
			return false;
		*used = found ? 1 : 0;
	}
	return true;
}

/* @root, @key, @index, @first, @last; *FROM is the part that goes on from the value. */
static const struct json *data_value(struct run *r, const struct scope *s, const struct hbs_path *p)
{
	const struct frame *f = s->frame;

	for (uint32_t i = 0; i < p->depth && f != NULL; i++)
		f = f->up;
	if (f == NULL)
		return NULL;
	struct str name = p->parts[0];

	if (str_eq(name, STR("root")))
		return r->env->context;
	while (f != NULL && !f->loop)
		f = f->up;
	if (f == NULL)
		return NULL;
	if (str_eq(name, STR("index")))
		return js_new_number(r->scratch, (double)f->index);
	if (str_eq(name, STR("key")))
		return f->key != NULL ? f->key : js_new_number(r->scratch, (double)f->index);
	if (str_eq(name, STR("first")))
		return hbs_new_bool(f->first);
	if (str_eq(name, STR("last")))
		return hbs_new_bool(f->last);
	return NULL;
}

/* The rest of P from part FROM on: stops at nothing and gives that back, as handlebars.js does. */
static const struct json *walk(struct run *r, const struct hbs_path *p, size_t from,
	const struct json *v, bool falsy)
{
	for (size_t i = from; i < p->count; i++) {
		if (falsy ? !hbs_truthy(v) : v == NULL || v->type == JSON_NULL)
			return v;
		r->steps += js_property_steps(v, p->parts[i]);
		v = js_property(r->scratch, v, p->parts[i]);
	}
	return v;
}

static const struct json *block_param(const struct scope *s, const struct hbs_path *p)
{
	const struct params *set = s->params;

	for (int i = 0; i < p->block && set != NULL; i++)
		set = set->up;
	return set != NULL && (size_t)p->param < set->count ? set->values[p->param] : NULL;
}

bool run_path(struct run *r, const struct scope *s, const struct hbs_path *p, const struct json **v,
	struct err *err)
{
	size_t from = 0;

	if (p->block >= 0) {
		*v = walk(r, p, 1, block_param(s, p), false);
		return true;
	}
	if (p->data) {
		*v = p->count == 0 ? NULL : data_value(r, s, p);
		bool root = p->count > 1 && p->depth == 0 && str_eq(p->parts[0], STR("root"));

		if (root && r->env->value != NULL) {
			const struct hbs_path rest = { .parts = p->parts + 1,
				.count = p->count - 1 };
			const struct json *found;

			if (!variable(r, &rest, &from, &found, err))
				return false;
			if (from > 0)
				*v = found;
		}
		*v = walk(r, p, from + 1, *v, true);
		return true;
	}
	const struct json *context = s->context;

	if (p->depth > 0) {
		const struct depth *d = s->depths;

		for (uint32_t i = 0; i < p->depth && d != NULL; i++)
			d = d->up;
		context = d == NULL ? NULL : d->value;
	}
	*v = context;
	if (p->count > 0 && r->env->value != NULL && context == r->env->context &&
		(!p->scoped || p->depth > 0)) {
		const struct json *found;

		if (!variable(r, p, &from, &found, err))
			return false;
		if (from > 0)
			*v = found;
	}
	*v = walk(r, p, from, *v, false);
	return true;
}

/* ---- expressions ---- */

static bool run_call(struct run *r, const struct scope *s, const struct expr *e,
	const struct node *block, const struct json **v, struct err *err);

static bool run_expr(struct run *r, const struct scope *s, const struct expr *e,
	const struct json **v, struct err *err)
{
	switch (e->kind) {
	case EXPR_LITERAL:
		*v = e->literal;
		return true;
	case EXPR_PATH:
		return run_path(r, s, e->path, v, err);
	default:
		return run_call(r, s, e, NULL, v, err);
	}
}

static bool run_call(struct run *r, const struct scope *s, const struct expr *e,
	const struct node *block, const struct json **v, struct err *err)
{
	struct hbs_call c = { .run = r,
		.scope = s,
		.expr = e,
		.block = block,
		.args = arena_array_of(r->scratch, const struct json *, e->args_count),
		.hash = arena_array_of(r->scratch, const struct json *, e->hash_count) };

	if (!run_steps(r, 1, err))
		return false;
	for (uint32_t i = 0; i < e->args_count; i++) {
		if (!run_expr(r, s, e->args[i], &c.args[i], err))
			return false;
		if (json_is_str(c.args[i]))
			r->steps += c.args[i]->n / BYTES_STEP;
	}
	for (uint32_t i = 0; i < e->hash_count; i++)
		if (!run_expr(r, s, e->hash[i], &c.hash[i], err))
			return false;
	*v = NULL;
	return e->fn->fn(&c, v, err) && run_steps(r, 0, err);
}

/* ---- output ---- */

static void add_html(struct buf *out, struct str s)
{
	static const char from[] = "&<>\"'`=";
	static const char *const to[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#x27;", "&#x60;",
		"&#x3D;" };

	while (s.n > 0) {
		size_t n = 0;
		const char *k = NULL;

		while (n < s.n && (k = memchr(from, s.p[n], sizeof(from) - 1)) == NULL)
			n++;
		buf_add(out, s.p, n);
		if (n == s.n)
			return;
		buf_add_str(out, str_z(to[k - from]));
		s = str_from(s, n + 1);
	}
}

static void add_component(struct buf *out, struct str s)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			     (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_' || c == '~';
		char e[3] = { '%', digits[c >> 4], digits[c & 15] };

		buf_add(out, plain ? &s.p[i] : e, plain ? 1 : 3);
	}
}

static bool put(struct run *r, const struct json *v, bool escaped, struct err *err)
{
	struct str s = js_to_str(r->scratch, v);

	if (!escaped || r->env->escape == HBS_RAW)
		buf_add_str(r->out, s);
	else if (r->env->escape == HBS_HTML)
		add_html(r->out, s);
	else
		add_component(r->out, s);
	return !r->out->over ||
	       err_set(err, ERR_LIMIT, "the text is longer than %zu bytes", r->out->max);
}

static bool is_value(const struct json *v)
{
	return v != NULL && v->type != JSON_NULL;
}

static bool run_mustache(struct run *r, const struct scope *s, const struct node *n,
	struct err *err)
{
	const struct json *v;
	const struct expr *e = n->expr;

	if (!run_expr(r, s, e, &v, err))
		return false;
	bool plain = e->kind == EXPR_PATH;
	bool empty = !is_value(v) || (v->type == JSON_STRING && v->n == 0);

	if (plain && r->env->strict && (!is_value(v) || (empty && r->env->escape == HBS_URI)))
		return err_set(err, ERR_MISSING_VALUE, "the record has no value for {{%.*s}}",
			STR_ARG(e->path->original));
	r->values += plain ? is_value(v) : !empty;
	return !is_value(v) || put(r, v, n->escaped, err);
}

/* A block whose name is a value: blockHelperMissing of handlebars.js. */
static bool run_section(struct run *r, const struct scope *s, const struct node *n, struct err *err)
{
	static const struct expr nothing = { .kind = EXPR_CALL };
	const struct json *v;
	struct hbs_call c = { .run = r, .scope = s, .expr = &nothing, .block = n };

	if (!run_path(r, s, n->expr->path, &v, err))
		return false;
	if (v == NULL || v->type == JSON_NULL || v->type == JSON_FALSE)
		return hbs_run(&c, false, s->context, err);
	if (v->type == JSON_TRUE)
		return hbs_run(&c, true, s->context, err);
	if (v->type == JSON_ARRAY)
		return v->n > 0 ? run_each(&c, v, err) : hbs_run(&c, false, s->context, err);
	return hbs_run(&c, true, v, err);
}

static bool run_block(struct run *r, const struct scope *s, const struct node *n, struct err *err)
{
	const struct json *v = NULL;

	if (n->expr->kind == EXPR_PATH)
		return run_section(r, s, n, err);
	if (!run_call(r, s, n->expr, n, &v, err))
		return false;
	return !is_value(v) || put(r, v, false, err);
}

static bool run_node(struct run *r, const struct scope *s, const struct node *n, struct err *err)
{
	if (!run_steps(r, 1, err))
		return false;
	switch (n->kind) {
	case NODE_CONTENT:
		buf_add_str(r->out, n->value);
		return !r->out->over ||
		       err_set(err, ERR_LIMIT, "the text is longer than %zu bytes", r->out->max);
	case NODE_MUSTACHE:
		return run_mustache(r, s, n, err);
	case NODE_BLOCK:
		return run_block(r, s, n, err);
	default:
		return true;
	}
}

bool run_program(struct run *r, const struct program *p, const struct scope *outer,
	const struct json *context, const struct frame *frame, const struct json *const *values,
	size_t values_count, struct err *err)
{
	if (p == NULL)
		return true;
	const struct json *above = outer->depths->value;
	struct params params = { values, values_count, outer->params };
	struct depth depth = { context, outer->depths };
	struct scope s = { .context = context,
		.depths = outer->depths,
		.frame = frame != NULL ? frame : outer->frame,
		.params = &params };
	bool null_again = context == &no_context && above != NULL && above->type == JSON_NULL;

	if (!js_equal_loose(r->scratch, context, above) && !null_again)
		s.depths = &depth;
	for (size_t i = 0; i < p->count; i++)
		if (!run_node(r, &s, p->body[i], err))
			return false;
	return true;
}

bool hbs_render(const struct hbs *t, const struct hbs_env *env, struct buf *out, size_t *values,
	struct err *err)
{
	struct run r = { .env = env,
		.scratch = env->scratch,
		.out = out,
		.scratch_begin = arena_used(env->scratch) };
	const struct depth depth = { env->context, NULL };
	const struct frame frame = { .up = NULL };
	const struct scope s = { .context = env->context, .depths = &depth, .frame = &frame };

	for (size_t i = 0; i < t->main->count; i++)
		if (!run_node(&r, &s, t->main->body[i], err))
			return false;
	if (values != NULL)
		*values = r.values;
	return true;
}

/* ---- each ---- */

struct loop {
	struct hbs_call *call;
	struct frame frame;
	size_t count;
};

static bool run_round(struct loop *l, const struct json *item, const struct json *key,
	struct err *err)
{
	const struct program *p = l->call->block->program;
	struct run *r = l->call->run;
	const struct json *values[2] = { item, key };

	l->frame.key = key;
	l->frame.first = l->frame.index == 0;
	l->frame.last = l->frame.index + 1 == l->count;
	if (key == NULL && p != NULL && p->params_count > 1)
		values[1] = js_new_number(r->scratch, (double)l->frame.index);
	if (!run_steps(r, 1, err) ||
		!run_program(r, p, l->call->scope, item, &l->frame, values, 2, err))
		return false;
	l->frame.index++;
	return true;
}

bool run_each(struct hbs_call *c, const struct json *list, struct err *err)
{
	struct loop l = { .call = c, .frame = { .up = c->scope->frame, .loop = true } };

	if (json_is_array(list)) {
		l.count = list->n;
		for (json_each (item, list))
			if (!run_round(&l, item, NULL, err))
				return false;
	} else if (json_is_object(list)) {
		if (!run_steps(c->run, list->n, err))
			return false;
		struct map *members = js_members(c->run->scratch, list);

		l.count = map_count(members);
		for (size_t i = 0; i < l.count; i++)
			if (!run_round(&l, map_value_at(members, i),
				    js_new_str(c->run->scratch, map_key_at(members, i)), err))
				return false;
	}
	return l.count > 0 || hbs_run(c, false, hbs_this(c), err);
}

/* ---- what helpers ask ---- */

size_t hbs_argc(const struct hbs_call *c)
{
	return c->expr->args_count;
}

const struct json *hbs_arg(const struct hbs_call *c, size_t i)
{
	return i < c->expr->args_count ? c->args[i] : NULL;
}

bool hbs_arg_is_literal(const struct hbs_call *c, size_t i)
{
	return i < c->expr->args_count && c->expr->args[i]->kind == EXPR_LITERAL &&
	       json_is_str(c->args[i]);
}

struct str hbs_arg_word(const struct hbs_call *c, size_t i)
{
	if (i >= c->expr->args_count || c->expr->args[i]->kind != EXPR_PATH)
		return STR_NULL;
	return c->expr->args[i]->path->original;
}

const struct json *hbs_hash(const struct hbs_call *c, const char *name)
{
	for (uint32_t i = 0; i < c->expr->hash_count; i++)
		if (str_eq_z(c->expr->hash_names[i], name))
			return c->hash[i];
	return NULL;
}

bool hbs_is_block(const struct hbs_call *c)
{
	return c->block != NULL;
}

struct arena *hbs_scratch(const struct hbs_call *c)
{
	return c->run->scratch;
}

const struct json *hbs_this(const struct hbs_call *c)
{
	return is_value(c->scope->context) ? c->scope->context : &no_context;
}

int64_t hbs_now_ms(struct hbs_call *c)
{
	struct run *r = c->run;

	if (!r->now_known) {
		r->now_ms = clock_wall_ms(r->env->clock != NULL ? r->env->clock : clock_system());
		r->now_known = true;
	}
	return r->now_ms;
}

struct rng *hbs_rng(const struct hbs_call *c)
{
	return c->run->env->rng != NULL ? c->run->env->rng : rng_system();
}

struct str hbs_timezone(const struct hbs_call *c)
{
	return c->run->env->timezone;
}

bool hbs_path(struct hbs_call *c, struct str path, const struct json **v, struct err *err)
{
	struct str parts[LIMIT_TEMPLATE_DEPTH], rest = path;
	struct hbs_path p = { .original = path, .parts = parts, .block = -1 };

	if (str_eq(str_sub(path, 0, 5), STR("this.")))
		rest = str_from(path, 5);
	while (rest.p != NULL) {
		struct str part = str_cut(&rest, '.');

		if (p.count == LIMIT_TEMPLATE_DEPTH)
			return hbs_fail(c, err, "the path has more than %d steps",
				LIMIT_TEMPLATE_DEPTH);
		if (part.n > 1 && part.p[0] == '[' && part.p[part.n - 1] == ']')
			part = str_sub(part, 1, part.n - 2);
		parts[p.count++] = part;
	}
	return run_path(c->run, c->scope, &p, v, err);
}

struct str hbs_str(const struct hbs_call *c, const struct json *v)
{
	return js_to_str(c->run->scratch, v);
}

const struct json *hbs_new_str(struct hbs_call *c, struct str s)
{
	return js_new_str(c->run->scratch, s);
}

const struct json *hbs_new_number(struct hbs_call *c, double v)
{
	return js_new_number(c->run->scratch, v);
}

const struct json *hbs_new_bool(bool v)
{
	return v ? &json_true : &json_false;
}

bool hbs_choose(struct hbs_call *c, bool which, const struct json **result, struct err *err)
{
	if (c->block != NULL)
		return hbs_run(c, which, hbs_this(c), err);
	*result = hbs_new_bool(which);
	return true;
}

bool hbs_run(struct hbs_call *c, bool which, const struct json *context, struct err *err)
{
	const struct program *p = which ? c->block->program : c->block->inverse;

	return run_program(c->run, p, c->scope, context, NULL, NULL, 0, err);
}

bool hbs_steps(struct hbs_call *c, size_t n, struct err *err)
{
	return run_steps(c->run, n, err);
}

bool hbs_fail(const struct hbs_call *c, struct err *err, const char *fmt, ...)
{
	char what[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return err_set(err, ERR_INVALID, "{{%s}} at position %zu of the template: %s",
		c->expr->fn->name, c->expr->at + 1, what);
}

/*
 * rest_values.c - what placeholders of an import stand for, and relative URIs made with them.
 *
 * A lookup's name wins over a field's. In URIs and headers the record comes next, then the mapped
 * record; in bodies, which say how the mapped record is to be sent, it is the other way round. What
 * neither has may be a variable of the call. Paths of placeholders are compiled when they are first
 * asked for and kept for the session: there are only as many as the import's texts name.
 */
#include "adaptor/rest/rest_sink_priv.h"

static const struct path *path_of(struct sink *s, struct str name)
{
	struct path *p = map_get(s->paths, name);
	struct err ignored = ERR_INIT;

	if (p != NULL || !path_compile(s->arena, name, false, &p, &ignored))
		return p;
	map_put(s->paths, path_text(p), p);
	return p;
}

/* "lookup.NAME" is the later spelling of NAME. */
static struct str lookup_name(struct str name)
{
	return str_starts(name, STR("lookup.")) ? str_from(name, 7) : name;
}

static bool find_value(void *ctx, struct str name, bool *found, const struct json **value,
	struct err *err UNUSED)
{
	const struct values *v = ctx;
	struct str lookup = lookup_name(name);

	*value = NULL;
	*found = rest_lookup_find(v->sink, lookup) != NULL;
	if (*found) {
		*value = json_get(v->lookups, lookup);
		return true;
	}
	if (v->mapped == NULL && v->sink->variables == NULL)
		return true;
	const struct path *p = path_of(v->sink, name);

	if (p == NULL)
		return true;
	if (v->mapped_first && v->mapped != NULL)
		*value = path_get(p, v->mapped);
	if (*value == NULL && path_get(p, v->record) != NULL)
		return true;
	if (*value == NULL && !v->mapped_first && v->mapped != NULL)
		*value = path_get(p, v->mapped);
	if (*value == NULL && v->sink->variables != NULL)
		*value = path_get(p, v->sink->variables);
	*found = *value != NULL;
	return true;
}

bool rest_values_render(const struct template *t, const struct values *v, struct buf *out,
	struct err *err)
{
	struct sink *s = v->sink;
	struct arena_mark mark = arena_mark(s->scratch);
	struct template_env env = { .value = find_value,
		.ctx = (void *)(uintptr_t)v,
		.scratch = s->scratch };

	if (s->env != NULL) { /* not while a document is only checked */
		env.clock = s->env->clock;
		env.rng = s->env->rng;
	}
	bool ok = template_render(t, v->record, &env, out, NULL, err);

	arena_rewind(s->scratch, mark);
	return ok;
}

/* ---- URIs ---- */

static bool is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7F;
}

/* Bytes that no URL may hold (RFC 3986) and that nobody means otherwise. */
static bool needs_escape(unsigned char c)
{
	return c == ' ' || c >= 0x80 || c == '"' || c == '<' || c == '>' || c == '\\' || c == '^' ||
	       c == '`' || c == '{' || c == '|' || c == '}';
}

/* Escapes OUT from FROM on, from its end, in place. */
static bool escape_from(struct buf *out, size_t from, size_t count)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = out->n;

	if (count == 0)
		return true;
	if (buf_room(out, 2 * count) == NULL)
		return false;
	out->n = n + 2 * count;
	for (size_t to = out->n; n > from && to > n;) {
		unsigned char c = (unsigned char)out->p[--n];

		if (!needs_escape(c)) {
			out->p[--to] = (char)c;
			continue;
		}
		out->p[--to] = digits[c & 15];
		out->p[--to] = digits[c >> 4];
		out->p[--to] = '%';
	}
	return true;
}

bool rest_values_uri(const struct template *t, const struct values *v, struct buf *out,
	struct err *err)
{
	size_t from = out->n, escapes = 0;

	if (!rest_values_render(t, v, out, err))
		return false;
	for (size_t i = from; i < out->n; i++) {
		unsigned char c = (unsigned char)out->p[i];

		if (is_control(c))
			return err_set(err, ERR_INVALID,
				"a value puts a control character (byte %02X) into the URI", c);
		escapes += needs_escape(c);
	}
	if (out->over || !escape_from(out, from, escapes) || out->n - from > URL_BYTES_MAX)
		return err_set(err, ERR_LIMIT, "the URI is longer than %d bytes", URL_BYTES_MAX);
	return true;
}

bool rest_values_names(const struct template *t, struct str lookup)
{
	struct str name;

	for (size_t i = 0; (name = template_placeholder(t, i)).p != NULL; i++)
		if (str_eq(lookup_name(name), lookup))
			return true;
	return false;
}

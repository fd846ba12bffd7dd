/*
 * rest_body.c - bodies in the connection's media type, and the token in them where it goes there.
 *
 * A form has no nesting of its own; names carry it as many web frameworks read it: `customer[name]`
 * for a member, `items[0]` for an element. The name grows and shrinks in one buffer as the walk
 * goes down and up.
 */
#include "adaptor/rest/rest_session_priv.h"

#include "core/limits.h"

#define FORM_NAME_MAX 4096

struct form {
	struct buf *out;
	struct buf name; /* percent-encoded as far as it goes */
};

static void add_encoded(struct buf *out, struct str s)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			     (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_' || c == '~';
		char e[3] = { '%', digits[c >> 4], digits[c & 15] };

		buf_add(out, plain ? (const char *)&s.p[i] : e, plain ? 1 : 3);
	}
}

static void add_pair(struct buf *out, struct str encoded_name, struct str value)
{
	if (out->n > 0)
		buf_add_char(out, '&');
	buf_add_str(out, encoded_name);
	buf_add_char(out, '=');
	add_encoded(out, value);
}

static bool add_form(struct form *f, const struct json *v, struct err *err);

/* Goes down to one member or element; NAME is what stands between the brackets. */
static bool add_inside(struct form *f, struct str name, const struct json *v, struct err *err)
{
	size_t back = f->name.n;

	if (back > 0)
		buf_add_str(&f->name, STR("%5B"));
	add_encoded(&f->name, name);
	if (back > 0)
		buf_add_str(&f->name, STR("%5D"));
	if (f->name.over)
		return err_set(err, ERR_LIMIT, "a name of the form is longer than %d bytes",
			FORM_NAME_MAX);
	if (!add_form(f, v, err))
		return false;
	f->name.n = back;
	return true;
}

static bool add_form(struct form *f, const struct json *v, struct err *err)
{
	char index[24];
	size_t i = 0;

	switch (v->type) {
	case JSON_OBJECT:
		for (json_each_member(key, v))
			if (!add_inside(f, json_str(key), json_value(key), err))
				return false;
		break;
	case JSON_ARRAY:
		for (json_each (it, v)) {
			snprintf(index, sizeof(index), "%zu", i++);
			if (!add_inside(f, str_z(index), it, err))
				return false;
		}
		break;
	case JSON_STRING:
	case JSON_NUMBER:
		add_pair(f->out, buf_str(&f->name), json_str(v));
		break;
	case JSON_NULL:
		add_pair(f->out, buf_str(&f->name), STR(""));
		break;
	default:
		add_pair(f->out, buf_str(&f->name),
			v->type == JSON_TRUE ? STR("true") : STR("false"));
	}
	return true;
}

static bool print_form(const struct json *v, struct buf *out, struct err *err)
{
	struct form f = { .out = out, .name = BUF_INIT(FORM_NAME_MAX) };

	if (v->type != JSON_OBJECT)
		return err_set(err, ERR_MAPPING,
			"a form needs an object of names and values; this is %s",
			json_type_phrase(v->type));
	bool ok = add_form(&f, v, err);

	buf_free(&f.name);
	return ok;
}

bool rest_body_is_json(const struct rest_session *s)
{
	return s->conn.media != REST_FORM;
}

bool rest_body_print(const struct rest_session *s, const struct json *value, struct buf *out,
	struct err *err)
{
	if (value->type == JSON_STRING)
		buf_add_str(out, json_str(value));
	else if (s->conn.media != REST_FORM)
		json_print(out, value, JSON_COMPACT);
	else if (!print_form(value, out, err))
		return false;
	return !out->over ||
	       err_set(err, ERR_LIMIT, "the request's body is larger than %zu bytes", out->max);
}

struct str rest_media_type(enum rest_media m)
{
	return m == REST_FORM ? STR("application/x-www-form-urlencoded") : STR("application/json");
}

bool rest_body_with_token(const struct rest_session *s, struct str body, struct buf *out,
	struct err *err)
{
	const struct rest_connection *c = &s->conn;
	struct str rest = str_trim(body);

	if (c->media == REST_FORM) {
		buf_add_str(out, rest);
		if (rest.n > 0)
			buf_add_char(out, '&');
		add_encoded(out, c->token_param);
		buf_add_char(out, '=');
		add_encoded(out, c->token);
		return true;
	}
	if (rest.n == 0)
		rest = STR("{}");
	if (rest.p[0] != '{')
		return err_set(err, ERR_INVALID,
			"the connection sends its token in the body (rest.tokenLocation), and this "
			"body is no JSON object");
	buf_add_char(out, '{');
	json_print_str(out, c->token_param);
	buf_add_char(out, ':');
	json_print_str(out, c->token);
	rest = str_trim(str_from(rest, 1));
	if (rest.n > 0 && rest.p[0] != '}')
		buf_add_char(out, ',');
	buf_add_str(out, rest);
	return true;
}

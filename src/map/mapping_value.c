/*
 * mapping_value.c - one value becomes another: types and dates. Text that is a JSON number becomes
 * one with the lexeme it has, so nothing is rounded.
 */
#include "map/mapping_priv.h"

struct json *mapping_new_text(struct arena *a, struct str s)
{
	struct json *v = arena_alloc(a, sizeof(*v));

	*v = (struct json){ .type = JSON_STRING, .n = (uint32_t)s.n, .s = s.p };
	return v;
}

struct str mapping_text_of(struct arena *a, const struct json *v)
{
	switch (v->type) {
	case JSON_STRING:
	case JSON_NUMBER:
		return json_str(v);
	case JSON_TRUE:
		return STR("true");
	case JSON_FALSE:
		return STR("false");
	default:
		return json_print_arena(a, v);
	}
}

bool mapping_is_empty(const struct json *v)
{
	if (v == NULL || v->type == JSON_NULL)
		return true;
	return (v->type == JSON_STRING || v->type >= JSON_ARRAY) && v->n == 0;
}

/* ---- dataType ---- */

static size_t digits(struct str s, size_t at)
{
	size_t n = 0;

	while (at + n < s.n && (unsigned)(s.p[at + n] - '0') <= 9)
		n++;
	return n;
}

/* RFC 8259, 6. */
static bool is_number(struct str s)
{
	size_t at = str_starts(s, STR("-")), n = digits(s, at);

	if (n == 0 || (n > 1 && s.p[at] == '0'))
		return false;
	at += n;
	if (at < s.n && s.p[at] == '.') {
		n = digits(s, at + 1);
		if (n == 0)
			return false;
		at += n + 1;
	}
	if (at < s.n && (s.p[at] | 0x20) == 'e') {
		at++;
		at += at < s.n && (s.p[at] == '+' || s.p[at] == '-');
		n = digits(s, at);
		if (n == 0)
			return false;
		at += n;
	}
	return at == s.n;
}

static const struct json *to_number(struct arena *a, const struct json *v)
{
	struct str text;

	switch (v->type) {
	case JSON_NUMBER:
		return v;
	case JSON_TRUE:
		text = STR("1");
		break;
	case JSON_FALSE:
		text = STR("0");
		break;
	case JSON_STRING:
		text = str_trim(json_str(v));
		break;
	default:
		return NULL;
	}
	if (!is_number(text))
		return NULL;
	struct json *number = mapping_new_text(a, text);

	number->type = JSON_NUMBER;
	return number;
}

static const struct json *to_boolean(const struct json *v)
{
	static const struct {
		const char *word;
		const struct json *value;
	} words[] = { { "true", &json_true }, { "false", &json_false }, { "1", &json_true },
		{ "0", &json_false } };

	if (v->type == JSON_TRUE || v->type == JSON_FALSE)
		return v;
	if (v->type != JSON_STRING && v->type != JSON_NUMBER)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq_ci(json_str(v), str_z(words[i].word)))
			return words[i].value;
	return NULL;
}

/* One value that is no array becomes an array of one. */
static const struct json *to_array(struct arena *a, const struct json *v, enum data_type element)
{
	struct json_build b;
	bool many = json_is_array(v);
	const struct json *it = many ? v + 1 : v;
	size_t n = many ? v->n : 1;

	json_build_init(&b, a);
	json_build_array(&b);
	for (size_t i = 0; i < n; i++, it = json_next(it)) {
		const struct json *e = mapping_convert(a, it, element);

		if (e == NULL)
			return NULL;
		json_build_copy(&b, e);
	}
	json_build_end(&b);
	return json_build_done(&b);
}

const struct json *mapping_convert(struct arena *a, const struct json *v, enum data_type type)
{
	if (v->type == JSON_NULL)
		return v;
	switch (type) {
	case DATA_STRING:
		return v->type == JSON_STRING ? v : mapping_new_text(a, mapping_text_of(a, v));
	case DATA_NUMBER:
		return to_number(a, v);
	case DATA_BOOLEAN:
		return to_boolean(v);
	case DATA_STRING_ARRAY:
		return to_array(a, v, DATA_STRING);
	case DATA_NUMBER_ARRAY:
		return to_array(a, v, DATA_NUMBER);
	case DATA_BOOLEAN_ARRAY:
		return to_array(a, v, DATA_BOOLEAN);
	case DATA_OBJECT_ARRAY:
		return to_array(a, v, DATA_OBJECT);
	case DATA_OBJECT:
		return json_is_object(v) ? v : NULL;
	default:
		return v;
	}
}

/* Digits alone, but a zero before others: a postal code, an article, an account - no quantity. */
static bool is_code(struct str s)
{
	return s.n > 1 && s.p[0] == '0' && digits(s, 0) == s.n;
}

static const char *number_hint(const struct json *v)
{
	if (v->type != JSON_STRING)
		return "";
	if (is_code(str_trim(json_str(v))))
		return "a number would lose the leading zeros: set dataType to string, or leave it "
		       "out";
	return "a number is written as in -1234.50: no plus sign, no thousands separators, a dot "
	       "before decimals";
}

const char *mapping_convert_hint(struct arena *a, const struct json *v, enum data_type type)
{
	enum data_type element = type == DATA_NUMBER_ARRAY    ? DATA_NUMBER
				 : type == DATA_BOOLEAN_ARRAY ? DATA_BOOLEAN
							      : type;

	if (json_is_array(v) && element != type) {
		for (json_each (it, v))
			if (mapping_convert(a, it, element) == NULL)
				return mapping_convert_hint(a, it, element);
	}
	if (element == DATA_NUMBER)
		return number_hint(v);
	return element == DATA_BOOLEAN ? "true, false, 1 and 0 can be made booleans" : "";
}

const char *mapping_type_words(enum data_type type)
{
	static const char *const words[] = { "anything", "a string", "a number", "a boolean",
		"a list of strings", "a list of numbers", "a list of booleans", "a list of objects",
		"an object" };

	return words[type];
}

/* ---- dates ---- */

static bool read_date(const struct dates *d, const struct json *v, int64_t *ms, struct err *err)
{
	if (v->type != JSON_STRING && v->type != JSON_NUMBER)
		return err_set(err, ERR_INVALID, "a date is text or a number; found %s",
			json_type_phrase(v->type));
	if (d->read != NULL)
		return datetime_format_read(d->read, json_str(v), d->read_zone, ms, err);
	return datetime_parse_iso(json_str(v), DATETIME_EPOCH, d->read_zone, ms, err);
}

bool mapping_convert_date(struct arena *a, const struct dates *d, const struct json **v,
	struct err *err)
{
	int64_t ms = 0;
	size_t n;
	char *out;

	if ((*v)->type == JSON_NULL)
		return true;
	if (!read_date(d, *v, &ms, err))
		return false;
	if (d->print != NULL) {
		out = arena_alloc(a, datetime_format_room(d->print));
		n = datetime_format_print(d->print, ms, d->print_zone, out);
	} else {
		out = arena_alloc(a, DATETIME_ISO_LEN);
		n = datetime_print_iso(ms, d->print_zone, out);
	}
	*v = mapping_new_text(a, str_of(out, n));
	return true;
}

/*
 * exchange.c - takes the texts of an exchange apart, line by line.
 */
#include "engine/exchange.h"

static struct str line_of(struct str *rest)
{
	struct str line = str_cut(rest, '\n');

	return str_trim(line);
}

static void add_fields(struct json_build *b, struct str *rest)
{
	json_build_key(b, STR("headers"));
	json_build_array(b);
	while (rest->p != NULL) {
		struct str value = line_of(rest), name;

		if (value.n == 0)
			break;
		name = str_cut(&value, ':');
		json_build_object(b);
		json_add_str(b, STR("name"), name);
		json_add_str(b, STR("value"), value.p == NULL ? STR("") : str_trim(value));
		json_build_end(b);
	}
	json_build_end(b);
}

static void add_body(struct json_build *b, struct str rest)
{
	if (rest.p != NULL && rest.n > 0)
		json_add_str(b, STR("body"), rest);
}

void exchange_add_request(struct json_build *b, struct str text)
{
	struct str rest = text, url = line_of(&rest), method = str_cut(&url, ' ');

	if (url.p == NULL)
		url = STR("");
	if (str_ends(url, STR(" HTTP/1.1")))
		url.n -= 9;
	json_add_str(b, STR("method"), method);
	json_add_str(b, STR("url"), url);
	add_fields(b, &rest);
	add_body(b, rest);
}

int exchange_status(struct str text)
{
	struct str rest = text, word;
	int64_t status;

	(void)str_cut(&rest, ' ');
	word = str_cut(&rest, ' ');
	word = str_sub(word, 0, 3);
	return str_to_i64(word, &status) ? (int)status : 0;
}

void exchange_add_response(struct json_build *b, struct str text)
{
	struct str rest = text;

	json_add_i64(b, STR("statusCode"), exchange_status(text));
	(void)line_of(&rest);
	add_fields(b, &rest);
	add_body(b, rest);
}

struct str exchange_body(struct str text)
{
	struct str rest = text;

	while (rest.p != NULL && line_of(&rest).n > 0)
		;
	return rest.p == NULL ? STR("") : rest;
}

/*
 * talk_file.c - reads .talk files, line by line.
 */
#include "test.h"

#include "talk_file.h"

#include <stdio.h>

#define FAIL(t, line, ...) fail_at((t), (line), str_fmt((t)->arena, __VA_ARGS__).p)

static NORETURN void fail_at(const struct talk_file *t, unsigned line, const char *words)
{
	fail_msg("%s:%u: %s", t->path, line, words);
	abort();
}

static struct str read_all(struct arena *a, const char *path)
{
	struct buf b = BUF_INIT(0);
	FILE *f = fopen(path, "re");
	size_t n;

	if (f == NULL)
		fail_msg("can't read %s", path);
	while ((n = fread(buf_room(&b, 65536), 1, 65536, f)) > 0)
		b.n += n;
	fclose(f);
	struct str text = str_dup(a, buf_str(&b));

	buf_free(&b);
	return text;
}

static struct str with_base(struct arena *a, struct str text, struct str base)
{
	struct buf b = BUF_INIT(0);
	size_t at;

	while ((at = str_find(text, STR("$BASE"))) != STR_NPOS) {
		buf_add_str(&b, str_sub(text, 0, at));
		buf_add_str(&b, base);
		text = str_from(text, at + 5);
	}
	buf_add_str(&b, text);
	text = str_dup(a, buf_str(&b));
	buf_free(&b);
	return text;
}

/* \xNN to bytes. */
static struct str unescape(struct arena *a, struct str s)
{
	struct buf b = BUF_INIT(0);
	char c;

	for (size_t i = 0; i < s.n; i++) {
		bool escape = i + 3 < s.n && s.p[i] == '\\' && s.p[i + 1] == 'x';

		if (escape && str_hex_get(str_sub(s, i + 2, 2), &c, 1))
			i += 3;
		else
			c = s.p[i];
		buf_add_char(&b, c);
	}
	s = str_dup(a, buf_str(&b));
	buf_free(&b);
	return s;
}

static void append(struct arena *a, struct str *text, struct str line, const char *sep)
{
	*text = str_fmt(a, "%.*s%s%.*s", STR_ARG(*text), text->n > 0 ? sep : "", STR_ARG(line));
}

static int64_t number(const struct talk_file *t, unsigned line, struct str s)
{
	int64_t n;

	if (!str_to_i64(s, &n))
		FAIL(t, line, "\"%.*s\" is no number", STR_ARG(s));
	return n;
}

static void read_request_line(struct talk_file *t, struct talk_exchange *x, struct str s,
	unsigned line)
{
	struct str value = s, name = str_cut(&value, ':');
	struct http_header *f = &x->fields[x->field_count];

	if (str_starts(s, STR("after "))) {
		bool exact = s.n > 6 && s.p[6] == '=';
		int64_t ms = number(t, line, str_from(s, exact ? 7 : 6));

		x->after_min = exact ? ms : ms * 4 / 5;
		x->after_max = exact ? ms : ms * 6 / 5;
		return;
	}
	if (x->field_count == TALK_FIELDS_MAX)
		FAIL(t, line, "too many fields");
	x->field_count++;
	if (str_starts(s, STR("no ")))
		*f = (struct http_header){ str_from(s, 3), STR_NULL };
	else if (value.p != NULL)
		*f = (struct http_header){ name, str_trim(value) };
	else
		FAIL(t, line, "neither a header field nor `no Name` nor `after ms`");
}

static void read_status(struct talk_file *t, struct talk_exchange *x, struct str s, unsigned line)
{
	if (str_eq_z(s, "hang"))
		x->fault = TALK_HANG;
	else if (str_eq_z(s, "reset"))
		x->fault = TALK_RESET;
	else if (str_eq_z(s, "close"))
		x->fault = TALK_CLOSE;
	else if (str_eq_z(s, "raw"))
		x->fault = TALK_RAW;
	else if (str_starts(s, STR("half ")))
		x->fault = TALK_HALF;
	if (x->fault == TALK_ANSWER || x->fault == TALK_HALF)
		x->status = (int)number(t, line, x->fault == TALK_HALF ? str_from(s, 5) : s);
}

/* Where the reader is inside an exchange. */
struct place {
	struct talk_exchange *x;
	bool answering, in_body;
};

static struct talk_exchange *new_exchange(struct talk_file *t, unsigned line)
{
	if (t->exchange_count == TALK_EXCHANGES_MAX)
		FAIL(t, line, "too many exchanges");
	struct talk_exchange *x = &t->exchanges[t->exchange_count++];

	x->line = line;
	x->after_max = INT64_MAX;
	return x;
}

static void read_wanted(struct talk_file *t, struct place *p, struct str s, unsigned line)
{
	if (p->x == NULL || p->answering) {
		*p = (struct place){ new_exchange(t, line), false, false };
		p->x->request = s;
	} else if (p->in_body) {
		append(t->arena, &p->x->body, s, "\n");
	} else if (s.n == 0) {
		p->in_body = p->x->has_body = true;
	} else {
		read_request_line(t, p->x, s, line);
	}
}

static void read_answer(struct talk_file *t, struct place *p, struct str s, unsigned line)
{
	if (p->x == NULL)
		FAIL(t, line, "an answer without a request");
	if (!p->answering) {
		p->answering = true;
		p->in_body = false;
		read_status(t, p->x, s, line);
		p->in_body = p->x->fault == TALK_RAW;
	} else if (p->in_body) {
		append(t->arena, &p->x->answer, unescape(t->arena, s),
			p->x->fault == TALK_RAW ? "\r\n" : "\n");
	} else if (s.n == 0) {
		p->in_body = true;
	} else {
		p->x->answer_typed |= str_starts_ci(s, STR("Content-Type:"));
		p->x->answer_fields = str_fmt(t->arena, "%.*s%.*s\r\n",
			STR_ARG(p->x->answer_fields), STR_ARG(unescape(t->arena, s)));
	}
}

static void read_result(struct talk_file *t, struct str s, unsigned line)
{
	if (t->result_count == TALK_RESULTS_MAX)
		FAIL(t, line, "too many results");
	struct talk_result *r = &t->results[t->result_count++];

	r->line = line;
	r->word = str_cut(&s, ' ');
	r->rest = s.p == NULL ? STR("") : s;
}

/* Some have their value on the line itself. */
static void read_section(struct talk_file *t, struct str s, unsigned line)
{
	if (t->section_count == ARRAY_LEN(t->sections))
		FAIL(t, line, "too many sections");
	struct str *section = t->sections[t->section_count++];
	struct str value = s, word = str_cut(&value, ' ');
	static const char *const with_value[] = { "timeout", "now", "cancel", "relativeURI" };
	bool has_value = false;

	for (size_t i = 0; i < ARRAY_LEN(with_value); i++)
		has_value |= str_eq_z(word, with_value[i]);
	section[0] = has_value ? word : s;
	section[1] = has_value ? value : STR("");
}

struct talk_file *talk_read(struct arena *a, const char *path, struct str base)
{
	struct talk_file *t = arena_new_of(a, struct talk_file);
	struct str rest = with_base(a, read_all(a, path), base);
	struct place place = { NULL, false, false };
	bool in_section = false;

	t->arena = a;
	t->path = path;
	for (unsigned line = 1; rest.p != NULL; line++) {
		struct str s = str_cut(&rest, '\n'), value = str_from(s, 2);
		bool marked = s.n == 1 || (s.n > 1 && s.p[1] == ' ');

		if (str_starts(s, STR("== "))) {
			read_section(t, str_from(s, 3), line);
			in_section = true;
		} else if (marked && strchr("><=", s.p[0]) != NULL) {
			in_section = false;
			if (s.p[0] == '>')
				read_wanted(t, &place, value, line);
			else if (s.p[0] == '<')
				read_answer(t, &place, value, line);
			else
				read_result(t, value, line);
		} else if (in_section && !str_starts(s, STR("#"))) {
			append(a, &t->sections[t->section_count - 1][1], s, "\n");
		} else if (s.n > 0 && s.p[0] != '#') {
			FAIL(t, line, "can't be read");
		}
	}
	return t;
}

struct str talk_section(const struct talk_file *t, const char *name)
{
	for (size_t i = 0; i < t->section_count; i++)
		if (str_eq_z(t->sections[i][0], name))
			return t->sections[i][1];
	return STR_NULL;
}

const struct json *talk_json(const struct talk_file *t, unsigned line, struct str text)
{
	const struct json *doc;
	struct err err = ERR_INIT;

	if (!json_parse_copy(t->arena, text, &doc, &err))
		FAIL(t, line, "%s", err.message);
	return doc;
}

const struct json *talk_document(const struct talk_file *t, const char *name,
	const struct json *otherwise)
{
	struct str text = talk_section(t, name);

	return text.p == NULL || str_trim(text).n == 0 ? otherwise : talk_json(t, 0, text);
}

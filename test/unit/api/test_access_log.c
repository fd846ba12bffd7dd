/*
 * test_access_log.c - the lines of requests: what stands in them, and what never does. The log is a pipe here.
 */
#include "exchange.h"

#include <fcntl.h>

#include "api/watch_priv.h"
#include "core/log.h"

struct fixture {
	struct arena *a;
	struct access_log *log;
	int in, out;
};

static int setup(void **state)
{
	static struct fixture f;
	int fds[2];

	if (pipe2(fds, O_NONBLOCK) != 0)
		return -1;
	f = (struct fixture){ .a = arena_new("test", 0), .in = fds[0], .out = fds[1] };
	f.log = access_log_new(f.a);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	log_configure(LOG_TEXT, LOG_INFO, STDERR_FILENO);
	access_log_free(f->log);
	arena_free(f->a);
	close(f->in);
	close(f->out);
	return 0;
}

/* What was written since the last look. */
static struct str written(struct fixture *f)
{
	const size_t room = 65536;
	char *p = arena_alloc(f->a, room);
	ssize_t n = read(f->in, p, room);

	return n <= 0 ? STR("") : str_of(p, (size_t)n);
}

static struct str line_of(struct fixture *f, enum log_format format, const char *target)
{
	struct http_exchange *x = exchange_new(f->a, HTTP_POST, target, NULL);
	struct api_request rq = { .request_id = "req-1" };

	memcpy(rq.caller.account_id, "5e03061cda20740022300f09", ID_LEN);
	x->status = 204;
	x->peer = STR("127.0.0.1:4711");
	log_configure(format, LOG_INFO, f->out);
	access_log_add(f->log, x, &rq, 1234, 56);
	access_log_turn(f->log, 0);
	return written(f);
}

static bool has(struct str line, const char *part)
{
	return str_find(line, str_z(part)) != STR_NPOS;
}

static void a_line_in_both_forms(void **state)
{
	struct fixture *f = *state;
	struct str text = line_of(f, LOG_TEXT, "/v1/flows"),
		   line = line_of(f, LOG_JSON, "/v1/flows");
	const struct json *doc;
	struct err err;

	assert_true(has(text, " info  http.request POST \"/v1/flows\" status=204 us=1234 bytes=56 "
			      "request=req-1\n"));
	assert_ok(json_parse_copy(f->a, line, &doc, &err));
	assert_str(json_get_str(doc, STR("event")), "http.request");
	assert_str(json_get_str(doc, STR("method")), "POST");
	assert_str(json_get_str(doc, STR("path")), "/v1/flows");
	assert_str(json_get_str(doc, STR("peer")), "127.0.0.1:4711");
	assert_str(json_get_str(doc, STR("request")), "req-1");
	assert_str(json_get_str(doc, STR("account")), "5e03061cda20740022300f09");
	assert_true(has(line, "\"status\":204,\"us\":1234,\"bytes\":56"));
	assert_true(str_ends(line, STR("}\n")));
}

static void secrets_are_left_out(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *target, *shown;
	} rows[] = {
		{ "/v1/flows?token=S3CRET", "\"/v1/flows\"" },
		{ "/v1/exports/507f1f77bcf86cd799439011/S3CRET/data",
			"\"/v1/exports/507f1f77bcf86cd799439011/***/data\"" },
		{ "/v1/EXPORTS/507f1f77bcf86cd799439011/S3CRET/DATA/",
			"/507f1f77bcf86cd799439011/***/DATA/\"" },
		{ "/v1/exports/507f1f77bcf86cd799439011/S3CRET%2Fmore/data?x=S3CRET",
			"/***/data\"" },
		/* no such path: nothing is hidden that is no secret */
		{ "/v1/exports/507f1f77bcf86cd799439011/data", "/507f1f77bcf86cd799439011/data\"" },
		{ "/v1/exports/a/b/c/data", "\"/v1/exports/a/b/c/data\"" },
		{ "/", "\"/\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int format = LOG_TEXT; format <= LOG_JSON; format++) {
			struct str line = line_of(f, (enum log_format)format, rows[i].target);

			if (!has(line, rows[i].shown) || has(line, "S3CRET"))
				fail_msg("%s: %.*s", rows[i].target, STR_ARG(line));
		}
}

static void bytes_that_would_break_a_line_are_escaped(void **state)
{
	struct fixture *f = *state;
	struct str line = line_of(f, LOG_TEXT, "/v1/a\"b\nc\x1b[31m");

	assert_int_equal(str_find_char(line, '\n'), line.n - 1);
	assert_true(str_find_char(line, '\x1b') == STR_NPOS);
	assert_true(has(line, "a\\\"b\\u000ac\\u001b[31m"));
}

static void lines_are_written_once_a_turn_or_when_there_are_many(void **state)
{
	struct fixture *f = *state;
	struct http_exchange *x = exchange_new(f->a, HTTP_GET, "/v1/flows", NULL);
	size_t n = 0;

	log_configure(LOG_TEXT, LOG_INFO, f->out);
	access_log_add(f->log, x, NULL, 1, 1); /* refused before there was a request */
	assert_int_equal(written(f).n, 0);
	access_log_turn(f->log, 1); /* another loop's */
	assert_int_equal(written(f).n, 0);
	access_log_turn(f->log, 0);
	struct str first = written(f);

	assert_true(str_ends(first, STR("bytes=1\n")));
	access_log_turn(f->log, 0);
	assert_int_equal(written(f).n, 0);
	for (; n < 10000; n++) {
		access_log_add(f->log, x, NULL, 1, 1);
		if (written(f).n > 0)
			break;
	}
	assert_in_range(n * first.n, 30000, 40000);
	log_configure(LOG_TEXT, LOG_WARN, f->out);
	access_log_add(f->log, x, NULL, 1, 1);
	access_log_turn(f->log, 0);
	assert_int_equal(written(f).n, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		T(a_line_in_both_forms),
		T(secrets_are_left_out),
		T(bytes_that_would_break_a_line_are_escaped),
		T(lines_are_written_once_a_turn_or_when_there_are_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

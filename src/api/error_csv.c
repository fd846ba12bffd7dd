/*
 * error_csv.c - the error file: errors as CSV, and such a file with edited `resolve` and `retry` columns
 * read back.
 *
 * The whole file is read and checked before anything is done; then it is done kind of action by kind of
 * action, each naming its errors by id.
 */
#include "api/error_handlers.h"

#include "core/limits.h"
#include "core/map.h"
#include "data/csv.h"

static const struct str columns[] = { STR_INIT("resolve"), STR_INIT("retry"), STR_INIT("createdAt"),
	STR_INIT("code"), STR_INIT("extract"), STR_INIT("generate"), STR_INIT("extracted"),
	STR_INIT("generated"), STR_INIT("message"), STR_INIT("source"), STR_INIT("exportDataURI"),
	STR_INIT("importDataURI"), STR_INIT("_retryId"), STR_INIT("_id"), STR_INIT("stage"),
	STR_INIT("field"), STR_INIT("traceKey"), STR_INIT("classification"), STR_INIT("attempts") };

static const struct csv_dialect dialect = { .column = ',' };

void error_csv_header(struct buf *out)
{
	csv_write_row(out, &dialect, columns, ARRAY_LEN(columns));
}

/* A cell for people: what a spreadsheet would run gets an apostrophe. */
static struct str cell(struct arena *a, struct str s)
{
	if (s.p == NULL)
		return STR("");
	return csv_is_formula(s) ? str_fmt(a, "'%.*s", STR_ARG(s)) : s;
}

void error_csv_row(const struct store_job_error *e, struct buf *out)
{
	struct arena *a DEFER(arena_freep) = arena_new("row", 0);
	const struct str fields[ARRAY_LEN(columns)] = { e->resolved ? STR("true") : STR("false"),
		STR("false"), time_iso(a, e->created_ms), cell(a, e->code), STR(""),
		cell(a, e->field), STR(""), STR(""), cell(a, e->message), cell(a, e->source),
		STR(""), STR(""), cell(a, e->retry_id), e->id, cell(a, e->stage), cell(a, e->field),
		cell(a, e->trace_key), cell(a, e->classification), str_fmt(a, "%u", e->attempts) };

	csv_write_row(out, &dialect, fields, ARRAY_LEN(fields));
}

/* ---- reading it back ---- */

#define ROWS_MAX 100000

struct upload {
	struct api_request *rq;
	struct problems problems;
	size_t columns;                           /* of the header */
	struct map *rows;                         /* id to the number of its row */
	size_t resolve_at, retry_at, id_at;       /* columns; SIZE_MAX: not there */
	struct buf to_resolve, to_open, to_retry; /* JSON arrays of ids */
	size_t resolve_count, open_count, retry_count;
};

static bool cell_bool(struct upload *u, const struct csv_row *row, size_t at, bool *set,
	bool *value)
{
	struct str s = at < row->count ? str_trim(row->fields[at]) : STR_NULL;

	*set = s.n > 0;
	*value = str_eq_ci(s, STR("true")) || str_eq_z(s, "1");
	if (!*set || *value || str_eq_ci(s, STR("false")) || str_eq_z(s, "0"))
		return true;
	return problems_add(&u->problems, ERR_INVALID,
		str_fmt(u->rq->x->arena, "row %llu, column %zu", (unsigned long long)row->number,
			at + 1)
			.p,
		NULL, "row %llu: \"%.*s\" is neither true nor false",
		(unsigned long long)row->number, STR_ARG(str_sub(s, 0, 40)));
}

static void add_id(struct buf *b, size_t *count, struct str id)
{
	buf_add_char(b, *count == 0 ? '[' : ',');
	json_print_str(b, id);
	++*count;
}

/* An error that is named twice could be told two things. */
static bool is_new(struct upload *u, struct str id, uint64_t number)
{
	const uint64_t *first = map_get(u->rows, id);
	uint64_t *own;

	if (first != NULL)
		return problems_add(&u->problems, ERR_INVALID, "_id", NULL,
			"row %llu: the error of row %llu again", (unsigned long long)number,
			(unsigned long long)*first);
	own = arena_new_of(u->rq->x->arena, uint64_t);
	*own = number;
	map_put(u->rows, str_dup(u->rq->x->arena, id), own);
	return true;
}

/* Without empty ones at the end. */
static size_t cells_of(const struct csv_row *row)
{
	size_t n = row->count;

	while (n > 0 && row->fields[n - 1].n == 0)
		n--;
	return n;
}

static void read_row(struct upload *u, const struct csv_row *row)
{
	struct str id = u->id_at < row->count ? str_trim(row->fields[u->id_at]) : STR_NULL;
	bool resolve_set, resolve, retry_set, retry;

	if (cells_of(row) > u->columns) {
		problems_add(&u->problems, ERR_INVALID, "", NULL,
			"row %llu has %zu cells, the header %zu: its columns can't be told",
			(unsigned long long)row->number, cells_of(row), u->columns);
		return;
	}
	if (!id_valid(id)) {
		problems_add(&u->problems, ERR_INVALID, "_id", NULL,
			"row %llu: \"%.*s\" is no _id of an error", (unsigned long long)row->number,
			STR_ARG(str_sub(id, 0, 40)));
		return;
	}
	if (!is_new(u, id, row->number) ||
		!cell_bool(u, row, u->resolve_at, &resolve_set, &resolve) ||
		!cell_bool(u, row, u->retry_at, &retry_set, &retry))
		return;
	if (retry_set && retry)
		add_id(&u->to_retry, &u->retry_count, id);
	else if (resolve_set)
		add_id(resolve ? &u->to_resolve : &u->to_open,
			resolve ? &u->resolve_count : &u->open_count, id);
}

static size_t *column_of(struct upload *u, struct str name)
{
	if (str_eq_z(name, "resolve") || str_eq_z(name, "resolve?"))
		return &u->resolve_at;
	if (str_eq_z(name, "retry"))
		return &u->retry_at;
	return str_eq_z(name, "_id") ? &u->id_at : NULL;
}

static bool read_header(struct upload *u, const struct csv_row *row)
{
	u->resolve_at = u->retry_at = u->id_at = SIZE_MAX;
	u->columns = row->count;
	for (size_t i = 0; i < row->count; i++) {
		struct str name = str_trim(row->fields[i]);
		size_t *at = column_of(u, name);

		if (at == NULL)
			continue;
		if (*at != SIZE_MAX)
			return problems_add(&u->problems, ERR_INVALID,
				str_to_z(u->rq->x->arena, name), "leave one of them out",
				"the column %.*s stands twice", STR_ARG(name));
		*at = i;
	}
	if (u->id_at == SIZE_MAX)
		return problems_add(&u->problems, ERR_MISSING, "_id",
			"download the file anew and edit its columns resolve and retry",
			"the file has no column _id");
	return (u->resolve_at != SIZE_MAX || u->retry_at != SIZE_MAX) ||
	       problems_add(&u->problems, ERR_MISSING, "resolve", NULL,
		       "the file has neither a column resolve nor a column retry");
}

/* Spreadsheets write semicolons where the comma is for decimals: the header tells. */
static char delimiter_of(struct str text)
{
	struct str header = str_cut(&text, '\n');

	if (str_find_char(header, ',') != STR_NPOS)
		return ',';
	return str_find_char(header, ';') != STR_NPOS    ? ';'
	       : str_find_char(header, '\t') != STR_NPOS ? '\t'
							 : ',';
}

static bool read_file(struct upload *u, struct err *err)
{
	struct str text = str_of(u->rq->x->body, u->rq->x->body_bytes);
	/* the header is read as a row: it is looked at also when none comes behind it */
	const struct csv_dialect as = { .column = delimiter_of(text), .headless = true };
	struct csv_reader *r DEFER(csv_reader_freep) = csv_reader_new(u->rq->x->arena, &as, NULL);
	enum csv_got got;
	struct csv_row row;
	size_t rows = 0;

	u->rows = map_new(u->rq->x->arena);
	csv_feed(r, text);
	csv_finish(r);
	while ((got = csv_next(r, &row, err)) == CSV_ROW) {
		if (rows++ > ROWS_MAX)
			return err_set(err, ERR_LIMIT, "the file has more than %d rows", ROWS_MAX);
		if (rows > 1)
			read_row(u, &row);
		else if (!read_header(u, &row))
			return true;
	}
	if (got == CSV_END && rows == 0)
		err_set(err, ERR_PARSE, "the file is empty");
	return got == CSV_END && rows > 0;
}

struct counting {
	size_t count, retriable;
};

static bool count_one(void *arg, const struct store_error_sum *s)
{
	struct counting *c = arg;

	c->count += s->count;
	c->retriable += s->retriable;
	return true;
}

/* The errors of this job that the file names, in this state. */
static bool count_ids(struct upload *u, const struct store_error_filter *job, const struct buf *ids,
	enum error_state state, struct counting *n, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_error_filter f = *job;

	f.ids = buf_str(ids);
	f.state = state;
	*n = (struct counting){ 0 };
	return f.ids.n == 0 ||
	       (store_read_begin(u->rq->api->cfg.store, &c, err) &&
		       store_error_sums(c, caller_account(&u->rq->caller), &f, count_one, n, err));
}

/* Do all the ids belong to errors of this job? */
static bool check_ids(struct upload *u, const struct store_error_filter *job, struct buf *ids,
	size_t want, struct err *err)
{
	struct counting n;

	if (want == 0)
		return true;
	buf_add_char(ids, ']');
	if (!count_ids(u, job, ids, ERRORS_ALL, &n, err))
		return false;
	return n.count == want || err_set_field(err, ERR_REF, "_id",
					  "the file names %zu errors, of which %zu are errors of "
					  "this job; nothing was done",
					  want, n.count);
}

struct applied {
	uint64_t resolved, opened;
};

static bool resolve(struct upload *u, struct str job_id, const struct buf *ids, bool how,
	uint64_t *count, struct err *err)
{
	struct api_request *rq = u->rq;
	struct resolve_ask ask = { .filter = { .job_id = job_id, .ids = buf_str(ids) },
		.resolve = how,
		.by = str_z(rq->caller.token_id) };

	if (!engine_resolve(rq->api->cfg.engine, caller_account(&rq->caller), &ask, 1, err))
		return false;
	*count = ask.count;
	return true;
}

static void answer(struct api_request *rq, const struct applied *x, const struct retry_jobs *jobs)
{
	struct json_build b;

	json_build_init(&b, rq->x->arena);
	json_build_object(&b);
	json_add_i64(&b, STR("resolved"), (int64_t)x->resolved);
	json_add_i64(&b, STR("reopened"), (int64_t)x->opened);
	json_build_key(&b, STR("retries"));
	json_build_array(&b);
	for (size_t i = 0; i < jobs->count; i++) {
		json_build_object(&b);
		json_add_str(&b, STR("_jobId"), id_str(&jobs->list[i].job_id));
		json_add_i64(&b, STR("count"), (int64_t)jobs->list[i].count);
		json_build_end(&b);
	}
	json_build_end(&b);
	json_build_end(&b);
	api_answer_build(rq, 200, &b);
}

static bool answer_plan(struct upload *u, const struct store_error_filter *job, struct err *err)
{
	struct arena *a = u->rq->x->arena;
	struct counting resolve, open, retry;
	struct json_build b;

	if (!count_ids(u, job, &u->to_resolve, ERRORS_OPEN, &resolve, err) ||
		!count_ids(u, job, &u->to_open, ERRORS_RESOLVED, &open, err) ||
		!count_ids(u, job, &u->to_retry, ERRORS_OPEN, &retry, err))
		return false;
	json_build_init(&b, a);
	json_build_object(&b);
	json_add_bool(&b, STR("dryRun"), true);
	json_add_i64(&b, STR("resolved"), (int64_t)resolve.count);
	json_add_i64(&b, STR("reopened"), (int64_t)open.count);
	json_add_i64(&b, STR("retried"), (int64_t)retry.retriable);
	json_build_end(&b);
	api_answer_build(u->rq, 200, &b);
	return true;
}

static bool check_all(struct upload *u, const struct store_error_filter *job, struct err *err)
{
	return check_ids(u, job, &u->to_resolve, u->resolve_count, err) &&
	       check_ids(u, job, &u->to_open, u->open_count, err) &&
	       check_ids(u, job, &u->to_retry, u->retry_count, err);
}

static bool apply(struct upload *u, const struct store_error_filter *job, struct err *err)
{
	struct api_request *rq = u->rq;
	struct applied x = { 0, 0 };
	struct retry_ask retry = { .filter = { .job_id = job->job_id, .state = ERRORS_OPEN },
		.by = STR_INIT("file") };
	struct retry_jobs jobs = { .list = NULL };

	if ((u->resolve_count > 0 &&
		    !resolve(u, job->job_id, &u->to_resolve, true, &x.resolved, err)) ||
		(u->open_count > 0 && !resolve(u, job->job_id, &u->to_open, false, &x.opened, err)))
		return false;
	retry.filter.ids = buf_str(&u->to_retry);
	if (u->retry_count > 0 && !engine_retry(rq->api->cfg.engine, caller_account(&rq->caller),
					  &retry, 1, rq->x->arena, &jobs, err))
		return false;
	answer(rq, &x, &jobs);
	return true;
}

/* PUT of a text/csv body: acts on its `resolve` and `retry` columns. */
void handle_job_errors_upload(struct api_request *rq)
{
	struct upload u = { .rq = rq,
		.to_resolve = BUF_INIT(0),
		.to_open = BUF_INIT(0),
		.to_retry = BUF_INIT(0) };
	struct error_query q;
	struct err err = ERR_INIT;

	problems_init(&u.problems, rq->x->arena);
	if (!error_query_read(rq, ERRORS_OF_JOB, &q))
		return;
	bool ok = read_file(&u, &err);

	if (ok && u.problems.count > 0)
		api_fail_all(rq, &u.problems);
	else if (!ok || !check_all(&u, &q.filter, &err) ||
		 !(q.dry_run ? answer_plan : apply)(&u, &q.filter, &err))
		api_fail(rq, &err);
	buf_free(&u.to_resolve);
	buf_free(&u.to_open);
	buf_free(&u.to_retry);
}

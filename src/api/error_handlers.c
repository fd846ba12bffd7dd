/*
 * error_handlers.c - errors of jobs and flows: lists, issues, resolving, trying again, retry data.
 *
 * Every bulk route takes the same filters as query parameters, and ?dry_run=true, which answers what
 * would be touched and touches nothing.
 */
#include "api/error_handlers.h"

#include "core/limits.h"

/* ---- which errors ---- */

static bool read_state(struct store_error_filter *f, struct str name, struct str value,
	struct err *err)
{
	if (str_eq_z(value, "true"))
		f->state = ERRORS_RESOLVED;
	else if (str_eq_z(value, "false"))
		f->state = ERRORS_OPEN;
	else if (str_eq_z(value, "all"))
		f->state = ERRORS_ALL;
	else
		return param_bad(err, name, value);
	return true;
}

static bool read_param(struct error_query *q, enum error_scope scope, struct str name,
	struct str value, struct err *err)
{
	struct store_error_filter *f = &q->filter;
	const struct param texts[] = {
		{ "_stepId", &f->step_id },
		{ "fingerprint", &f->fingerprint },
		{ "code", &f->code },
		{ "source", &f->source },
		{ "classification", &f->classification },
		{ "traceKey", &f->trace_key },
		{ "format", &q->format },
	};

	if (param_put(texts, ARRAY_LEN(texts), name, value) != NULL)
		return true;
	if (scope == ERRORS_OF_QUERY && str_eq_z(name, "_jobId")) {
		q->job_id = value;
		return id_valid(value) || param_bad(err, name, value);
	}
	if (str_eq_z(name, "resolved"))
		return read_state(f, name, value, err);
	if (str_eq_z(name, "createdAt_gte"))
		return param_time(name, value, &f->created_gte_ms, err);
	if (str_eq_z(name, "createdAt_lte"))
		return param_time(name, value, &f->created_lte_ms, err);
	if (str_eq_z(name, "config")) {
		q->original = str_eq_z(value, "original");
		return q->original || str_eq_z(value, "current") || param_bad(err, name, value);
	}
	if (str_eq_z(name, "dry_run")) {
		q->dry_run = str_eq_z(value, "true");
		return q->dry_run || str_eq_z(value, "false") || param_bad(err, name, value);
	}
	if (str_eq_z(name, "after")) {
		q->after = value;
		return id_valid(value) || param_bad(err, name, value);
	}
	if (str_eq_z(name, "limit")) {
		q->limited = true;
		return param_limit(name, value, LIMIT_LIST, &q->limit, err);
	}
	return param_unknown(err, name, STR("leave it out"));
}

/* A body that is an array of ids narrows the filter. */
static bool read_ids(struct api_request *rq, struct error_query *q, struct err *err)
{
	if (rq->body == NULL)
		return true;
	if (!json_is_array(rq->body) || rq->body->n > LIMIT_LIST)
		return err_set(err, ERR_INVALID, "the body must be an array of at most %d ids",
			LIMIT_LIST);
	for (json_each (it, rq->body))
		if (!json_is_str(it) || !id_valid(json_str(it)))
			return err_set(err, ERR_INVALID, "the body must be an array of ids");
	q->filter.ids = json_print_arena(rq->x->arena, rq->body);
	return true;
}

static bool known_job(struct api_request *rq, struct str id, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_job job;

	return store_read_begin(rq->api->cfg.store, &c, err) &&
	       store_job_get(c, rq->x->arena, caller_account(&rq->caller), id, &job, err);
}

static bool known_flow(struct api_request *rq, struct str id, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_resource row;

	return store_read_begin(rq->api->cfg.store, &c, err) &&
	       store_resource_get(c, rq->x->arena, caller_account(&rq->caller), STR("flow"), id,
		       &row, err);
}

bool error_query_read(struct api_request *rq, enum error_scope scope, struct error_query *q)
{
	struct str name, value, id = rq->match.param_count > 0 ? rq->match.params[0] : STR_NULL;
	struct err err = ERR_INIT;
	size_t at = 0;
	bool ok = true;

	*q = (struct error_query){ .limit = LIMIT_LIST };
	while (ok && http_request_query_next(rq->x, &at, &name, &value))
		ok = read_param(q, scope, name, value, &err);
	ok = ok && (scope >= ERRORS_OF_STEP || read_ids(rq, q, &err));
	if (ok && scope == ERRORS_OF_QUERY && q->job_id.p == NULL)
		ok = err_set_field(&err, ERR_QUERY, "_jobId", "say whose: ?_jobId=");
	if (scope == ERRORS_OF_JOB || scope == ERRORS_OF_QUERY) {
		q->filter.job_id = scope == ERRORS_OF_JOB ? id : q->job_id;
		ok = ok && known_job(rq, q->filter.job_id, &err);
	} else if (scope == ERRORS_OF_FLOW) {
		q->filter.flow_id = id;
		ok = ok && known_flow(rq, id, &err);
	}
	if (!ok)
		api_fail(rq, &err);
	return ok;
}

/* ---- lists ---- */

/* A file is one that can be sent back: within a request's body, when two cells of each row have changed. */
#define FILE_ROWS  100000
#define FILE_BYTES ((size_t)LIMIT_REQUEST_BODY - 512 * 1024)

struct listing {
	struct buf out;
	size_t count;
	bool csv;
	bool cut; /* it is full, and more may come */
	char last[ID_LEN + 1];
};

static bool print_error(void *arg, const struct store_job_error *e)
{
	struct listing *l = arg;

	if (l->csv) {
		error_csv_row(e, &l->out);
	} else {
		if (l->count > 0)
			buf_add_char(&l->out, ',');
		job_error_print(e, &l->out);
	}
	l->count++;
	memcpy(l->last, e->id.p, ID_LEN);
	l->cut = l->csv && l->out.n > FILE_BYTES;
	return !l->cut;
}

static bool wants_csv(const struct api_request *rq, const struct error_query *q)
{
	struct str accept = http_request_header(rq->x, STR("Accept"));

	return str_eq_z(q->format, "csv") ||
	       (q->format.p == NULL && str_starts_ci(accept, STR("text/csv")));
}

static void answer_list(struct api_request *rq, const struct error_query *q, struct listing *l)
{
	struct arena *a = rq->x->arena;

	if (l->csv) {
		rq->x->status = 200;
		rq->x->res_body = str_dup(a, buf_str(&l->out));
		api_header(rq, "Content-Type", STR("text/csv; charset=utf-8"));
	} else {
		buf_add_char(&l->out, ']');
		api_answer(rq, 200, str_dup(a, buf_str(&l->out)));
	}
	if (l->count == q->limit || l->cut)
		api_link_next(rq, str_z(l->last));
}

void error_list(struct api_request *rq, struct error_query *q)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct listing l = { .out = BUF_INIT(0) };
	struct err err = ERR_INIT;

	l.csv = wants_csv(rq, q);
	if (l.csv && !q->limited)
		q->limit = FILE_ROWS;
	if (l.csv && !rq->in_pool) { /* that many rows hold no loop up */
		api_to_pool(rq);
		return;
	}
	if (l.csv)
		error_csv_header(&l.out);
	else
		buf_add_char(&l.out, '[');
	if (store_read_begin(rq->api->cfg.store, &c, &err) &&
		store_error_list(c, caller_account(&rq->caller), &q->filter, q->after, q->limit,
			print_error, &l, &err))
		answer_list(rq, q, &l);
	else
		api_fail(rq, &err);
	buf_free(&l.out);
}

/* Of a job all errors are listed, of a flow the open ones, when `resolved` is not said. */
void handle_job_errors(struct api_request *rq)
{
	struct error_query q;

	if (!error_query_read(rq, ERRORS_OF_JOB, &q))
		return;
	if (http_request_query(rq->x, STR("resolved")).p == NULL)
		q.filter.state = ERRORS_ALL;
	error_list(rq, &q);
}

void handle_flow_errors(struct api_request *rq)
{
	struct error_query q;

	if (error_query_read(rq, ERRORS_OF_FLOW, &q))
		error_list(rq, &q);
}

static bool print_issue(void *arg, const struct store_issue *i)
{
	struct json_build *b = arg;
	struct arena *a = b->arena;

	json_build_object(b);
	json_add_str(b, STR("fingerprint"), str_dup(a, i->fingerprint));
	json_add_str(b, STR("_stepId"), i->step_id.p == NULL ? STR_NULL : str_dup(a, i->step_id));
	json_add_str(b, STR("stage"), str_dup(a, i->stage));
	json_add_str(b, STR("source"), str_dup(a, i->source));
	json_add_str(b, STR("code"), str_dup(a, i->code));
	json_add_str(b, STR("classification"), str_dup(a, i->classification));
	json_add_str(b, STR("message"), str_dup(a, i->message));
	json_add_i64(b, STR("count"), (int64_t)i->count);
	json_add_str(b, STR("firstAt"), time_iso(a, i->first_ms));
	json_add_str(b, STR("lastAt"), time_iso(a, i->last_ms));
	json_build_end(b);
	return true;
}

void handle_flow_issues(struct api_request *rq)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct err err = ERR_INIT;
	struct json_build b;

	json_build_init(&b, rq->x->arena);
	json_build_array(&b);
	if (!known_flow(rq, rq->match.params[0], &err) ||
		!store_read_begin(rq->api->cfg.store, &c, &err) ||
		!store_error_issues(c, caller_account(&rq->caller), rq->match.params[0], LIMIT_LIST,
			print_issue, &b, &err)) {
		api_fail(rq, &err);
		return;
	}
	json_build_end(&b);
	api_answer_build(rq, 200, &b);
}

/* ---- what a bulk action would touch ---- */

struct plan {
	struct arena *arena;
	struct step {
		struct str id;
		uint64_t count;
	} * steps;
	size_t step_count;
	bool retry; /* count what can be tried again, else what matches */
	uint64_t count;
	int64_t oldest_ms, newest_ms;
};

/* The same step may come again with another job. */
static struct step *plan_step(struct plan *p, struct str id)
{
	for (size_t i = 0; i < p->step_count; i++)
		if (str_eq(p->steps[i].id, id) && (p->steps[i].id.p == NULL) == (id.p == NULL))
			return &p->steps[i];
	p->steps = arena_grow(p->arena, p->steps, p->step_count * sizeof(*p->steps),
		(p->step_count + 1) * sizeof(*p->steps));
	p->steps[p->step_count] = (struct step){ id.p == NULL ? id : str_dup(p->arena, id), 0 };
	return &p->steps[p->step_count++];
}

static bool add_sum(void *arg, const struct store_error_sum *s)
{
	struct plan *p = arg;
	uint64_t n = p->retry ? s->retriable : s->count;

	if (n == 0)
		return true;
	plan_step(p, s->step_id)->count += n;
	p->oldest_ms = p->count == 0 ? s->oldest_ms : MIN(p->oldest_ms, s->oldest_ms);
	p->newest_ms = MAX(p->newest_ms, s->newest_ms);
	p->count += n;
	return true;
}

static void print_plan(struct api_request *rq, const struct plan *p)
{
	struct json_build b;

	json_build_init(&b, rq->x->arena);
	json_build_object(&b);
	json_build_key(&b, STR("steps"));
	json_build_array(&b);
	for (size_t i = 0; i < p->step_count; i++) {
		json_build_object(&b);
		json_add_str(&b, STR("_stepId"), p->steps[i].id);
		json_add_i64(&b, STR("count"), (int64_t)p->steps[i].count);
		json_build_end(&b);
	}
	json_build_end(&b);
	json_add_bool(&b, STR("dryRun"), true);
	json_add_i64(&b, STR("count"), (int64_t)p->count);
	if (p->count > 0) {
		json_add_str(&b, STR("oldest"), time_iso(rq->x->arena, p->oldest_ms));
		json_add_str(&b, STR("newest"), time_iso(rq->x->arena, p->newest_ms));
	}
	json_build_end(&b);
	api_answer(rq, 200, json_print_arena(rq->x->arena, json_build_done(&b)));
}

static void answer_plan(struct api_request *rq, const struct error_set *set, enum error_state state,
	bool retry)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct plan p = { .arena = rq->x->arena, .retry = retry };
	struct err err = ERR_INIT;
	bool ok = store_read_begin(rq->api->cfg.store, &c, &err);

	for (size_t i = 0; ok && i < set->count; i++) {
		struct store_error_filter f = set->list[i];

		f.state = state;
		ok = store_error_sums(c, caller_account(&rq->caller), &f, add_sum, &p, &err);
	}
	if (ok)
		print_plan(rq, &p);
	else
		api_fail(rq, &err);
}

/* ---- resolving ---- */

void error_resolve(struct api_request *rq, const struct error_set *set, bool dry_run, bool resolve,
	int status)
{
	struct resolve_ask *asks;
	uint64_t count = 0;
	struct err err = ERR_INIT;

	if (dry_run) {
		answer_plan(rq, set, resolve ? ERRORS_OPEN : ERRORS_RESOLVED, false);
		return;
	}
	asks = arena_array_of(rq->x->arena, struct resolve_ask, MAX(set->count, (size_t)1));
	for (size_t i = 0; i < set->count; i++)
		asks[i] = (struct resolve_ask){ .filter = set->list[i],
			.resolve = resolve,
			.by = str_z(rq->caller.token_id) };
	if (!engine_resolve(rq->api->cfg.engine, caller_account(&rq->caller), asks, set->count,
		    &err)) {
		api_fail(rq, &err);
		return;
	}
	for (size_t i = 0; i < set->count; i++)
		count += asks[i].count;
	api_answer(rq, status,
		str_fmt(rq->x->arena, "{\"count\":%llu}", (unsigned long long)count));
}

static void resolve_in(struct api_request *rq, enum error_scope scope, bool how)
{
	struct error_query q;

	if (error_query_read(rq, scope, &q))
		error_resolve(rq, &(struct error_set){ &q.filter, 1 }, q.dry_run, how, 200);
}

void handle_job_errors_resolve(struct api_request *rq)
{
	resolve_in(rq, ERRORS_OF_JOB, true);
}

void handle_job_errors_unresolve(struct api_request *rq)
{
	resolve_in(rq, ERRORS_OF_JOB, false);
}

void handle_flow_errors_resolve(struct api_request *rq)
{
	resolve_in(rq, ERRORS_OF_FLOW, true);
}

void handle_flow_errors_unresolve(struct api_request *rq)
{
	resolve_in(rq, ERRORS_OF_FLOW, false);
}

static bool count_errors(void *arg, const struct store_error_sum *sum)
{
	uint64_t *n = arg;

	*n += sum->count;
	return true;
}

/* Is there an error of F, in whatever state? */
static bool known_error(struct api_request *rq, const struct store_error_filter *f, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_error_filter any = *f;
	uint64_t n = 0;

	any.state = ERRORS_ALL;
	if (!store_read_begin(rq->api->cfg.store, &c, err) ||
		!store_error_sums(c, caller_account(&rq->caller), &any, count_errors, &n, err))
		return false;
	return n > 0 || err_set(err, ERR_NOT_FOUND, "job %.*s has no error %.*s",
				STR_ARG(f->job_id), STR_ARG(rq->match.params[1]));
}

static void resolve_one(struct api_request *rq, bool how)
{
	struct error_query q;
	struct err err = ERR_INIT;

	if (!error_query_read(rq, ERRORS_OF_JOB, &q))
		return;
	if (!id_valid(rq->match.params[1])) {
		err_set(&err, ERR_NOT_FOUND, "there is no such error");
		api_fail(rq, &err);
		return;
	}
	q.filter.ids = str_fmt(rq->x->arena, "[\"%.*s\"]", STR_ARG(rq->match.params[1]));
	if (known_error(rq, &q.filter, &err))
		error_resolve(rq, &(struct error_set){ &q.filter, 1 }, q.dry_run, how, 201);
	else
		api_fail(rq, &err);
}

void handle_job_error_resolve(struct api_request *rq)
{
	resolve_one(rq, true);
}

void handle_job_error_unresolve(struct api_request *rq)
{
	resolve_one(rq, false);
}

/* ---- trying again ---- */

static void add_retries(struct json_build *b, const struct retry_jobs *jobs)
{
	for (size_t i = 0; i < jobs->count; i++) {
		json_build_object(b);
		json_add_str(b, STR("_jobId"), id_str(&jobs->list[i].job_id));
		json_add_i64(b, STR("count"), (int64_t)jobs->list[i].count);
		json_build_end(b);
	}
}

static bool add_retriable(void *arg, const struct store_error_sum *s)
{
	uint64_t *n = arg;

	*n += s->retriable;
	return true;
}

/* Those of many filters that have something to try: only they cost a write. */
static bool narrow(struct api_request *rq, const struct error_set *all, struct error_set *out,
	struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_error_filter *list = arena_array_of(rq->x->arena, struct store_error_filter,
		all->count);

	*out = (struct error_set){ list, 0 };
	if (!store_read_begin(rq->api->cfg.store, &c, err))
		return false;
	for (size_t i = 0; i < all->count; i++) {
		struct store_error_filter *f = &list[out->count];
		uint64_t n = 0;

		*f = all->list[i];
		f->state = ERRORS_OPEN;
		if (!store_error_sums(c, caller_account(&rq->caller), f, add_retriable, &n, err))
			return false;
		if (n > 0)
			out->count++;
	}
	return true;
}

void error_retry(struct api_request *rq, const struct error_set *set, bool dry_run, bool original)
{
	struct retry_ask *asks;
	struct retry_jobs jobs;
	struct error_set some;
	struct err err = ERR_INIT;
	struct json_build b;
	struct arena *a = rq->x->arena;

	if (dry_run) {
		answer_plan(rq, set, ERRORS_OPEN, true);
		return;
	}
	if (set->count > 1) {
		if (!narrow(rq, set, &some, &err)) {
			api_fail(rq, &err);
			return;
		}
		set = &some;
	}
	json_build_init(&b, a);
	json_build_array(&b);
	asks = arena_array_of(a, struct retry_ask, MAX(set->count, (size_t)1));
	for (size_t i = 0; i < set->count; i++) {
		asks[i] = (struct retry_ask){ set->list[i], STR_INIT("api"), original };
		asks[i].filter.state = ERRORS_OPEN;
	}
	/* nothing to try costs no write */
	jobs = (struct retry_jobs){ .list = NULL };
	if (set->count > 0 && !engine_retry(rq->api->cfg.engine, caller_account(&rq->caller), asks,
				      set->count, a, &jobs, &err)) {
		api_fail(rq, &err);
		return;
	}
	add_retries(&b, &jobs);
	json_build_end(&b);
	api_answer_build(rq, 200, &b);
}

bool error_ids_of_retries(struct api_request *rq, const struct json *list, struct str *ids,
	struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct str account = caller_account(&rq->caller);
	struct json_build b;

	if (!store_read_begin(rq->api->cfg.store, &c, err))
		return false;
	json_build_init(&b, rq->x->arena);
	json_build_array(&b);
	for (json_each (it, list)) {
		struct store_job_error e;
		struct err none = ERR_INIT;

		if (store_error_of_retry(c, rq->x->arena, account, json_str(it), &e, &none)) {
			json_build_str(&b, e.id);
		} else if (none.code == ERR_NOT_FOUND) {
			json_build_str(&b, json_str(it));
		} else {
			*err = none;
			return false;
		}
	}
	json_build_end(&b);
	*ids = json_print_arena(rq->x->arena, json_build_done(&b));
	return true;
}

bool error_no_original(const struct error_query *q, struct err *err)
{
	return !q->original || err_set_field(err, ERR_QUERY, "config",
				       "these are errors of several runs: config=original goes "
				       "with one job");
}

static void retry_in(struct api_request *rq, enum error_scope scope)
{
	struct error_query q;
	struct err err = ERR_INIT;

	if (!error_query_read(rq, scope, &q))
		return;
	if ((scope == ERRORS_OF_JOB || error_no_original(&q, &err)) &&
		(q.filter.ids.p == NULL ||
			error_ids_of_retries(rq, rq->body, &q.filter.ids, &err))) {
		error_retry(rq, &(struct error_set){ &q.filter, 1 }, q.dry_run, q.original);
		return;
	}
	api_fail(rq, &err);
}

void handle_job_retry(struct api_request *rq)
{
	retry_in(rq, ERRORS_OF_JOB);
}

void handle_flow_errors_retry(struct api_request *rq)
{
	retry_in(rq, ERRORS_OF_FLOW);
}

/* The error of retry data that the path names last; answers 404 itself. */
static bool find_retry(struct api_request *rq, struct str retry_id, struct store_job_error *e)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct err err = ERR_INIT;

	if (store_read_begin(rq->api->cfg.store, &c, &err) &&
		store_error_of_retry(c, rq->x->arena, caller_account(&rq->caller), retry_id, e,
			&err))
		return true;
	api_fail(rq, &err);
	return false;
}

/* By the retry's own path, or by that of its job. */
void handle_retry_one(struct api_request *rq)
{
	struct str job = rq->match.param_count > 1 ? rq->match.params[0] : STR_NULL;
	struct store_job_error e;
	struct error_query q;

	if (!error_query_read(rq, ERRORS_OF_MANY, &q) ||
		!find_retry(rq, rq->match.params[rq->match.param_count - 1], &e))
		return;
	if (job.p != NULL && !str_eq(job, e.job_id) && !str_eq(job, e.flow_job_id)) {
		struct err err = ERR_INIT;

		err_set(&err, ERR_NOT_FOUND, "job %.*s has no retry data %.*s",
			STR_ARG(str_sub(job, 0, 64)), STR_ARG(e.retry_id));
		api_fail(rq, &err);
		return;
	}
	q.filter.job_id = e.flow_job_id.p != NULL ? e.flow_job_id : e.job_id;
	q.filter.ids = str_fmt(rq->x->arena, "[\"%.*s\"]", STR_ARG(e.id));
	error_retry(rq, &(struct error_set){ &q.filter, 1 }, q.dry_run, q.original);
}

/* Of a flow's step, or by itself: it stands last. */
static struct str retry_of_path(const struct api_request *rq)
{
	return rq->match.params[rq->match.param_count - 1];
}

void handle_retry_data(struct api_request *rq)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct err err = ERR_INIT;
	struct str data;

	if (store_read_begin(rq->api->cfg.store, &c, &err) &&
		store_retry_data_get(c, rq->x->arena, caller_account(&rq->caller),
			retry_of_path(rq), &data, &err))
		api_answer(rq, 200, data);
	else
		api_fail(rq, &err);
}

/* ---- editing what will be tried ---- */

struct edit {
	struct str account_id, retry_id, data;
};

static bool edit_write(struct store_conn *c, void *arg, struct err *err)
{
	const struct edit *x = arg;

	return store_retry_data_put(c, x->account_id, x->retry_id, x->data, err);
}

/* A client sends back what it read: the members besides the record must be as they are. */
static bool same_but_data(const struct json *body, const struct json *old, struct err *err)
{
	for (json_each_member(name, body)) {
		struct str s = json_str(name);
		const struct json *was = json_get(old, s);
		char field[72];

		if (str_eq_z(s, "data") || (was != NULL && json_equal(was, json_value(name))))
			continue;
		snprintf(field, sizeof(field), "%.*s", STR_ARG(str_sub(s, 0, 64)));
		return err_set_field(err, was == NULL ? ERR_UNKNOWN_FIELD : ERR_READ_ONLY, field,
			"%s can't be changed: only data, the record, can", field);
	}
	return true;
}

/* The rest is ours and stays; what was sent before is forgotten: edited data make another request. */
static bool edited(struct api_request *rq, const struct json *data, struct str *out,
	struct err *err)
{
	struct arena *a = rq->x->arena;
	struct store_conn *c DEFER(store_read_endp) = NULL;
	const struct json *old;
	struct json_build b;
	struct str text;

	if (!store_read_begin(rq->api->cfg.store, &c, err) ||
		!store_retry_data_get(c, a, caller_account(&rq->caller), retry_of_path(rq), &text,
			err) ||
		!json_parse_copy(a, text, &old, err) || !same_but_data(rq->body, old, err))
		return false;
	json_build_init(&b, a);
	json_build_object(&b);
	json_add_copy(&b, STR("data"), data);
	for (json_each_member(name, old))
		if (!str_eq_z(json_str(name), "data") && !str_eq_z(json_str(name), "request") &&
			!str_eq_z(json_str(name), "key") &&
			!str_eq_z(json_str(name), "requestHash"))
			json_add_copy(&b, json_str(name), json_value(name));
	json_build_end(&b);
	*out = json_print_arena(a, json_build_done(&b));
	return true;
}

/* {"data": record} */
void handle_retry_data_put(struct api_request *rq)
{
	const struct json *data = json_get(rq->body, STR("data"));
	struct store_job_error e;
	struct err err = ERR_INIT;

	if (!find_retry(rq, retry_of_path(rq), &e))
		return;
	if (data == NULL || (data->type != JSON_OBJECT && data->type != JSON_ARRAY)) {
		err_set_field(&err, data == NULL ? ERR_MISSING : ERR_INVALID, "data",
			"the body must be {\"data\": the record}, and the record an object or an "
			"array");
		api_fail(rq, &err);
		return;
	}
	if (e.retry_job_id.p != NULL) {
		err_set(&err, ERR_CONFLICT, "a retry, job %.*s, is at this record",
			STR_ARG(e.retry_job_id));
		api_fail(rq, &err);
		return;
	}
	struct edit x = { .account_id = caller_account(&rq->caller),
		.retry_id = retry_of_path(rq) };

	if (edited(rq, data, &x.data, &err) &&
		store_write(rq->api->cfg.store, edit_write, &x, &err))
		api_answer(rq, 200, x.data);
	else
		api_fail(rq, &err);
}

/* ---- the list of retries ---- */

struct retry_listing {
	struct json_build b;
	size_t count; /* of errors, also those without retry data */
	char last[ID_LEN + 1];
};

static bool print_retry(void *arg, const struct store_job_error *e)
{
	struct retry_listing *l = arg;
	struct json_build *b = &l->b;
	struct arena *a = b->arena;

	l->count++;
	memcpy(l->last, e->id.p, ID_LEN);
	if (e->retry_id.p == NULL)
		return true;
	json_build_object(b);
	json_add_str(b, STR("_id"), str_dup(a, e->retry_id));
	json_add_str(b, STR("type"), STR("object"));
	json_add_str(b, STR("_jobId"), str_dup(a, e->job_id));
	json_add_str(b, STR("_errorId"), str_dup(a, e->id));
	json_add_str(b, STR("createdAt"), time_iso(a, e->created_ms));
	json_build_end(b);
	return true;
}

void handle_retry_list(struct api_request *rq)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct retry_listing l = { .count = 0 };
	struct error_query q;
	struct err err = ERR_INIT;

	if (!error_query_read(rq, ERRORS_OF_QUERY, &q))
		return;
	json_build_init(&l.b, rq->x->arena);
	json_build_array(&l.b);
	if (!store_read_begin(rq->api->cfg.store, &c, &err) ||
		!store_error_list(c, caller_account(&rq->caller), &q.filter, q.after, q.limit,
			print_retry, &l, &err)) {
		api_fail(rq, &err);
		return;
	}
	json_build_end(&l.b);
	api_answer_build(rq, 200, &l.b);
	if (l.count == q.limit)
		api_link_next(rq, str_z(l.last));
}

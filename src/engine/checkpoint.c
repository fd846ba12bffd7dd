/*
 * checkpoint.c - the one transaction that moves a run forward.
 *
 * All texts are made on the worker's thread; the writer's thread only binds them. The job's own row
 * goes first: when somebody else has claimed the job, its fence stops everything behind it.
 */
#include "engine/run.h"

#include "core/limits.h"
#include "crypt/digest.h"

struct str run_new_id(const struct run *r, struct arena *a)
{
	struct id id;

	id_new(&id, clock_wall_ms(r->e->cfg.clock), r->e->cfg.rng);
	return str_dup(a, id_str(&id));
}

/* ---- errors ---- */

static const char *classify_status(int status)
{
	switch (status) {
	case 401:
	case 403:
		return "authentication";
	case 404:
	case 410:
		return "missing";
	case 409:
		return "duplicate";
	case 413:
		return "too_large";
	case 408:
		return "intermittent";
	case 429:
		return "rate_limit";
	default:
		return status >= 500 ? "intermittent" : "value";
	}
}

static const char *classify(const struct err *err, int status)
{
	if (err->code == ERR_HTTP_STATUS && status != 0)
		return classify_status(status);
	switch (err->code) {
	case ERR_TIMEOUT:
	case ERR_CONNECT:
	case ERR_DNS:
	case ERR_TLS:
	case ERR_EGRESS:
		return "connection";
	case ERR_RATE:
		return "rate_limit";
	case ERR_LOOKUP:
	case ERR_MISSING_VALUE:
		return "missing";
	case ERR_RESPONSE:
	case ERR_JSON:
		return "parse";
	case ERR_LIMIT:
	case ERR_TOO_LARGE:
		return "too_large";
	case ERR_INTERRUPTED:
	case ERR_INTERNAL:
	case ERR_STORE:
		return "intermittent";
	case ERR_CANCELED:
		return "canceled";
	default:
		return "value";
	}
}

/* Equal for errors of one cause: digits, and texts in quotes, are what differs between records. */
static struct str fingerprint(struct arena *a, const struct store_job_error *e)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	unsigned char hash[SHA256_BYTES];
	char *hex = arena_alloc(a, 16);
	bool quoted = false;

	buf_add_fmt(&b, "%.*s|%.*s|%.*s|", STR_ARG(e->step_id), STR_ARG(e->stage),
		STR_ARG(e->code));
	for (size_t i = 0; i < e->message.n; i++) {
		char c = e->message.p[i];

		quoted = c == '"' ? !quoted : quoted;
		if ((c < '0' || c > '9') && (!quoted || c == '"'))
			buf_add_char(&b, c);
	}
	digest_sha256(buf_str(&b), hash);
	str_hex_put(hex, hash, 8);
	return str_of(hex, 16);
}

static void fill_error(const struct run *r, struct store_job_error *e, const struct err *err,
	int status, const char *stage)
{
	struct arena *a = r->outcome_arena;

	*e = (struct store_job_error){ .id = run_new_id(r, a),
		.account_id = r->job->account_id,
		.flow_job_id = r->job->id,
		.flow_id = r->job->flow_id,
		.created_ms = clock_wall_ms(r->e->cfg.clock),
		.stage = str_z(stage),
		.source = str_z(step_error_source(err, stage)),
		.code = step_error_code(a, err, status),
		.message = str_dup(a, str_z(err->message)),
		.field = str_dup(a, str_z(err->field)),
		.hint = str_dup(a, str_z(err->hint)),
		.classification = str_z(classify(err, status)),
		.attempts = 1,
		.record_index = -1 };
}

#define FIRST_AUTO_RETRY_MS 300000

/* Errors that may pass by themselves are tried again by themselves, unless the flow says otherwise. */
static void set_next_retry(const struct run *r, struct store_job_error *e)
{
	bool passes = str_eq_z(e->classification, "intermittent") ||
		      str_eq_z(e->classification, "connection") ||
		      str_eq_z(e->classification, "rate_limit");

	if (passes && !json_get_true(r->plan.flow, STR("skipRetries")))
		e->next_retry_ms = e->created_ms + FIRST_AUTO_RETRY_MS;
}

static struct outcome *add_outcome(struct run *r)
{
	if (r->outcome_count == r->outcome_cap) {
		size_t cap = MAX(r->outcome_cap * 2, (size_t)16);

		r->outcomes = arena_grow(r->outcome_arena, r->outcomes,
			r->outcome_cap * sizeof(*r->outcomes), cap * sizeof(*r->outcomes));
		r->outcome_cap = cap;
	}
	struct outcome *o = &r->outcomes[r->outcome_count++];

	*o = (struct outcome){ .kind = OUTCOME_FAILED };
	return o;
}

/* Did the application say that it has not taken the record? */
static bool was_refused(const struct delivery *d)
{
	return d->err.code == ERR_HTTP_STATUS && d->status >= 400 && d->status < 500 &&
	       d->status != 408 && d->status != 429;
}

/*
 * What an equal repeat is known by. With an unknown outcome it is what was sent itself. Else the documents of the
 * day make the request anew: the key is for the same bytes only, since an application that failed may
 * have done the work all the same. One that refused the record would only say so again under that key. IT: the
 * record began here with what an earlier attempt left, which stays when this one has made no request; NULL: not.
 */
static void add_repeat(struct json_build *b, const struct delivery *d, const struct item *it)
{
	char *hex;

	if (d->request.p == NULL) {
		if (it == NULL)
			return;
		json_add_str(b, STR("request"), it->request);
		json_add_str(b, STR("key"), it->key);
		json_add_str(b, STR("requestHash"), it->request_hash);
	} else if (d->unknown) {
		json_add_str(b, STR("request"), d->request);
		json_add_str(b, STR("key"), d->key);
	} else if (d->request.n > 0 && !was_refused(d)) {
		hex = arena_alloc(b->arena, WORK_HASH_LEN);
		work_hash_request(d->request, hex);
		json_add_str(b, STR("key"), d->key);
		json_add_str(b, STR("requestHash"), str_of(hex, WORK_HASH_LEN));
	}
}

/*
 * {"data", "stage", "traceKey"}, what an equal repeat is known by, and when the steps behind have had the
 * record, that it proceeded.
 */
static struct str retry_data(struct arena *a, const struct delivery *d, const struct item *it,
	const char *stage, struct str trace_key, bool proceeded)
{
	struct json_build b;

	json_build_init(&b, a);
	json_build_object(&b);
	json_add_copy(&b, STR("data"), d->source);
	json_add_str(&b, STR("stage"), str_z(stage));
	json_add_str(&b, STR("traceKey"), trace_key);
	if (proceeded)
		json_add_bool(&b, STR("proceeded"), true);
	add_repeat(&b, d, it);
	json_build_end(&b);
	return json_print_arena(a, json_build_done(&b));
}

/* Which record it was. */
static void set_record(const struct run *r, struct store_job_error *e, const struct item *it,
	const struct json *record)
{
	e->record_index = (int64_t)it->index;
	e->trace_key = it->trace_key.p != NULL
			       ? it->trace_key
			       : work_trace_key(r->outcome_arena, record, it->index);
	e->fingerprint = fingerprint(r->outcome_arena, e);
}

static bool keeps_data(const struct run *r)
{
	return !json_get_true(r->plan.flow, STR("skipRetries"));
}

/* The record of a retry has its error already. */
static void retried(struct outcome *o, const struct item *it)
{
	if (it->error_id.p == NULL)
		return;
	o->kind = OUTCOME_FAILED_AGAIN;
	o->row.id = it->error_id;
}

void run_add_failure(struct run *r, const struct work *w, size_t i)
{
	const struct delivery *d = &w->d[i];
	const struct item *it = w->of[i];
	const struct run_step *step = &r->steps[w->step];
	const char *stage = d->stage == NULL ? "submit" : d->stage;
	struct outcome *o = add_outcome(r);
	struct store_job_error *e = &o->row;

	fill_error(r, e, &d->err, d->status, stage);
	e->job_id = step->job.id;
	e->step_id = step->plan->id;
	set_record(r, e, it, d->source);
	e->request = d->sent;
	e->response = d->response;
	set_next_retry(r, e);
	if (keeps_data(r)) {
		e->retry_id = run_new_id(r, r->outcome_arena);
		o->retry_data = retry_data(r->outcome_arena, d,
			it->first_step == w->step ? it : NULL, stage, e->trace_key,
			!it->stopped || it->proceeded);
	}
	retried(o, it);
}

/* What a response mapping needs to be done again: {"data", "stage", "traceKey", "id", "answer"}. */
static struct str answered_data(struct arena *a, const struct delivery *d, struct str trace_key)
{
	struct json_build b;

	json_build_init(&b, a);
	json_build_object(&b);
	json_add_copy(&b, STR("data"), d->source);
	json_add_str(&b, STR("stage"), STR("response_mapping"));
	json_add_str(&b, STR("traceKey"), trace_key);
	json_add_copy(&b, STR("id"), d->id);
	json_add_copy(&b, STR("answer"), d->answer);
	json_build_end(&b);
	return json_print_arena(a, json_build_done(&b));
}

void run_add_unmapped(struct run *r, const struct item *it, const struct delivery *d, uint32_t k,
	const struct err *failure)
{
	struct outcome *o = add_outcome(r);
	struct store_job_error *e = &o->row;
	const struct run_step *step = &r->steps[k];

	fill_error(r, e, failure, d->status, "response_mapping");
	e->job_id = step->job.id;
	e->step_id = step->plan->id;
	set_record(r, e, it, d->source);
	if (keeps_data(r)) {
		e->retry_id = run_new_id(r, r->outcome_arena);
		o->retry_data = answered_data(r->outcome_arena, d, e->trace_key);
	}
	retried(o, it);
}

void run_add_shape_failure(struct run *r, const struct item *it, const char *stage,
	const struct err *failure)
{
	struct outcome *o = add_outcome(r);
	struct store_job_error *e = &o->row;
	const struct delivery d = { .source = it->record };

	fill_error(r, e, failure, 0, stage);
	e->job_id = r->exports[r->source_index].id;
	e->step_id = it->gone ? STR_NULL : r->plan.sources[it->source].id;
	set_record(r, e, it, it->record);
	if (!it->gone && keeps_data(r)) {
		e->retry_id = run_new_id(r, r->outcome_arena);
		o->retry_data = retry_data(r->outcome_arena, &d, NULL, stage, e->trace_key, false);
	}
	retried(o, it);
}

void run_add_resolved(struct run *r, const struct item *it)
{
	struct outcome *o = add_outcome(r);

	o->kind = OUTCOME_RESOLVED;
	o->row.account_id = r->job->account_id;
	o->row.id = it->error_id;
	o->row.resolved_by = str_fmt(r->outcome_arena, "retry %.*s", STR_ARG(r->job->id));
	o->row.resolved_ms = clock_wall_ms(r->e->cfg.clock);
}

void run_add_error(struct run *r, const struct err *failure, const char *stage, bool of_export)
{
	struct outcome *o = add_outcome(r);
	size_t g = MIN(r->source_index, r->plan.source_count - 1);
	bool child = r->exports != NULL; /* it is there, or made in the same transaction */

	fill_error(r, &o->row, failure, 0, stage);
	o->row.job_id = child ? r->exports[g].id : r->job->id;
	if (!child)
		o->row.flow_job_id = STR_NULL;
	if (of_export && r->plan.source_count > 0)
		o->row.step_id = r->plan.sources[g].id;
	o->row.fingerprint = fingerprint(r->outcome_arena, &o->row);
}

void run_add_damage(struct run *r, const struct err *failure)
{
	struct str text = str_sub(buf_str(&r->page_body), 0, LIMIT_ERROR_EVIDENCE);

	run_add_error(r, failure, "run", false);
	r->outcomes[r->outcome_count - 1].row.request = str_dup(r->outcome_arena,
		str_sub(text, 0, str_utf8_prefix(text)));
}

/* ---- the transaction ---- */

struct checkpoint {
	struct run *r;
	const struct work *work;
	bool waiting;
	store_fn extra;
	void *extra_arg;
};

static bool write_outcome(struct store_conn *c, const struct outcome *o, struct err *err)
{
	switch (o->kind) {
	case OUTCOME_FAILED_AGAIN:
		return store_job_error_again(c, &o->row, o->retry_data, err);
	case OUTCOME_RESOLVED:
		return store_job_error_settle(c, &o->row, err);
	default:
		return store_job_error_add(c, &o->row, o->retry_data, err);
	}
}

static bool write_children(struct store_conn *c, const struct run *r, struct err *err)
{
	bool (*put)(struct store_conn *, const struct store_job *,
		struct err *) = r->children_exist ? store_job_update : store_job_add;

	if (r->exports == NULL)
		return true; /* the flow could not even be read */
	for (size_t i = 0; i < r->plan.source_count; i++)
		if (!put(c, &r->exports[i], err))
			return false;
	for (size_t i = 0; i < r->plan.step_count; i++)
		if (!put(c, &r->steps[i].job, err))
			return false;
	return true;
}

static bool write_page(struct store_conn *c, const struct checkpoint *cp, struct err *err)
{
	const struct run *r = cp->r;
	struct store_page row = { .account_id = r->job->account_id, .job_id = r->job->id };

	if (cp->work == NULL)
		return !r->page_in_store || store_page_remove(c, row.account_id, row.job_id, err);
	row.page_index = cp->work->number;
	row.step = cp->work->step;
	row.waiting = cp->waiting;
	row.body = buf_str(&r->page_body);
	row.connection_id = r->steps[row.step].plan->connection_id;
	row.records = work_waiting(cp->work);
	return store_page_put(c, &row, err);
}

static bool write_all(struct store_conn *c, void *arg, struct err *err)
{
	const struct checkpoint *cp = arg;
	const struct run *r = cp->r;

	if (!store_job_update(c, r->job, err) || !write_children(c, r, err) ||
		!write_page(c, cp, err))
		return false;
	for (size_t i = 0; i < r->outcome_count; i++)
		if (!write_outcome(c, &r->outcomes[i], err))
			return false;
	if (r->listened_seq > 0 &&
		!store_listener_advance(c, r->job->account_id, r->listened_export, r->job->flow_id,
			r->listened_seq, err))
		return false;
	return cp->extra == NULL || cp->extra(c, cp->extra_arg, err);
}

/* The job's counts are the sums of its children's; its ledger that of the imports. */
static void sum_counts(struct run *r)
{
	struct store_job *f = r->job;
	int64_t now = clock_wall_ms(r->e->cfg.clock);

	f->modified_ms = now;
	if (r->exports == NULL)
		return;
	f->num_error = f->num_open_error = f->num_success = f->num_ignore = f->num_resolved = 0;
	f->num_export = f->pages_generated = 0;
	f->ledger = (struct job_ledger){ 0 };
	f->done_exporting = true;
	for (size_t i = 0; i < r->plan.source_count + r->plan.step_count; i++) {
		bool source = i < r->plan.source_count;
		struct store_job *j = source ? &r->exports[i]
					     : &r->steps[i - r->plan.source_count].job;

		j->modified_ms = now;
		f->num_error += j->num_error;
		f->num_open_error += j->num_open_error;
		f->num_resolved += j->num_resolved;
		f->num_success += j->num_success;
		f->num_ignore += j->num_ignore;
		if (source) {
			f->num_export += j->num_export;
			f->pages_generated += j->pages_generated;
			f->done_exporting = f->done_exporting && j->done_exporting;
			continue;
		}
		f->ledger.exported += j->ledger.exported;
		f->ledger.succeeded += j->ledger.succeeded;
		f->ledger.ignored += j->ledger.ignored;
		f->ledger.failed += j->ledger.failed;
		f->ledger.in_flight += j->ledger.in_flight;
	}
}

void run_forget(struct run *r)
{
	while (r->before != NULL) {
		struct work *w = r->before;

		r->before = w->next;
		work_free(w);
	}
}

bool run_checkpoint(struct run *r, const struct work *w, bool waiting, store_fn extra,
	void *extra_arg, struct err *err)
{
	struct checkpoint cp = { r, w, waiting, extra, extra_arg };

	sum_counts(r);
	r->job->cursor = r->cursor;
	buf_reset(&r->page_body);
	if (w != NULL)
		work_print(w, &r->page_body);
	if (!store_write(r->e->cfg.store, write_all, &cp, err))
		return false;
	engine_changed(r->e, r->job->account_id, r->job->id);
	r->children_exist = r->exports != NULL;
	r->page_in_store = w != NULL;
	r->page_settled = false;
	r->listened_seq = 0;
	r->outcomes = NULL;
	r->outcome_count = r->outcome_cap = 0;
	arena_reset(r->outcome_arena);
	run_forget(r);
	return true;
}

/*
 * job_list.c - lists of jobs: filters, what a list must say, paging; families; what is in work.
 *
 * Without a limit the platform's 1001 are answered, so that its clients see that there is more. They go
 * on by createdAt_lte, ours by the Link header.
 */
#include "api/error_handlers.h"

#include "core/limits.h"

#define LIST_DEFAULT 1001
#define SET_MAX      100
#define FAMILIES_MAX 100
#define LATEST_JOBS  10

struct job_query {
	struct store_job_filter f;
	struct json_build statuses, types, flows;
	size_t status_count, type_count, flow_count;
	struct str bulk_job_id; /* p NULL: not asked for; no job has one */
	bool dated;             /* a time of creation is asked for */
	bool children;          /* a type of children is asked for, */
	bool parents;           /* one of parents, or none at all */
};

/* ---- parameters ---- */

static bool read_id(struct job_query *q, struct str name, struct str value, bool *known,
	struct err *err)
{
	struct store_job_filter *f = &q->f;
	const struct param ids[] = {
		{ "_flowId", &f->flow_id },
		{ "_exportId", &f->export_id },
		{ "_importId", &f->import_id },
		{ "_integrationId", &f->integration_id },
		{ "_flowJobId", &f->flow_job_id },
		{ "_jobId", &f->job_id },
		{ "_bulkJobId", &q->bulk_job_id },
		{ "after", &f->after },
	};

	*known = param_put(ids, ARRAY_LEN(ids), name, value) != NULL;
	return !*known || id_valid(value) || param_bad(err, name, value);
}

/* numError_gte and its kin. */
static bool read_count(struct job_query *q, struct str name, struct str value, bool *known,
	struct err *err)
{
	struct store_job_filter *f = &q->f;
	const struct {
		const char *name;
		struct store_count_range *to;
	} counts[] = {
		{ "numSuccess_", &f->success },
		{ "numExport_", &f->export },
		{ "numIgnore_", &f->ignore },
		{ "numError_", &f->error },
	};

	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		struct str prefix = str_z(counts[i].name), side = str_from(name, prefix.n);
		bool least = str_eq_z(side, "gte");

		if (!str_starts(name, prefix) || (!least && !str_eq_z(side, "lte")))
			continue;
		*known = true;
		counts[i].to->set = counts[i].to->set || !least;
		return str_to_u64(value, least ? &counts[i].to->min : &counts[i].to->max) ||
		       param_bad(err, name, value);
	}
	return true;
}

static bool read_date(struct job_query *q, struct str name, struct str value, bool *known,
	struct err *err)
{
	bool least = str_eq_z(name, "createdAt_gte");

	if (!least && !str_eq_z(name, "createdAt_lte"))
		return true;
	*known = true;
	q->dated = true;
	return param_time(name, value, least ? &q->f.created_gte_ms : &q->f.created_lte_ms, err);
}

enum set { SET_STATUS, SET_TYPE, SET_FLOW };

static bool is_member(struct job_query *q, enum set set, struct str word)
{
	enum job_status status;
	enum job_type type;

	if (set == SET_STATUS)
		return job_status_of(word, &status);
	if (set == SET_FLOW)
		return id_valid(word);
	if (str_eq_z(word, "bulk_retry")) { /* a type of the platform that no job here has */
		q->parents = true;
		return true;
	}
	if (!job_type_of(word, &type))
		return false;
	if (type == JOB_EXPORT || type == JOB_IMPORT)
		q->children = true;
	else
		q->parents = true;
	return true;
}

/* "type_in[0]", "type_in[]": the name without its index. */
static struct str without_index(struct str name)
{
	size_t at = str_find_char(name, '[');
	uint64_t n;

	if (at == STR_NPOS || name.p[name.n - 1] != ']')
		return name;
	struct str index = str_sub(name, at + 1, name.n - at - 2);

	return index.n == 0 || str_to_u64(index, &n) ? str_sub(name, 0, at) : name;
}

/* One or several, by commas, by repeating the parameter or by numbering it. */
static bool read_set(struct job_query *q, struct str name, struct str value, bool *known,
	struct err *err)
{
	const struct {
		const char *name;
		enum set set;
		struct json_build *b;
		size_t *count;
	} sets[] = {
		{ "status", SET_STATUS, &q->statuses, &q->status_count },
		{ "type", SET_TYPE, &q->types, &q->type_count },
		{ "type_in", SET_TYPE, &q->types, &q->type_count },
		{ "_flowId_in", SET_FLOW, &q->flows, &q->flow_count },
	};

	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		struct str rest = value;

		if (!str_eq_z(without_index(name), sets[i].name))
			continue;
		*known = true;
		while (rest.p != NULL) {
			struct str word = str_trim(str_cut(&rest, ','));

			if (!is_member(q, sets[i].set, word))
				return param_bad(err, name, word);
			if (++*sets[i].count > SET_MAX)
				return err_set(err, ERR_QUERY, "%.*s can have at most %d values",
					STR_ARG(name), SET_MAX);
			json_build_str(sets[i].b, word);
		}
		return value.n > 0 || param_bad(err, name, value);
	}
	return true;
}

static bool read_limit(struct job_query *q, struct str name, struct str value, bool *known,
	struct err *err)
{
	if (!str_eq_z(name, "limit"))
		return true;
	*known = true;
	return param_limit(name, value, LIST_DEFAULT, &q->f.limit, err);
}

static bool read_retriable(struct job_query *q, struct str name, struct str value, bool *known,
	struct err *err)
{
	if (!str_eq_z(name, "retriable"))
		return true;
	*known = true;
	q->f.retry = str_eq_z(value, "true") ? JOBS_RETRIABLE : JOBS_DONE_WITH;
	return q->f.retry == JOBS_RETRIABLE || str_eq_z(value, "false") ||
	       param_bad(err, name, value);
}

static bool read_param(struct job_query *q, struct str name, struct str value, struct err *err)
{
	bool known = false;

	if (!read_id(q, name, value, &known, err) || !read_count(q, name, value, &known, err) ||
		!read_date(q, name, value, &known, err) || !read_set(q, name, value, &known, err) ||
		!read_limit(q, name, value, &known, err) ||
		!read_retriable(q, name, value, &known, err))
		return false;
	if (known)
		return true;
	return param_unknown(err, name, STR("leave it out"));
}

/* A list of the whole account is not what anybody wants: the platform's rules and words. */
static bool check_query(const struct job_query *q, struct err *err)
{
	const struct store_job_filter *f = &q->f;
	bool one = f->job_id.p != NULL || f->flow_job_id.p != NULL || q->bulk_job_id.p != NULL;
	bool resource = f->export_id.p != NULL || f->import_id.p != NULL || f->flow_id.p != NULL ||
			q->flow_count > 0;

	if (q->children && !one && !resource)
		return err_set(err, ERR_JOB_QUERY,
			"For child jobs, query parameters must contain either \"_flowJobId\" or "
			"\"resourceId\"");
	if ((q->parents || !q->children) && !one && !resource && !q->dated &&
		f->integration_id.p == NULL)
		return err_set(err, ERR_JOB_QUERY,
			"For parent jobs, query parameters must contain either \"_integrationId\" "
			"or \"_jobId\" or \"createdAt\"");
	return true;
}

static void query_begin(struct job_query *q, struct arena *a)
{
	struct json_build *sets[] = { &q->statuses, &q->types, &q->flows };

	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		json_build_init(sets[i], a);
		json_build_array(sets[i]);
	}
}

static struct str set_done(struct json_build *b, size_t count)
{
	json_build_end(b);
	return count == 0 ? STR_NULL : json_print_arena(b->arena, json_build_done(b));
}

static void query_end(struct job_query *q)
{
	q->f.statuses = set_done(&q->statuses, q->status_count);
	q->f.types = set_done(&q->types, q->type_count);
	q->f.flow_ids = set_done(&q->flows, q->flow_count);
}

/* ---- answering ---- */

struct listing {
	struct engine *engine;
	struct store_conn *c;
	struct buf out;
	size_t count;
	char last[ID_LEN + 1];
};

static bool print_job(void *arg, const struct store_job *j)
{
	struct listing *l = arg;

	if (l->count++ > 0)
		buf_add_char(&l->out, ',');
	job_print(l->engine, l->c, j, &l->out);
	memcpy(l->last, j->id.p, ID_LEN);
	return true;
}

static void list_jobs(struct api_request *rq, const struct store_job_filter *f, bool pages)
{
	struct listing l = { .engine = rq->api->cfg.engine, .out = BUF_INIT(0) };
	struct err err = ERR_INIT;

	buf_add_char(&l.out, '[');
	if (!store_read_begin(rq->api->cfg.store, &l.c, &err) ||
		!store_job_list(l.c, caller_account(&rq->caller), f, print_job, &l, &err)) {
		api_fail(rq, &err);
	} else {
		buf_add_char(&l.out, ']');
		api_answer(rq, 200, str_dup(rq->x->arena, buf_str(&l.out)));
		if (pages && l.count == (f->limit == 0 ? LIST_DEFAULT : f->limit))
			api_link_next(rq, str_z(l.last));
	}
	store_read_end(l.c);
	buf_free(&l.out);
}

void handle_job_list(struct api_request *rq)
{
	struct job_query *q = arena_new_of(rq->x->arena, struct job_query);
	struct str name, value;
	struct err err = ERR_INIT;
	size_t at = 0;
	bool ok = true;

	query_begin(q, rq->x->arena);
	while (ok && http_request_query_next(rq->x, &at, &name, &value))
		ok = read_param(q, name, value, &err);
	if (!ok || !check_query(q, &err)) {
		api_fail(rq, &err);
		return;
	}
	query_end(q);
	q->f.parents_only = q->type_count == 0 && q->f.flow_job_id.p == NULL &&
			    q->f.job_id.p == NULL;
	if (q->bulk_job_id.p != NULL) {
		api_answer(rq, 200, STR("[]"));
		return;
	}
	list_jobs(rq, &q->f, true);
}

void handle_flow_latest_jobs(struct api_request *rq)
{
	struct store_job_filter f = { .flow_id = rq->match.params[0],
		.parents_only = true,
		.limit = LATEST_JOBS };

	list_jobs(rq, &f, false);
}

/* ---- what is in work ---- */

static bool read_flows(struct api_request *rq, struct str *flows, struct err *err)
{
	const struct json *list = json_get(rq->body, STR("_flowIds"));

	if (list == NULL)
		return true;
	if (!json_is_array(list) || list->n == 0 || list->n > SET_MAX)
		return err_set_field(err, ERR_INVALID, "_flowIds",
			"_flowIds must be an array of 1 to %d ids", SET_MAX);
	for (json_each (it, list))
		if (!json_is_str(it) || !id_valid(json_str(it)))
			return err_set_field(err, ERR_INVALID, "_flowIds",
				"_flowIds must be an array of ids");
	*flows = json_print_arena(rq->x->arena, list);
	return true;
}

/* The jobs of flows and retries that have not ended. Body: {_integrationId, _flowIds}, both optional. */
void handle_job_current(struct api_request *rq)
{
	struct store_job_filter f = { .parents_only = true,
		.statuses = STR("[\"queued\",\"running\",\"retrying\",\"canceling\"]") };
	const struct json *integration = json_get(rq->body, STR("_integrationId"));
	struct err err = ERR_INIT;

	if (!api_check_members(rq, "_integrationId|_flowIds"))
		return;
	if (integration != NULL && (!json_is_str(integration) || !id_valid(json_str(integration))))
		err_set_field(&err, ERR_INVALID, "_integrationId", "_integrationId must be an id");
	else if (read_flows(rq, &f.flow_ids, &err)) {
		f.integration_id = integration == NULL ? STR_NULL : json_str(integration);
		list_jobs(rq, &f, false);
		return;
	}
	api_fail(rq, &err);
}

/* ---- families ---- */

bool job_family_print(struct api_request *rq, struct store_conn *c, const struct store_job *job,
	struct buf *out, struct err *err)
{
	struct store_job *children;
	size_t n;

	if (!store_job_children(c, rq->x->arena, job->account_id, job->id, &children, &n, err))
		return false;
	job_print(rq->api->cfg.engine, c, job, out);
	out->n--; /* open the object again to add the children */
	BUF_ADD_LIT(out, ",\"children\":[");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_add_char(out, ',');
		job_print(rq->api->cfg.engine, c, &children[i], out);
	}
	BUF_ADD_LIT(out, "]}");
	return true;
}

bool job_of_element(struct api_request *rq, struct store_conn *c, const struct json *id,
	struct store_job *out, struct err *err)
{
	if (!json_is_str(id) || !id_valid(json_str(id)))
		return err_set_field(err, ERR_INVALID, "_jobIds",
			"the list must be of ids of jobs");
	return store_job_get(c, rq->x->arena, caller_account(&rq->caller), json_str(id), out, err);
}

static bool print_families(struct api_request *rq, const struct json *ids, struct buf *out,
	struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_job job;

	if (!store_read_begin(rq->api->cfg.store, &c, err))
		return false;
	buf_add_char(out, '[');
	for (json_each (it, ids)) {
		if (!job_of_element(rq, c, it, &job, err))
			return false;
		if (out->n > 1)
			buf_add_char(out, ',');
		if (!job_family_print(rq, c, &job, out, err))
			return false;
	}
	buf_add_char(out, ']');
	return true;
}

/* Body: an array of ids, or {"_jobIds": [...]}. */
void handle_job_families(struct api_request *rq)
{
	const struct json *ids = json_is_array(rq->body) ? rq->body
							 : json_get(rq->body, STR("_jobIds"));
	struct buf out DEFER(buf_free) = BUF_INIT(0);
	struct err err = ERR_INIT;

	if (!json_is_array(ids) || ids->n > FAMILIES_MAX)
		err_set_field(&err, ERR_INVALID, "_jobIds",
			"the body must be an array of at most %d ids of jobs", FAMILIES_MAX);
	else if (print_families(rq, ids, &out, &err)) {
		api_answer(rq, 200, str_dup(rq->x->arena, buf_str(&out)));
		return;
	}
	api_fail(rq, &err);
}

/*
 * resource.c - resources, what they refer to, and the lists over them.
 */
#include "core/buf.h"
#include "core/log.h"
#include "store/row.h"
#include "store/store_priv.h"

#define PARAM_LIMIT     9
#define STATE_SCOPE_MAX 128
#define EXPORT_ID_LEN   24 /* of an _id; an apiIdentifier is shorter */

static bool not_found(struct str type, struct str id, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "there is no %.*s %.*s", STR_ARG(type), STR_ARG(id));
}

static bool resource_failed(const struct sql_stmt *st, const struct store_resource *r,
	struct err *err)
{
	if (st->failure == SQL_UNIQUE)
		return err_set(err, ERR_CONFLICT, "the id or apiIdentifier of %.*s %.*s is taken",
			STR_ARG(r->type), STR_ARG(r->id));
	if (st->failure == SQL_REFERENCE)
		return err_set(err, ERR_CONFLICT, "there is no account %.*s",
			STR_ARG(r->account_id));
	return sql_error(st->conn, err);
}

static void bind_key(struct sql_stmt *st, struct str account_id, struct str type, struct str id)
{
	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, type);
	sql_bind_str(st, 3, id);
}

static bool refs_add(struct store_conn *c, const struct store_resource *r,
	const struct store_ref *refs, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_REF_ADD);

		bind_key(st, r->account_id, r->type, r->id);
		sql_bind_str(st, 4, refs[i].field);
		sql_bind_str(st, 5, refs[i].type);
		sql_bind_str(st, 6, refs[i].id);
		if (!sql_run(st))
			return sql_error(st->conn, err);
	}
	return true;
}

/* What else a resource of this type has in the store follows it, in the same transaction. */
static bool written(struct store_conn *c, const struct store_resource *r,
	const struct store_ref *refs, size_t ref_count, struct err *err)
{
	if (str_eq_z(r->type, "export"))
		c->changed |= CHANGED_EXPORTS;
	return !str_eq_z(r->type, "flow") || event_flow_written(c, r, refs, ref_count, err);
}

bool store_resource_add(struct store_conn *c, const struct store_resource *r,
	const struct store_ref *refs, size_t ref_count, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_RESOURCE_ADD);

	CHECK(r->version == 1);
	row_bind(st, 1, &row_resource, 0, row_resource.count, r);
	if (!sql_run(st))
		return resource_failed(st, r, err);
	return refs_add(c, r, refs, ref_count, err) && written(c, r, refs, ref_count, err);
}

/* Why no row had this key and version. */
static bool no_such_version(struct store_conn *c, struct str account_id, struct str type,
	struct str id, int64_t version, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_RESOURCE_VERSION);

	bind_key(st, account_id, type, id);
	switch (sql_step(st)) {
	case SQL_FAILED:
		return sql_error(st->conn, err);
	case SQL_DONE:
		return not_found(type, id, err);
	case SQL_ROW:
		break;
	}
	return err_set(err, ERR_PRECONDITION, "%.*s %.*s has version %lld by now, not %lld",
		STR_ARG(type), STR_ARG(id), (long long)sql_i64(st, 0), (long long)version);
}

static bool refs_remove(struct store_conn *c, const struct store_resource *r, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_REF_REMOVE_ALL);

	bind_key(st, r->account_id, r->type, r->id);
	return sql_run(st) || sql_error(st->conn, err);
}

bool store_resource_update(struct store_conn *c, const struct store_resource *r,
	const struct store_ref *refs, size_t ref_count, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_RESOURCE_UPDATE);

	bind_key(st, r->account_id, r->type, r->id);
	sql_bind_i64(st, 4, r->version);
	row_bind(st, 5, &row_resource, 5, row_resource.count, r); /* from modified_ms on */
	if (!sql_run(st))
		return resource_failed(st, r, err);
	if (sql_changes(st) == 0)
		return no_such_version(c, r->account_id, r->type, r->id, r->version, err);
	return refs_remove(c, r, err) && refs_add(c, r, refs, ref_count, err) &&
	       written(c, r, refs, ref_count, err);
}

static bool state_remove(struct store_conn *c, struct str account_id, struct str type,
	struct str id, struct err *err)
{
	char scope[STATE_SCOPE_MAX];
	int n = snprintf(scope, sizeof(scope), "%.*s/%.*s", STR_ARG(type), STR_ARG(id));

	CHECK(n > 0 && (size_t)n < sizeof(scope));
	return store_state_remove_all(c, account_id, str_of(scope, (size_t)n), err);
}

bool store_resource_remove(struct store_conn *c, struct str account_id, struct str type,
	struct str id, int64_t version, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_RESOURCE_REMOVE);

	bind_key(st, account_id, type, id);
	sql_bind_i64(st, 4, version);
	if (!sql_run(st))
		return sql_error(st->conn, err);
	if (sql_changes(st) == 0)
		return no_such_version(c, account_id, type, id, version, err);
	if (!state_remove(c, account_id, type, id, err))
		return false;
	if (str_eq_z(type, "flow"))
		return event_flow_removed(c, account_id, id, err);
	if (!str_eq_z(type, "export"))
		return true;
	c->changed |= CHANGED_EXPORTS;
	return event_export_removed(c, account_id, id, err);
}

bool store_resource_get(struct store_conn *c, struct arena *a, struct str account_id,
	struct str type, struct str id, struct store_resource *out, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_RESOURCE_GET);

	bind_key(st, account_id, type, id);

	enum sql_result r = row_read_one(st, &row_resource, a, out, err);

	if (r == SQL_DONE)
		not_found(type, id, err);
	return r == SQL_ROW;
}

bool store_resource_by_api_identifier(struct store_conn *c, struct arena *a, struct str account_id,
	struct str api_identifier, struct store_resource *out, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_RESOURCE_BY_API_IDENTIFIER);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, api_identifier);

	enum sql_result r = row_read_one(st, &row_resource, a, out, err);

	if (r == SQL_DONE)
		err_set(err, ERR_NOT_FOUND, "there is nothing with the apiIdentifier %.*s",
			STR_ARG(api_identifier));
	return r == SQL_ROW;
}

bool store_export_find(struct store_conn *c, struct arena *a, struct str key,
	struct store_resource *out, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c,
		key.n == EXPORT_ID_LEN ? STMT_EXPORT_BY_ID : STMT_RESOURCE_BY_ANY_IDENTIFIER);

	sql_bind_str(st, 1, key);

	enum sql_result r = row_read_one(st, &row_resource, a, out, err);

	if (r == SQL_DONE)
		not_found(STR("export"), key, err);
	return r == SQL_ROW;
}

bool store_resource_exists(struct store_conn *c, struct str account_id, struct str type,
	struct str id)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_RESOURCE_VERSION);

	bind_key(st, account_id, type, id);
	return sql_step(st) == SQL_ROW;
}

/* ---- lists ---- */

/* The filter column that leads, the rarest first. */
static enum statement_id list_statement(const struct store_filter *f)
{
	if (f->external_ids != NULL)
		return STMT_RESOURCE_LIST_BY_EXTERNAL_ID;
	if (f->names != NULL)
		return STMT_RESOURCE_LIST_BY_NAME;
	if (f->integration_ids != NULL)
		return STMT_RESOURCE_LIST_BY_INTEGRATION;
	if (f->connector_ids != NULL)
		return STMT_RESOURCE_LIST_BY_CONNECTOR;
	return STMT_RESOURCE_LIST;
}

/* The values as one JSON array in B, bound as text; null for any. */
static void bind_one_of(struct sql_stmt *st, int n, struct buf *b, const struct str *values,
	size_t count)
{
	if (values == NULL) {
		sql_bind_str(st, n, STR_NULL);
		return;
	}
	buf_add_char(b, '[');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_add_char(b, ',');
		log_add_json_str(b, values[i]);
	}
	buf_add_char(b, ']');
	sql_bind_str(st, n, buf_str(b));
}

/*
 * Where the list goes on: behind the resource AFTER. When that was removed meanwhile, its id still
 * tells its second of creation: the list goes on with that second, so that it may repeat a few but
 * misses none.
 */
static bool list_place(struct store_conn *c, struct str account_id, struct str type,
	struct str after, int64_t *ms, struct str *id, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_RESOURCE_CREATED);

	bind_key(st, account_id, type, after);
	return row_list_place(st, after, ms, id, err);
}

bool store_resource_list(struct store_conn *c, struct str account_id, struct str type,
	const struct store_filter *f, bool (*fn)(void *arg, const struct store_resource *r),
	void *arg, struct err *err)
{
	struct buf names DEFER(buf_free) = BUF_INIT(0), external_ids DEFER(buf_free) = BUF_INIT(0),
			 integration_ids DEFER(buf_free) = BUF_INIT(0),
			 connector_ids DEFER(buf_free) = BUF_INIT(0);
	int64_t after_ms = INT64_MIN;
	struct str after_id = STR("");
	struct store_resource r;
	enum sql_result got;

	if (f->after.p != NULL &&
		!list_place(c, account_id, type, f->after, &after_ms, &after_id, err))
		return false;

	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, list_statement(f));

	bind_key(st, account_id, type, STR_NULL);
	sql_bind_i64(st, 3, after_ms);
	sql_bind_str(st, 4, after_id);
	bind_one_of(st, 5, &names, f->names, f->name_count);
	bind_one_of(st, 6, &external_ids, f->external_ids, f->external_id_count);
	bind_one_of(st, 7, &integration_ids, f->integration_ids, f->integration_id_count);
	bind_one_of(st, 8, &connector_ids, f->connector_ids, f->connector_id_count);
	sql_bind_i64(st, PARAM_LIMIT, f->limit == 0 ? INT64_MAX : (int64_t)f->limit);
	while ((got = sql_step(st)) == SQL_ROW) {
		if (!row_read(st, &row_resource, NULL, &r, err))
			return false;
		if (!fn(arg, &r))
			return true;
	}
	return got == SQL_DONE || sql_error(st->conn, err);
}

bool store_resource_referrers(struct store_conn *c, struct arena *a, struct str account_id,
	struct str type, struct str id, struct store_resource *out, size_t max, size_t *count,
	struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_RESOURCE_REFERRERS);
	enum sql_result got;
	size_t n = 0;

	bind_key(st, account_id, type, id);
	while ((got = sql_step(st)) == SQL_ROW) {
		if (n < max && !row_read(st, &row_resource, a, &out[n], err))
			return false;
		n++;
	}
	if (got == SQL_FAILED)
		return sql_error(st->conn, err);
	*count = n;
	return true;
}

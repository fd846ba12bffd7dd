/*
 * migrations.c - the steps as texts, and the loop that runs those that the database lacks.
 *
 * Keys begin with the account, so that rows can be spread by account; `migration` and `setting`
 * belong to the installation. Tables of small rows are kept in their key's tree (WITHOUT ROWID);
 * those with documents are not, since a long row there would be read on the way to its neighbours.
 * Indexes of columns that are mostly null leave the nulls out.
 */
#include "store/migrations.h"

static const char version_1[] =
	"CREATE TABLE setting (\n"
	"	key TEXT NOT NULL PRIMARY KEY,\n"
	"	value TEXT NOT NULL\n"
	") STRICT, WITHOUT ROWID;\n"

	"CREATE TABLE account (\n"
	"	id TEXT NOT NULL PRIMARY KEY,\n"
	"	name TEXT NOT NULL UNIQUE,\n"
	"	created_ms INTEGER NOT NULL,\n"
	"	rate_bucket INTEGER NOT NULL,\n"
	"	rate_refill INTEGER NOT NULL\n"
	") STRICT, WITHOUT ROWID;\n"

	"CREATE TABLE token (\n"
	"	account_id TEXT NOT NULL REFERENCES account (id),\n"
	"	id TEXT NOT NULL,\n"
	"	hash BLOB NOT NULL UNIQUE,\n"
	"	name TEXT,\n"
	"	scope TEXT NOT NULL,\n"
	"	connector_id TEXT,\n"
	"	created_ms INTEGER NOT NULL,\n"
	"	expires_ms INTEGER NOT NULL,\n"
	"	PRIMARY KEY (account_id, id)\n"
	") STRICT, WITHOUT ROWID;\n"

	"CREATE TABLE resource (\n"
	"	account_id TEXT NOT NULL REFERENCES account (id),\n"
	"	type TEXT NOT NULL,\n"
	"	id TEXT NOT NULL,\n"
	"	created_ms INTEGER NOT NULL,\n"
	"	version INTEGER NOT NULL,\n"
	"	modified_ms INTEGER NOT NULL,\n"
	"	name TEXT,\n"
	"	external_id TEXT,\n"
	"	integration_id TEXT,\n"
	"	connector_id TEXT,\n"
	"	api_identifier TEXT UNIQUE,\n"
	"	document TEXT NOT NULL,\n"
	"	PRIMARY KEY (account_id, type, id)\n"
	") STRICT;\n"
	"CREATE INDEX resource_created ON resource (account_id, type, created_ms, id);\n"
	"CREATE INDEX resource_name ON resource (account_id, type, name)\n"
	"	WHERE name IS NOT NULL;\n"
	"CREATE INDEX resource_external_id ON resource (account_id, type, external_id)\n"
	"	WHERE external_id IS NOT NULL;\n"
	"CREATE INDEX resource_integration_id ON resource (account_id, type, integration_id)\n"
	"	WHERE integration_id IS NOT NULL;\n"
	"CREATE INDEX resource_connector_id ON resource (account_id, type, connector_id)\n"
	"	WHERE connector_id IS NOT NULL;\n"

	"CREATE TABLE resource_ref (\n"
	"	account_id TEXT NOT NULL,\n"
	"	type TEXT NOT NULL,\n"
	"	id TEXT NOT NULL,\n"
	"	field TEXT NOT NULL,\n"
	"	target_type TEXT NOT NULL,\n"
	"	target_id TEXT NOT NULL,\n"
	"	PRIMARY KEY (account_id, type, id, field, target_type, target_id),\n"
	"	FOREIGN KEY (account_id, type, id) REFERENCES resource (account_id, type, id)\n"
	"		ON DELETE CASCADE\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE INDEX resource_ref_target ON resource_ref (account_id, target_type, target_id);\n"

	"CREATE TABLE job (\n"
	"	account_id TEXT NOT NULL REFERENCES account (id),\n"
	"	id TEXT NOT NULL,\n"
	"	type TEXT NOT NULL,\n"
	"	flow_id TEXT,\n"
	"	export_id TEXT,\n"
	"	import_id TEXT,\n"
	"	integration_id TEXT,\n"
	"	flow_job_id TEXT,\n"
	"	created_ms INTEGER NOT NULL,\n"
	"	order_index INTEGER NOT NULL,\n"
	"	started_by TEXT,\n"
	"	status TEXT NOT NULL,\n"
	"	started_ms INTEGER NOT NULL,\n"
	"	ended_ms INTEGER NOT NULL,\n"
	"	modified_ms INTEGER NOT NULL,\n"
	"	purge_ms INTEGER NOT NULL,\n"
	"	num_error INTEGER NOT NULL,\n"
	"	num_success INTEGER NOT NULL,\n"
	"	num_ignore INTEGER NOT NULL,\n"
	"	num_resolved INTEGER NOT NULL,\n"
	"	num_open_error INTEGER NOT NULL,\n"
	"	num_export INTEGER NOT NULL,\n"
	"	pages_generated INTEGER NOT NULL,\n"
	"	pages_processed INTEGER NOT NULL,\n"
	"	done_exporting INTEGER NOT NULL,\n"
	"	retriable INTEGER NOT NULL,\n"
	"	attempts INTEGER NOT NULL,\n"
	"	exported INTEGER NOT NULL,\n"
	"	succeeded INTEGER NOT NULL,\n"
	"	ignored INTEGER NOT NULL,\n"
	"	failed INTEGER NOT NULL,\n"
	"	in_flight INTEGER NOT NULL,\n"
	"	zero_reason TEXT,\n"
	"	error_code TEXT,\n"
	"	error_message TEXT,\n"
	"	cursor_json TEXT,\n"
	"	PRIMARY KEY (account_id, id)\n"
	") STRICT;\n"
	"CREATE INDEX job_created ON job (account_id, created_ms, id);\n"
	"CREATE INDEX job_flow ON job (account_id, flow_id, created_ms, id)\n"
	"	WHERE flow_id IS NOT NULL;\n"
	"CREATE INDEX job_flow_job ON job (account_id, flow_job_id, created_ms, id)\n"
	"	WHERE flow_job_id IS NOT NULL;\n"
	"CREATE INDEX job_export ON job (account_id, export_id, created_ms, id)\n"
	"	WHERE export_id IS NOT NULL;\n"
	"CREATE INDEX job_import ON job (account_id, import_id, created_ms, id)\n"
	"	WHERE import_id IS NOT NULL;\n"
	"CREATE INDEX job_integration ON job (account_id, integration_id, created_ms, id)\n"
	"	WHERE integration_id IS NOT NULL;\n"
	/* Few rows at any time: what waits, and what is in work. */
	"CREATE INDEX job_queued ON job (created_ms, id) WHERE status = 'queued';\n"
	"CREATE INDEX job_queued_flow ON job (account_id, flow_id, created_ms, id)\n"
	"	WHERE status = 'queued';\n"
	"CREATE INDEX job_in_work ON job (account_id, flow_id)\n"
	"	WHERE status IN ('running', 'retrying', 'canceling');\n"

	"CREATE TABLE job_error (\n"
	"	account_id TEXT NOT NULL,\n"
	"	id TEXT NOT NULL,\n"
	"	job_id TEXT NOT NULL,\n"
	"	root_job_id TEXT NOT NULL,\n"
	"	flow_job_id TEXT,\n"
	"	flow_id TEXT,\n"
	"	step_id TEXT,\n"
	"	created_ms INTEGER NOT NULL,\n"
	"	stage TEXT,\n"
	"	source TEXT,\n"
	"	code TEXT,\n"
	"	message TEXT,\n"
	"	field TEXT,\n"
	"	hint TEXT,\n"
	"	trace_key TEXT,\n"
	"	record_index INTEGER NOT NULL,\n"
	"	resolved INTEGER NOT NULL,\n"
	"	retry_id TEXT,\n"
	"	request TEXT,\n"
	"	response TEXT,\n"
	"	PRIMARY KEY (account_id, id),\n"
	"	FOREIGN KEY (account_id, job_id) REFERENCES job (account_id, id)\n"
	") STRICT;\n"
	"CREATE INDEX job_error_job ON job_error\n"
	"	(account_id, job_id, created_ms, record_index, id);\n"
	"CREATE INDEX job_error_root ON job_error\n"
	"	(account_id, root_job_id, created_ms, record_index, id);\n"

	"CREATE TABLE retry_data (\n"
	"	account_id TEXT NOT NULL REFERENCES account (id),\n"
	"	id TEXT NOT NULL,\n"
	"	created_ms INTEGER NOT NULL,\n"
	"	data TEXT NOT NULL,\n"
	"	PRIMARY KEY (account_id, id)\n"
	") STRICT;\n"

	"CREATE TABLE idempotency (\n"
	"	account_id TEXT NOT NULL REFERENCES account (id),\n"
	"	key TEXT NOT NULL,\n"
	"	created_ms INTEGER NOT NULL,\n"
	"	status INTEGER NOT NULL,\n"
	"	request_hash BLOB NOT NULL,\n"
	"	response TEXT,\n"
	"	PRIMARY KEY (account_id, key)\n"
	") STRICT;\n"
	"CREATE INDEX idempotency_created ON idempotency (created_ms);\n";

const struct migration migrations[] = {
	{ 1, "accounts, tokens, resources, jobs, errors, retry data, kept answers", version_1 },
};
const size_t migration_count = ARRAY_LEN(migrations);

static const char migration_table[] = "CREATE TABLE IF NOT EXISTS migration (\n"
				      "	version INTEGER NOT NULL PRIMARY KEY,\n"
				      "	description TEXT NOT NULL,\n"
				      "	applied_ms INTEGER NOT NULL\n"
				      ") STRICT;\n";

static bool last_version(struct sql_conn *c, int64_t *version, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = sql_use(c, STMT_MIGRATION_LAST);

	if (sql_step(st) != SQL_ROW)
		return sql_error(c, err);
	*version = sql_i64(st, 0);
	return true;
}

static bool note_applied(struct sql_conn *c, const struct migration *m, int64_t now_ms)
{
	struct sql_stmt *st DEFER(sql_donep) = sql_use(c, STMT_MIGRATION_ADD);

	sql_bind_i64(st, 1, m->version);
	sql_bind_str(st, 2, str_z(m->description));
	sql_bind_i64(st, 3, now_ms);
	return sql_run(st);
}

static bool apply(struct sql_conn *c, const struct migration *m, int64_t now_ms, struct err *err)
{
	if (sql_control(c, SQL_BEGIN) && sql_script(c, m->sql) && note_applied(c, m, now_ms) &&
		sql_control(c, SQL_COMMIT))
		return true;
	sql_error(c, err);
	sql_rollback(c);
	return err_wrap(err, "the database can't be brought to version %d (%s)", m->version,
		m->description);
}

bool migrations_apply(struct sql_conn *c, const struct migration *table, size_t n, int64_t now_ms,
	struct err *err)
{
	int64_t version = 0;

	if (!sql_script(c, migration_table))
		return sql_error(c, err);
	if (!last_version(c, &version, err))
		return false;
	if (version > (int64_t)n) {
		err_set(err, ERR_STORE,
			"the database was written by a newer program: its tables have version "
			"%lld, "
			"this program knows %zu",
			(long long)version, n);
		return err_hint(err,
			"run the newer program again, or restore a backup made before it");
	}
	for (size_t i = (size_t)version; i < n; i++) {
		CHECK(table[i].version == (int)i + 1);
		if (!apply(c, &table[i], now_ms, err))
			return false;
	}
	return true;
}

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

/* Leases, waiting, and what survives a restart: pages in work, events, schedules, state. */
static const char version_2[] =
	"ALTER TABLE job ADD COLUMN due_ms INTEGER NOT NULL DEFAULT 0;\n"
	"ALTER TABLE job ADD COLUMN retry_of_job_id TEXT;\n"
	"ALTER TABLE job ADD COLUMN waiting_for TEXT;\n"
	"ALTER TABLE job ADD COLUMN not_before_ms INTEGER NOT NULL DEFAULT 0;\n"
	"ALTER TABLE job ADD COLUMN canceled_by TEXT;\n"
	"ALTER TABLE job ADD COLUMN config_hash TEXT;\n"
	"ALTER TABLE job ADD COLUMN fence INTEGER NOT NULL DEFAULT 0;\n"
	"ALTER TABLE job ADD COLUMN lease_owner TEXT;\n"
	"ALTER TABLE job ADD COLUMN lease_until_ms INTEGER NOT NULL DEFAULT 0;\n"

	"ALTER TABLE job_error ADD COLUMN fingerprint TEXT;\n"
	"ALTER TABLE job_error ADD COLUMN classification TEXT;\n"
	"ALTER TABLE job_error ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1;\n"
	"ALTER TABLE job_error ADD COLUMN retry_job_id TEXT;\n"
	"ALTER TABLE job_error ADD COLUMN next_retry_ms INTEGER NOT NULL DEFAULT 0;\n"
	"ALTER TABLE job_error ADD COLUMN resolved_ms INTEGER NOT NULL DEFAULT 0;\n"
	"ALTER TABLE job_error ADD COLUMN resolved_by TEXT;\n"
	"CREATE INDEX job_error_flow ON job_error\n"
	"	(account_id, flow_id, created_ms, record_index, id);\n"
	"CREATE INDEX job_error_retry_job ON job_error\n"
	"	(account_id, retry_job_id, created_ms, record_index, id) WHERE retry_job_id IS NOT "
	"NULL;\n"
	"CREATE INDEX job_error_retry ON job_error (account_id, retry_id)\n"
	"	WHERE retry_id IS NOT NULL;\n"
	"CREATE INDEX job_error_next_retry ON job_error (next_retry_ms) WHERE next_retry_ms > 0;\n"

	"CREATE TABLE job_page (\n"
	"	account_id TEXT NOT NULL,\n"
	"	job_id TEXT NOT NULL,\n"
	"	page_index INTEGER NOT NULL,\n"
	"	step INTEGER NOT NULL,\n"
	"	waiting INTEGER NOT NULL,\n"
	"	body TEXT NOT NULL,\n"
	"	PRIMARY KEY (account_id, job_id),\n"
	"	FOREIGN KEY (account_id, job_id) REFERENCES job (account_id, id)\n"
	") STRICT;\n"
	"CREATE TABLE job_config (\n"
	"	account_id TEXT NOT NULL REFERENCES account (id),\n"
	"	hash TEXT NOT NULL,\n"
	"	created_ms INTEGER NOT NULL,\n"
	"	config TEXT NOT NULL,\n"
	"	PRIMARY KEY (account_id, hash)\n"
	") STRICT;\n"

	"CREATE TABLE sequence (\n"
	"	name TEXT NOT NULL PRIMARY KEY,\n"
	"	value INTEGER NOT NULL\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE TABLE event (\n"
	"	account_id TEXT NOT NULL REFERENCES account (id),\n"
	"	export_id TEXT NOT NULL,\n"
	"	seq INTEGER NOT NULL,\n"
	"	event_id TEXT,\n"
	"	received_ms INTEGER NOT NULL,\n"
	"	body BLOB NOT NULL,\n"
	"	PRIMARY KEY (account_id, export_id, seq)\n"
	") STRICT;\n"
	"CREATE TABLE event_seen (\n"
	"	account_id TEXT NOT NULL,\n"
	"	export_id TEXT NOT NULL,\n"
	"	event_id TEXT NOT NULL,\n"
	"	seen_ms INTEGER NOT NULL,\n"
	"	PRIMARY KEY (account_id, export_id, event_id)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE INDEX event_seen_ms ON event_seen (seen_ms);\n"
	"CREATE TABLE listener (\n"
	"	account_id TEXT NOT NULL,\n"
	"	export_id TEXT NOT NULL,\n"
	"	flow_id TEXT NOT NULL,\n"
	"	seq INTEGER NOT NULL,\n"
	"	PRIMARY KEY (account_id, export_id, flow_id)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE INDEX listener_flow ON listener (account_id, flow_id);\n"

	"CREATE TABLE schedule_slot (\n"
	"	account_id TEXT NOT NULL,\n"
	"	flow_id TEXT NOT NULL,\n"
	"	due_ms INTEGER NOT NULL,\n"
	"	taken_ms INTEGER NOT NULL,\n"
	"	job_id TEXT NOT NULL,\n"
	"	PRIMARY KEY (account_id, flow_id, due_ms)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE INDEX schedule_slot_taken ON schedule_slot (taken_ms);\n"
	"CREATE TABLE export_state (\n"
	"	account_id TEXT NOT NULL,\n"
	"	flow_id TEXT NOT NULL,\n"
	"	export_id TEXT NOT NULL,\n"
	"	last_export_ms INTEGER NOT NULL,\n"
	"	PRIMARY KEY (account_id, flow_id, export_id)\n"
	") STRICT, WITHOUT ROWID;\n"

	"CREATE TABLE connection_probe (\n"
	"	account_id TEXT NOT NULL,\n"
	"	connection_id TEXT NOT NULL,\n"
	"	since_ms INTEGER NOT NULL,\n"
	"	PRIMARY KEY (account_id, connection_id)\n"
	") STRICT, WITHOUT ROWID;\n"

	"CREATE TABLE state (\n"
	"	account_id TEXT NOT NULL REFERENCES account (id),\n"
	"	scope TEXT NOT NULL,\n"
	"	key TEXT NOT NULL,\n"
	"	value TEXT NOT NULL,\n"
	"	modified_ms INTEGER NOT NULL,\n"
	"	PRIMARY KEY (account_id, scope, key)\n"
	") STRICT;\n";

/* Retention. */
static const char version_3[] = "CREATE INDEX job_purge ON job (purge_ms)\n"
				"	WHERE flow_job_id IS NULL AND purge_ms > 0;\n"
				"CREATE INDEX job_config_hash ON job (account_id, config_hash)\n"
				"	WHERE config_hash IS NOT NULL;\n"
				"CREATE INDEX job_config_created ON job_config (created_ms);\n";

/* Which child of a retry an error failed in again: there it counts as open, too. */
static const char version_4[] = "ALTER TABLE job_error ADD COLUMN again_job_id TEXT;\n";

/* For whom a page waits, and how much of it: found without its body. */
static const char version_5[] =
	"ALTER TABLE job_page ADD COLUMN connection_id TEXT;\n"
	"ALTER TABLE job_page ADD COLUMN records INTEGER NOT NULL DEFAULT 0;\n"
	"CREATE INDEX job_page_connection ON job_page (account_id, connection_id, records)\n"
	"	WHERE connection_id IS NOT NULL;\n";

/* When a connection is probed next, so that no process need keep all of them in mind. */
static const char version_6[] =
	"ALTER TABLE connection_probe ADD COLUMN due_ms INTEGER NOT NULL DEFAULT 0;\n"
	"ALTER TABLE connection_probe ADD COLUMN pause_ms INTEGER NOT NULL DEFAULT 0;\n"
	"CREATE INDEX connection_probe_due ON connection_probe (due_ms);\n";

/* Actions on many errors, until they are done. */
static const char version_7[] =
	"CREATE TABLE error_action (\n"
	"	account_id TEXT NOT NULL REFERENCES account (id),\n"
	"	id TEXT NOT NULL,\n"
	"	created_ms INTEGER NOT NULL,\n"
	"	body TEXT NOT NULL,\n"
	"	PRIMARY KEY (account_id, id)\n"
	") STRICT;\n"
	"CREATE INDEX error_action_created ON error_action (created_ms, id);\n";

const struct migration migrations[] = {
	{ 1, "accounts, tokens, resources, jobs, errors, retry data, kept answers", version_1 },
	{ 2, "leases and waiting jobs, pages in work, events, schedules, state", version_2 },
	{ 3, "indexes by which old jobs are found", version_3 },
	{ 4, "the retry that an error failed in again", version_4 },
	{ 5, "what waits for a connection", version_5 },
	{ 6, "when connections are probed", version_6 },
	{ 7, "actions on many errors that are not done yet", version_7 },
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

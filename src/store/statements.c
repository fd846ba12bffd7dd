/*
 * statements.c - the texts. Columns of a table are listed once, in the order of its row table
 * (row.c); a list that filters has one text per column that can lead it, chosen by the
 * caller, because one text for all would lead the planner to walk the whole account.
 */
#include "store/statements.h"

#include "core/base.h"

#define ACCOUNT_COLUMNS "id, name, created_ms, rate_bucket, rate_refill"

#define TOKEN_COLUMNS                                                                       \
	"t.account_id, t.id, t.name, t.scope, t.connector_id, t.created_ms, t.expires_ms, " \
	"a.rate_bucket, a.rate_refill"

#define RESOURCE_COLUMNS                                                              \
	"account_id, type, id, created_ms, version, modified_ms, name, external_id, " \
	"integration_id, connector_id, api_identifier, document"

/* clang-format off */

/* "One of": the values come as one JSON array. */
#define ONE_OF_SQLITE(column, n) column " IN (SELECT value FROM json_each(?" n "))"
#define ONE_OF_PGSQL(column, n) \
	column " IN (SELECT jsonb_array_elements_text(CAST(?" n " AS jsonb)))"

/* A filter that is set, and one that may be. */
#define MUST(column, n, ONE_OF)  " AND " ONE_OF(column, n)
#define MAYBE(column, n, ONE_OF) " AND (CAST(?" n " AS TEXT) IS NULL OR " ONE_OF(column, n) ")"

#define RESOURCE_LIST_IN(created, ONE_OF, by_name, by_external_id, by_integration, by_connector) \
	"SELECT " RESOURCE_COLUMNS " FROM resource " \
	"WHERE account_id = ?1 AND type = ?2 AND (" created ", id) > (?3, ?4)" \
	by_name("name", "5", ONE_OF) \
	by_external_id("external_id", "6", ONE_OF) \
	by_integration("integration_id", "7", ONE_OF) \
	by_connector("connector_id", "8", ONE_OF) \
	" ORDER BY " created ", id LIMIT ?9"
#define RESOURCE_LIST(created, n, e, i, c) \
	{ RESOURCE_LIST_IN(created, ONE_OF_SQLITE, n, e, i, c), \
	  RESOURCE_LIST_IN(created, ONE_OF_PGSQL, n, e, i, c) }
/* The sum keeps the planner from walking all in order of creation to find the few. */
#define BY_CREATION "created_ms"
#define BY_FILTER   "created_ms + 0"

/* What is settled when a job is made, and what may change later. */
#define JOB_FIXED \
	"account_id, id, type, flow_id, export_id, import_id, integration_id, flow_job_id, " \
	"created_ms, order_index, started_by, due_ms, retry_of_job_id"
#define JOB_MUTABLE \
	"status, started_ms, ended_ms, modified_ms, purge_ms, num_error, num_success, " \
	"num_ignore, num_export, pages_generated, pages_processed, " \
	"done_exporting, retriable, attempts, exported, succeeded, ignored, failed, in_flight, " \
	"zero_reason, error_code, error_message, cursor_json, waiting_for, not_before_ms, " \
	"config_hash"
#define JOB_COLUMNS JOB_FIXED ", " JOB_MUTABLE \
	", canceled_by, fence, lease_until_ms, num_resolved, num_open_error"

#define JOB_IN_WORK "('running', 'retrying', 'canceling')"

/* One whose errors are being handed to it is not ready. */
#define JOB_READY \
	"NOT EXISTS (SELECT 1 FROM error_action x WHERE x.account_id = q.account_id " \
	"AND x.id = q.id)"
/* A job that was begun and waits counts as in work: its flow's next run waits for it. */
#define JOB_CLAIMABLE \
	"q.status = 'queued' AND q.type IN ('flow', 'retry') AND " JOB_READY \
	" AND NOT EXISTS (SELECT 1 FROM job w " \
	"WHERE w.account_id = q.account_id AND w.flow_id = q.flow_id " \
	"AND w.status IN " JOB_IN_WORK " AND w.type IN ('flow', 'retry')) " \
	"AND (q.started_ms > 0 OR NOT EXISTS (SELECT 1 FROM job b " \
	"WHERE b.account_id = q.account_id AND b.flow_id = q.flow_id AND b.status = 'queued' " \
	"AND b.started_ms > 0))"
#define JOB_CLAIM(lock) \
	"UPDATE job SET status = CASE WHEN type = 'retry' THEN 'retrying' ELSE 'running' END, " \
	"attempts = attempts + 1, modified_ms = ?1, fence = fence + 1, lease_owner = ?2, " \
	"lease_until_ms = ?3, not_before_ms = 0, " \
	"started_ms = CASE WHEN started_ms = 0 THEN ?1 ELSE started_ms END " \
	"WHERE (account_id, id) = (SELECT q.account_id, q.id FROM job q " \
	"WHERE q.not_before_ms <= ?1 AND " JOB_CLAIMABLE \
	" ORDER BY q.created_ms, q.id LIMIT 1" lock ") " \
	"RETURNING " JOB_COLUMNS

#define JOB_HEARTBEAT(ONE_OF) \
	"UPDATE job SET lease_until_ms = ?2 WHERE lease_owner = ?1 AND status IN " JOB_IN_WORK \
	" AND " ONE_OF("id", "3")

#define JOB_MUST(column, n)  " AND " column " = ?" n
#define JOB_MAYBE(column, n) " AND (CAST(?" n " AS TEXT) IS NULL OR " column " = ?" n ")"
#define JOB_HAS_RETRY(column) \
	"EXISTS (SELECT 1 FROM job_error e WHERE e.account_id = job.account_id AND " \
	"e." column " = job.id AND e.resolved = 0 AND COALESCE(e.retry_id, '') <> '')"
#define JOB_LIST_IN(ONE_OF, by_flow_job, by_flow, by_export, by_import, by_integration) \
	"SELECT " JOB_COLUMNS " FROM job WHERE account_id = ?1 " \
	"AND created_ms >= ?2 AND created_ms <= ?3" \
	by_flow_job("flow_job_id", "4") \
	by_flow("flow_id", "5") \
	by_export("export_id", "6") \
	by_import("import_id", "7") \
	by_integration("integration_id", "8") \
	JOB_MAYBE("status", "9") \
	JOB_MAYBE("type", "10") \
	" AND (?11 = 0 OR flow_job_id IS NULL)" \
	MAYBE("status", "13", ONE_OF) MAYBE("type", "14", ONE_OF) MAYBE("flow_id", "15", ONE_OF) \
	" AND num_success BETWEEN ?16 AND ?17 AND num_export BETWEEN ?18 AND ?19" \
	" AND num_ignore BETWEEN ?20 AND ?21 AND num_error BETWEEN ?22 AND ?23" \
	" AND (created_ms < ?24 OR id < ?25)" \
	JOB_MAYBE("id", "26") \
	" AND (?27 = 0 OR ?27 = CASE WHEN num_open_error > 0 AND (" JOB_HAS_RETRY("root_job_id") \
	" OR " JOB_HAS_RETRY("job_id") ") THEN 1 ELSE 2 END) " \
	"ORDER BY created_ms DESC, id DESC LIMIT ?12"
#define JOB_LIST(j, f, e, i, t) \
	{ JOB_LIST_IN(ONE_OF_SQLITE, j, f, e, i, t), JOB_LIST_IN(ONE_OF_PGSQL, j, f, e, i, t) }

#define JOB_ERROR_COLUMNS \
	"account_id, id, job_id, flow_job_id, flow_id, step_id, created_ms, stage, source, code, " \
	"message, field, hint, trace_key, record_index, request, response, resolved, retry_id, " \
	"fingerprint, classification, attempts, retry_job_id, next_retry_ms, resolved_ms, resolved_by"

#define JOB_ERROR_LIST(by) \
	{ "SELECT " JOB_ERROR_COLUMNS " FROM job_error WHERE account_id = ?1 AND " by " = ?2 " \
	  "AND (created_ms, record_index, id) > (?3, ?4, ?5) " \
	  "ORDER BY created_ms, record_index, id LIMIT ?6" }

/* Bulk work on errors: a filter of ?1 to ?14, led by a job, a flow or a list of ids. */
#define ERROR_BY_JOB(ONE_OF)  "(root_job_id = ?2 OR job_id = ?2)"
#define ERROR_BY_ONE_JOB(ONE_OF) "job_id = ?2"
#define ERROR_BY_FLOW_JOB(ONE_OF) "root_job_id = ?2"
#define ERROR_BY_FLOW(ONE_OF) "flow_id = ?3"
#define ERROR_BY_IDS(ONE_OF)  ONE_OF("id", "10")
#define ERROR_MAYBE(column, n) " AND (CAST(?" n " AS TEXT) IS NULL OR " column " = ?" n ")"
#define ERROR_MATCHES(LEAD, ONE_OF) \
	"account_id = ?1 AND " LEAD(ONE_OF) \
	" AND (CAST(?2 AS TEXT) IS NULL OR root_job_id = ?2 OR job_id = ?2)" \
	ERROR_MAYBE("flow_id", "3") ERROR_MAYBE("step_id", "4") ERROR_MAYBE("fingerprint", "5") \
	ERROR_MAYBE("code", "6") ERROR_MAYBE("source", "7") ERROR_MAYBE("classification", "8") \
	ERROR_MAYBE("trace_key", "9") MAYBE("id", "10", ONE_OF) \
	" AND (?11 = 2 OR resolved = ?11)" \
	" AND (CAST(?14 AS BIGINT) = 0 OR (next_retry_ms > 0 AND next_retry_ms <= ?14))"
#define ERROR_WHERE(LEAD, ONE_OF) \
	ERROR_MATCHES(LEAD, ONE_OF) " AND created_ms >= ?12 AND created_ms <= ?13"
/* "+": the index is entered at the place; by ?12 each page would begin with all that are before it. */
#define ERROR_BEHIND(LEAD, ONE_OF) \
	ERROR_MATCHES(LEAD, ONE_OF) " AND +created_ms >= ?12 AND +created_ms <= ?13" \
	" AND (created_ms, record_index, id) > (?15, ?16, ?17)"
/* Not "IS NOT NULL": that would lead the planner by the index of all that have retry data. */
#define ERROR_RETRIABLE \
	" AND resolved = 0 AND COALESCE(retry_id, '') <> '' AND retry_job_id IS NULL"
#define ERROR_BOTH(IN, LEAD) { IN(LEAD, ONE_OF_SQLITE), IN(LEAD, ONE_OF_PGSQL) }

#define ERROR_LIST_IN(LEAD, ONE_OF) \
	"SELECT " JOB_ERROR_COLUMNS " FROM job_error WHERE " ERROR_BEHIND(LEAD, ONE_OF) \
	" ORDER BY created_ms, record_index, id LIMIT ?18"
#define ERROR_IDS_IN(LEAD, ONE_OF) \
	"SELECT id, created_ms, record_index FROM job_error WHERE " ERROR_BEHIND(LEAD, ONE_OF) \
	" ORDER BY created_ms, record_index, id LIMIT ?18"
#define ERROR_SUM_IN(LEAD, ONE_OF) \
	"SELECT step_id, COUNT(*), SUM(CASE WHEN resolved = 0 AND retry_id IS NOT NULL AND " \
	"retry_job_id IS NULL THEN 1 ELSE 0 END), MIN(created_ms), MAX(created_ms) " \
	"FROM job_error WHERE " ERROR_WHERE(LEAD, ONE_OF) " GROUP BY step_id ORDER BY step_id"
#define ERROR_RESOLVE_IN(LEAD, ONE_OF) \
	"UPDATE job_error SET resolved = ?15, resolved_ms = ?16, resolved_by = ?17, " \
	"retry_job_id = NULL, next_retry_ms = 0 WHERE " ERROR_WHERE(LEAD, ONE_OF)
/* With the jobs that have them, and the retries that they failed in again. ?15: 1 when they will be resolved,
 * -1 when they will be open again. */
#define ERROR_ADJUST_IN(LEAD, ONE_OF) \
	"UPDATE job SET num_resolved = num_resolved + ?15 * n.errors, " \
	"num_open_error = num_open_error - ?15 * n.errors, modified_ms = ?16 " \
	"FROM (WITH g AS (SELECT job_id, flow_job_id, again_job_id, COUNT(*) AS errors " \
	"FROM job_error WHERE " ERROR_WHERE(LEAD, ONE_OF) \
	" GROUP BY job_id, flow_job_id, again_job_id) " \
	"SELECT owner, SUM(errors) AS errors FROM (" \
	"SELECT job_id AS owner, errors FROM g " \
	"UNION ALL SELECT flow_job_id, errors FROM g " \
	"UNION ALL SELECT again_job_id, errors FROM g " \
	"UNION ALL SELECT a.flow_job_id, g.errors FROM g JOIN job a ON a.account_id = ?1 " \
	"AND a.id = g.again_job_id) AS o WHERE owner IS NOT NULL GROUP BY owner) AS n " \
	"WHERE job.account_id = ?1 AND job.id = n.owner"
#define ERROR_MARK_IN(LEAD, ONE_OF) \
	"UPDATE job_error SET retry_job_id = ?15, next_retry_ms = 0 WHERE " \
	ERROR_WHERE(LEAD, ONE_OF) ERROR_RETRIABLE
#define ERROR_FLOWS_IN(LEAD, ONE_OF) \
	"SELECT DISTINCT flow_id FROM job_error WHERE flow_id IS NOT NULL AND " \
	ERROR_WHERE(LEAD, ONE_OF) ERROR_RETRIABLE

/* clang-format on */

static const struct statement texts[STATEMENT_COUNT] = {
	[STMT_MIGRATION_LAST] = { "SELECT COALESCE(MAX(version), 0) FROM migration" },
	[STMT_MIGRATION_ADD] = { "INSERT INTO migration (version, description, applied_ms) "
				 "VALUES (?1, ?2, ?3)" },

	[STMT_SETTING_GET] = { "SELECT value FROM setting WHERE key = ?1" },
	[STMT_SETTING_PUT] = { "INSERT INTO setting (key, value) VALUES (?1, ?2) "
			       "ON CONFLICT (key) DO UPDATE SET value = excluded.value" },

	[STMT_ACCOUNT_ADD] = { "INSERT INTO account (" ACCOUNT_COLUMNS ") "
			       "VALUES (?1, ?2, ?3, ?4, ?5)" },
	[STMT_ACCOUNT_UPDATE] = { "UPDATE account SET name = ?2, rate_bucket = ?3, "
				  "rate_refill = ?4 WHERE id = ?1" },
	/* A name may look like another's id: the id wins. */
	[STMT_ACCOUNT_GET] = { "SELECT " ACCOUNT_COLUMNS " FROM account WHERE id = ?1 OR name = ?1 "
			       "ORDER BY CASE WHEN id = ?1 THEN 0 ELSE 1 END LIMIT 1" },
	[STMT_ACCOUNT_LIST] = { "SELECT " ACCOUNT_COLUMNS " FROM account ORDER BY created_ms, id" },

	[STMT_TOKEN_ADD] = { "INSERT INTO token (account_id, id, name, scope, connector_id, "
			     "created_ms, expires_ms, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, "
			     "?8)" },
	[STMT_TOKEN_FIND] = { "SELECT " TOKEN_COLUMNS " FROM token t JOIN account a "
			      "ON a.id = t.account_id WHERE t.hash = ?1" },
	[STMT_TOKEN_LIST] = { "SELECT " TOKEN_COLUMNS " FROM token t JOIN account a "
			      "ON a.id = t.account_id WHERE t.account_id = ?1 "
			      "ORDER BY t.created_ms, t.id" },
	[STMT_TOKEN_REMOVE] = { "DELETE FROM token WHERE account_id = ?1 AND id = ?2" },

	[STMT_RESOURCE_ADD] = { "INSERT INTO resource (" RESOURCE_COLUMNS ") "
				"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)" },
	[STMT_RESOURCE_UPDATE] = { "UPDATE resource SET version = version + 1, "
				   "modified_ms = ?5, name = ?6, external_id = ?7, "
				   "integration_id = ?8, connector_id = ?9, api_identifier = ?10, "
				   "document = ?11 WHERE account_id = ?1 AND type = ?2 AND id = ?3 "
				   "AND version = ?4" },
	[STMT_RESOURCE_REMOVE] = { "DELETE FROM resource WHERE account_id = ?1 AND type = ?2 "
				   "AND id = ?3 AND (?4 = 0 OR version = ?4)" },
	[STMT_RESOURCE_GET] = { "SELECT " RESOURCE_COLUMNS " FROM resource "
				"WHERE account_id = ?1 AND type = ?2 AND id = ?3" },
	[STMT_RESOURCE_BY_API_IDENTIFIER] = { "SELECT " RESOURCE_COLUMNS " FROM resource "
					      "WHERE account_id = ?1 AND api_identifier = ?2" },
	[STMT_RESOURCE_BY_ANY_IDENTIFIER] = { "SELECT " RESOURCE_COLUMNS " FROM resource "
					      "WHERE api_identifier = ?1 AND type = 'export'" },
	[STMT_EXPORT_BY_ID] = { "SELECT " RESOURCE_COLUMNS " FROM resource "
				"WHERE account_id IN (SELECT id FROM account) "
				"AND type = 'export' AND id = ?1 LIMIT 1" },
	[STMT_RESOURCE_VERSION] = { "SELECT version FROM resource "
				    "WHERE account_id = ?1 AND type = ?2 AND id = ?3" },
	[STMT_RESOURCE_CREATED] = { "SELECT created_ms FROM resource "
				    "WHERE account_id = ?1 AND type = ?2 AND id = ?3" },
	[STMT_RESOURCE_LIST] = RESOURCE_LIST(BY_CREATION, MAYBE, MAYBE, MAYBE, MAYBE),
	[STMT_RESOURCE_LIST_BY_NAME] = RESOURCE_LIST(BY_FILTER, MUST, MAYBE, MAYBE, MAYBE),
	[STMT_RESOURCE_LIST_BY_EXTERNAL_ID] = RESOURCE_LIST(BY_FILTER, MAYBE, MUST, MAYBE, MAYBE),
	[STMT_RESOURCE_LIST_BY_INTEGRATION] = RESOURCE_LIST(BY_FILTER, MAYBE, MAYBE, MUST, MAYBE),
	[STMT_RESOURCE_LIST_BY_CONNECTOR] = RESOURCE_LIST(BY_FILTER, MAYBE, MAYBE, MAYBE, MUST),
	[STMT_RESOURCE_REFERRERS] = { "SELECT DISTINCT r.account_id, r.type, r.id, r.created_ms, "
				      "r.version, r.modified_ms, r.name, r.external_id, "
				      "r.integration_id, r.connector_id, r.api_identifier, NULL "
				      "FROM resource_ref f JOIN resource r "
				      "ON r.account_id = f.account_id AND r.type = f.type "
				      "AND r.id = f.id WHERE f.account_id = ?1 "
				      "AND f.target_type = ?2 AND f.target_id = ?3 "
				      "AND NOT (f.type = ?2 AND f.id = ?3) "
				      "ORDER BY r.created_ms, r.id, r.type" },
	[STMT_REF_ADD] = { "INSERT INTO resource_ref (account_id, type, id, field, target_type, "
			   "target_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING" },
	[STMT_REF_REMOVE_ALL] = { "DELETE FROM resource_ref "
				  "WHERE account_id = ?1 AND type = ?2 AND id = ?3" },

	[STMT_JOB_ADD] = { "INSERT INTO job (" JOB_FIXED ", " JOB_MUTABLE
			   ", num_resolved, num_open_error) VALUES ("
			   "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
			   "?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, "
			   "?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, "
			   "?36, ?37, ?38, ?39, 0, ?19)" },
	/*
	 * A request to cancel stays until the job ends or goes back into the queue, where it waits
	 * for nothing then. Errors may be resolved while the job runs: how many are open follows
	 * from that.
	 */
	[STMT_JOB_UPDATE] = { "UPDATE job SET (" JOB_MUTABLE ", num_open_error) = ("
			      "CASE WHEN status = 'canceling' AND ?3 IN ('running', 'retrying') "
			      "THEN 'canceling' ELSE ?3 END, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
			      "?12, ?13, ?14, ?15, "
			      "?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, "
			      "CASE WHEN canceled_by IS NULL THEN ?27 ELSE 0 END, ?28, "
			      "?8 - num_resolved) WHERE account_id = ?1 AND id = ?2 AND fence = "
			      "?29" },
	[STMT_JOB_GET] = { "SELECT " JOB_COLUMNS " FROM job WHERE account_id = ?1 AND id = ?2" },
	[STMT_JOB_QUEUED_OF_FLOW] = { "SELECT " JOB_COLUMNS " FROM job WHERE account_id = ?1 "
				      "AND flow_id = ?2 AND status = 'queued' AND type = 'flow' "
				      "AND started_ms = 0 ORDER BY created_ms, id LIMIT 1" },
	/* Those in work, then those that wait: each by an index that holds few rows. */
	[STMT_JOB_BEFORE] = { "SELECT " JOB_COLUMNS
			      " FROM job WHERE account_id = ?1 AND id = (SELECT id FROM ("
			      "SELECT 0 AS waits, created_ms, id FROM job WHERE account_id = ?1 "
			      "AND flow_id = ?2 AND id <> ?3 AND type IN ('flow', 'retry') "
			      "AND status IN " JOB_IN_WORK
			      " UNION ALL SELECT 1, created_ms, id FROM job WHERE account_id = ?1 "
			      "AND flow_id = ?2 AND id <> ?3 AND type IN ('flow', 'retry') "
			      "AND status = 'queued' AND started_ms > 0) AS o "
			      "ORDER BY waits, created_ms, id LIMIT 1)" },
	[STMT_JOB_OF_FLOW] = { "SELECT 1 FROM job WHERE account_id = ?1 AND flow_id = ?2 "
			       "AND status = 'queued' AND type = 'flow' "
			       "UNION ALL SELECT 1 FROM job WHERE account_id = ?1 AND flow_id = ?2 "
			       "AND status IN " JOB_IN_WORK " AND type = 'flow' LIMIT 1" },
	[STMT_JOB_LAST_RUN] = { "SELECT started_ms FROM job WHERE account_id = ?1 AND flow_id = ?2 "
				"AND type = 'flow' AND started_ms > 0 "
				"ORDER BY created_ms DESC, id DESC LIMIT 1" },
	[STMT_JOB_CLAIM] = { JOB_CLAIM(""), JOB_CLAIM(" FOR UPDATE SKIP LOCKED") },
	[STMT_JOB_NEXT] = { "SELECT MIN(not_before_ms) FROM job q WHERE " JOB_CLAIMABLE },
	[STMT_JOB_HEARTBEAT] = { JOB_HEARTBEAT(ONE_OF_SQLITE), JOB_HEARTBEAT(ONE_OF_PGSQL) },
	/* The job keeps what it has: its page, cursor and counts. */
	[STMT_JOB_RECLAIM] = { "UPDATE job SET status = 'queued', not_before_ms = 0, "
			       "waiting_for = NULL, modified_ms = ?1 WHERE status IN " JOB_IN_WORK
			       " AND type IN ('flow', 'retry') AND (lease_until_ms < ?1 OR "
			       "(CAST(?2 AS TEXT) IS NOT NULL AND lease_owner <> ?2))" },
	/* Written at a time that is yet to come: the clock was set back, and the wait is as long as it was. */
	[STMT_JOB_CLOCK_WAIT] = { "UPDATE job SET not_before_ms = ?1 + not_before_ms - "
				  "modified_ms, "
				  "modified_ms = ?1 WHERE status = 'queued' "
				  "AND modified_ms > ?1 + ?2 AND not_before_ms > ?1" },
	[STMT_JOB_CLOCK_LEASE] = { "UPDATE job SET lease_until_ms = ?1 + ?2 WHERE status "
				   "IN " JOB_IN_WORK " AND lease_until_ms > ?1 + 2 * ?2" },
	/* As reclaimed, but the attempt need not count. */
	[STMT_JOB_GIVE_BACK] = { "UPDATE job SET status = 'queued', not_before_ms = ?4, "
				 "waiting_for = NULL, attempts = CASE WHEN ?5 = 0 AND attempts > 0 "
				 "THEN attempts - 1 ELSE attempts END "
				 "WHERE account_id = ?1 AND id = ?2 AND fence = ?3 "
				 "AND status IN " JOB_IN_WORK },
	/* A queued job that was never begun ends at once; one that was goes through its worker. */
	[STMT_JOB_CANCEL] = { "UPDATE job SET canceled_by = ?3, modified_ms = ?4, not_before_ms = "
			      "0, "
			      "ended_ms = CASE WHEN status = 'queued' AND started_ms = 0 THEN ?4 "
			      "ELSE ended_ms END, status = CASE WHEN status = 'queued' THEN "
			      "CASE WHEN started_ms = 0 THEN 'canceled' ELSE 'queued' END "
			      "ELSE 'canceling' END WHERE account_id = ?1 AND id = ?2 "
			      "AND type IN ('flow', 'retry') "
			      "AND status IN ('queued', 'running', 'retrying', 'canceling')" },
	[STMT_JOB_WAKE] = { "UPDATE job SET not_before_ms = ?3 WHERE status = 'queued' "
			    "AND account_id = ?1 AND waiting_for IS NOT NULL "
			    "AND not_before_ms > ?3 AND (CAST(?2 AS TEXT) IS NULL "
			    "OR waiting_for LIKE '%' || ?2 || '%')" },
	[STMT_JOB_CHILDREN] = { "SELECT " JOB_COLUMNS " FROM job WHERE account_id = ?1 "
				"AND flow_job_id = ?2 ORDER BY order_index, created_ms, id" },
	[STMT_JOB_LIST] = JOB_LIST(JOB_MAYBE, JOB_MAYBE, JOB_MAYBE, JOB_MAYBE, JOB_MAYBE),
	[STMT_JOB_LIST_BY_FLOW_JOB] = JOB_LIST(JOB_MUST, JOB_MAYBE, JOB_MAYBE, JOB_MAYBE,
		JOB_MAYBE),
	[STMT_JOB_LIST_BY_FLOW] = JOB_LIST(JOB_MAYBE, JOB_MUST, JOB_MAYBE, JOB_MAYBE, JOB_MAYBE),
	[STMT_JOB_LIST_BY_EXPORT] = JOB_LIST(JOB_MAYBE, JOB_MAYBE, JOB_MUST, JOB_MAYBE, JOB_MAYBE),
	[STMT_JOB_LIST_BY_IMPORT] = JOB_LIST(JOB_MAYBE, JOB_MAYBE, JOB_MAYBE, JOB_MUST, JOB_MAYBE),
	[STMT_JOB_LIST_BY_INTEGRATION] = JOB_LIST(JOB_MAYBE, JOB_MAYBE, JOB_MAYBE, JOB_MAYBE,
		JOB_MUST),
	[STMT_JOB_CREATED] = { "SELECT created_ms FROM job WHERE account_id = ?1 AND id = ?2" },
	[STMT_JOB_IS_CHILD] = { "SELECT 1 FROM job WHERE account_id = ?1 AND id = ?2 "
				"AND flow_job_id IS NOT NULL" },

	/* root_job_id: the flow job's id, or the job's own where there is none. */
	[STMT_JOB_ERROR_ADD] = { "INSERT INTO job_error (" JOB_ERROR_COLUMNS
				 ", root_job_id) VALUES ("
				 "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
				 "?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, "
				 "?25, ?26, COALESCE(?4, ?3))" },
	[STMT_JOB_ERROR_AGAIN] = { "UPDATE job_error SET stage = ?3, source = ?4, code = ?5, "
				   "message = ?6, field = ?7, hint = ?8, request = ?9, "
				   "response = ?10, fingerprint = ?11, classification = ?12, "
				   "step_id = COALESCE(?14, step_id), again_job_id = ?15, "
				   "retry_job_id = NULL, next_retry_ms = CASE WHEN CAST(?13 AS "
				   "BIGINT) = 0 THEN 0 "
				   "WHEN attempts = 1 THEN ?13 + 1800000 WHEN attempts = 2 THEN "
				   "?13 + 7200000 ELSE 0 END, attempts = attempts + 1 "
				   "WHERE account_id = ?1 AND id = ?2" },
	[STMT_JOB_ERROR_RESOLVE] = { "UPDATE job_error SET resolved = 1, resolved_ms = ?3, "
				     "resolved_by = ?4, retry_job_id = NULL, next_retry_ms = 0 "
				     "WHERE account_id = ?1 AND id = ?2 AND resolved = 0" },
	/* An error of an export, or of a response mapping, is none of the ledger's failures. */
	[STMT_JOB_CREDIT] = { "UPDATE job SET num_resolved = num_resolved + 1, "
			      "num_open_error = num_open_error - 1, num_success = num_success + 1, "
			      "failed = job.failed - n.records, "
			      "succeeded = job.succeeded + n.records, modified_ms = ?3 "
			      "FROM (SELECT e.job_id, e.flow_job_id, "
			      "CASE WHEN j.failed > 0 THEN 1 ELSE 0 END AS records "
			      "FROM job_error e JOIN job j ON j.account_id = e.account_id "
			      "AND j.id = e.job_id WHERE e.account_id = ?1 AND e.id = ?2) AS n "
			      "WHERE job.account_id = ?1 AND job.id IN (n.job_id, n.flow_job_id)" },
	/* The retry that it failed in again, when its state is ?4: one open error less there. */
	[STMT_JOB_AGAIN_SETTLED] = { "UPDATE job SET num_resolved = num_resolved + 1, "
				     "num_open_error = num_open_error - 1, modified_ms = ?3 "
				     "FROM (SELECT a.id, a.flow_job_id FROM job_error e "
				     "JOIN job a ON a.account_id = e.account_id "
				     "AND a.id = e.again_job_id WHERE e.account_id = ?1 "
				     "AND e.id = ?2 AND e.resolved = ?4) AS n "
				     "WHERE job.account_id = ?1 "
				     "AND job.id IN (n.id, n.flow_job_id)" },
	[STMT_ERROR_LIST_BY_JOB] = ERROR_BOTH(ERROR_LIST_IN, ERROR_BY_ONE_JOB),
	[STMT_ERROR_LIST_BY_FLOW] = ERROR_BOTH(ERROR_LIST_IN, ERROR_BY_FLOW),
	[STMT_ERROR_LIST_BY_IDS] = ERROR_BOTH(ERROR_LIST_IN, ERROR_BY_IDS),
	[STMT_ERROR_LIST_BY_FLOW_JOB] = ERROR_BOTH(ERROR_LIST_IN, ERROR_BY_FLOW_JOB),
	[STMT_ERROR_IDS_BY_JOB] = ERROR_BOTH(ERROR_IDS_IN, ERROR_BY_ONE_JOB),
	[STMT_ERROR_IDS_BY_FLOW] = ERROR_BOTH(ERROR_IDS_IN, ERROR_BY_FLOW),
	[STMT_ERROR_IDS_BY_IDS] = ERROR_BOTH(ERROR_IDS_IN, ERROR_BY_IDS),
	[STMT_ERROR_IDS_BY_FLOW_JOB] = ERROR_BOTH(ERROR_IDS_IN, ERROR_BY_FLOW_JOB),
	[STMT_ACTION_PUT] = { "INSERT INTO error_action (account_id, id, created_ms, body) "
			      "VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING" },
	[STMT_ACTION_GET] = { "SELECT account_id, id, created_ms, body FROM error_action "
			      "WHERE account_id = ?1 AND id = ?2" },
	[STMT_ACTION_NEXT] = { "SELECT account_id, id, created_ms, body FROM error_action "
			       "ORDER BY created_ms, id LIMIT 1" },
	[STMT_ACTION_REMOVE] = { "DELETE FROM error_action WHERE account_id = ?1 AND id = ?2" },
	[STMT_ERROR_SUM_BY_JOB] = ERROR_BOTH(ERROR_SUM_IN, ERROR_BY_JOB),
	[STMT_ERROR_SUM_BY_FLOW] = ERROR_BOTH(ERROR_SUM_IN, ERROR_BY_FLOW),
	[STMT_ERROR_SUM_BY_IDS] = ERROR_BOTH(ERROR_SUM_IN, ERROR_BY_IDS),
	[STMT_ERROR_RESOLVE_BY_JOB] = ERROR_BOTH(ERROR_RESOLVE_IN, ERROR_BY_JOB),
	[STMT_ERROR_RESOLVE_BY_FLOW] = ERROR_BOTH(ERROR_RESOLVE_IN, ERROR_BY_FLOW),
	[STMT_ERROR_RESOLVE_BY_IDS] = ERROR_BOTH(ERROR_RESOLVE_IN, ERROR_BY_IDS),
	[STMT_ERROR_ADJUST_BY_JOB] = ERROR_BOTH(ERROR_ADJUST_IN, ERROR_BY_JOB),
	[STMT_ERROR_ADJUST_BY_FLOW] = ERROR_BOTH(ERROR_ADJUST_IN, ERROR_BY_FLOW),
	[STMT_ERROR_ADJUST_BY_IDS] = ERROR_BOTH(ERROR_ADJUST_IN, ERROR_BY_IDS),
	[STMT_ERROR_MARK_BY_JOB] = ERROR_BOTH(ERROR_MARK_IN, ERROR_BY_JOB),
	[STMT_ERROR_MARK_BY_FLOW] = ERROR_BOTH(ERROR_MARK_IN, ERROR_BY_FLOW),
	[STMT_ERROR_MARK_BY_IDS] = ERROR_BOTH(ERROR_MARK_IN, ERROR_BY_IDS),
	[STMT_ERROR_FLOWS_BY_JOB] = ERROR_BOTH(ERROR_FLOWS_IN, ERROR_BY_JOB),
	[STMT_ERROR_FLOWS_BY_FLOW] = ERROR_BOTH(ERROR_FLOWS_IN, ERROR_BY_FLOW),
	[STMT_ERROR_FLOWS_BY_IDS] = ERROR_BOTH(ERROR_FLOWS_IN, ERROR_BY_IDS),
	[STMT_ERROR_DUE] = { "SELECT DISTINCT account_id, flow_id FROM job_error WHERE "
			     "next_retry_ms > 0 "
			     "AND next_retry_ms <= ?1 AND resolved = 0 AND flow_id IS NOT NULL "
			     "LIMIT ?2" },
	[STMT_ERROR_ISSUES] = { "SELECT fingerprint, step_id, stage, source, code, classification, "
				"MAX(message), COUNT(*), MIN(created_ms), MAX(created_ms) "
				"FROM job_error WHERE account_id = ?1 AND flow_id = ?2 AND "
				"resolved = 0 "
				"GROUP BY fingerprint, step_id, stage, source, code, "
				"classification "
				"ORDER BY COUNT(*) DESC, MAX(created_ms) DESC LIMIT ?3" },
	[STMT_RETRY_DATA_PUT] = { "UPDATE retry_data SET data = ?3 WHERE account_id = ?1 AND id = "
				  "?2" },
	[STMT_RETRY_ERROR] = { "SELECT " JOB_ERROR_COLUMNS " FROM job_error WHERE account_id = ?1 "
			       "AND retry_id = ?2" },
	[STMT_RETRY_LIST] = { "SELECT e.id, e.step_id, e.created_ms, e.record_index, d.data "
			      "FROM job_error e JOIN retry_data d ON d.account_id = e.account_id "
			      "AND d.id = e.retry_id WHERE e.account_id = ?1 AND e.retry_job_id = "
			      "?2 "
			      "AND (e.created_ms, e.record_index, e.id) > (?3, ?4, ?5) "
			      "ORDER BY e.created_ms, e.record_index, e.id LIMIT ?6" },
	[STMT_RETRY_RELEASE] = { "UPDATE job_error SET retry_job_id = NULL WHERE account_id = ?1 "
				 "AND id IN (SELECT id FROM job_error WHERE account_id = ?1 AND "
				 "retry_job_id = ?2 AND EXISTS (SELECT 1 FROM job WHERE "
				 "account_id = ?1 AND id = ?2 AND ended_ms > 0) LIMIT ?3)" },
	[STMT_RETRY_DATA_OF_ERROR] = { "UPDATE retry_data SET data = ?3 WHERE account_id = ?1 AND "
				       "id = "
				       "(SELECT retry_id FROM job_error WHERE account_id = ?1 "
				       "AND id = ?2)" },
	[STMT_JOB_ERROR_PLACE] = { "SELECT created_ms, record_index FROM job_error "
				   "WHERE account_id = ?1 AND id = ?2" },
	[STMT_JOB_ERROR_LAST] = { "SELECT " JOB_ERROR_COLUMNS " FROM job_error WHERE account_id = "
				  "?1 AND root_job_id = ?2 ORDER BY created_ms DESC, "
				  "record_index DESC, id DESC LIMIT 1" },
	[STMT_JOB_ERROR_LIST_BY_JOB] = JOB_ERROR_LIST("job_id"),
	[STMT_JOB_ERROR_LIST_BY_FLOW_JOB] = JOB_ERROR_LIST("root_job_id"),
	[STMT_RETRY_DATA_ADD] = { "INSERT INTO retry_data (account_id, id, created_ms, data) "
				  "VALUES (?1, ?2, ?3, ?4)" },
	[STMT_RETRY_DATA_GET] = { "SELECT data FROM retry_data WHERE account_id = ?1 AND id = ?2" },

	[STMT_IDEMPOTENCY_GET] = { "SELECT account_id, key, created_ms, status, response, "
				   "request_hash FROM idempotency WHERE account_id = ?1 AND key = "
				   "?2 "
				   "AND created_ms > ?3" },
	/* Replaces one that is too old to count. */
	[STMT_IDEMPOTENCY_PUT] = { "INSERT INTO idempotency (account_id, key, created_ms, status, "
				   "response, request_hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6) "
				   "ON CONFLICT (account_id, key) DO UPDATE SET "
				   "created_ms = excluded.created_ms, status = excluded.status, "
				   "response = excluded.response, "
				   "request_hash = excluded.request_hash "
				   "WHERE idempotency.created_ms <= ?7" },
	[STMT_IDEMPOTENCY_FINISH] = { "UPDATE idempotency SET status = ?3, response = ?4, "
				      "created_ms = ?5 "
				      "WHERE account_id = ?1 AND key = ?2" },
	[STMT_IDEMPOTENCY_PURGE] = { "DELETE FROM idempotency WHERE (account_id, key) IN "
				     "(SELECT account_id, key FROM idempotency "
				     "WHERE created_ms <= ?1 ORDER BY created_ms LIMIT ?2)" },

	[STMT_PAGE_PUT] = { "INSERT INTO job_page (account_id, job_id, page_index, step, waiting, "
			    "body, connection_id, records) "
			    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) "
			    "ON CONFLICT (account_id, job_id) DO UPDATE SET "
			    "page_index = excluded.page_index, step = excluded.step, "
			    "waiting = excluded.waiting, body = excluded.body, "
			    "connection_id = excluded.connection_id, records = excluded.records" },
	[STMT_PAGE_GET] = { "SELECT account_id, job_id, page_index, step, waiting, body, "
			    "connection_id, records FROM job_page "
			    "WHERE account_id = ?1 AND job_id = ?2" },
	[STMT_PAGE_ANY] = { "SELECT 1 FROM job_page WHERE connection_id IS NOT NULL LIMIT 1" },
	[STMT_PAGE_WAITING] = { "SELECT connection_id, SUM(records) FROM job_page "
				"WHERE account_id = ?1 AND connection_id IS NOT NULL "
				"GROUP BY connection_id" },
	[STMT_PAGE_WAITING_OF] = { "SELECT connection_id, SUM(records) FROM job_page "
				   "WHERE account_id = ?1 AND connection_id = ?2 "
				   "GROUP BY connection_id" },
	[STMT_PAGE_REMOVE] = { "DELETE FROM job_page WHERE account_id = ?1 AND job_id = ?2" },
	[STMT_CONFIG_PUT] = { "INSERT INTO job_config (account_id, hash, created_ms, config) "
			      "VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING" },
	[STMT_CONFIG_GET] = { "SELECT config FROM job_config WHERE account_id = ?1 AND hash = ?2" },

	[STMT_EVENT_SEQUENCE] = { "INSERT INTO sequence (name, value) VALUES ('event', 1) "
				  "ON CONFLICT (name) DO UPDATE SET value = sequence.value + 1 "
				  "RETURNING value" },
	[STMT_EVENT_SEEN] = { "INSERT INTO event_seen (account_id, export_id, event_id, seen_ms) "
			      "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (account_id, export_id, "
			      "event_id) "
			      "DO UPDATE SET seen_ms = excluded.seen_ms "
			      "WHERE event_seen.seen_ms <= ?5" },
	[STMT_EVENT_SEEN_PURGE] = { "DELETE FROM event_seen WHERE (account_id, export_id, "
				    "event_id) IN "
				    "(SELECT account_id, export_id, event_id FROM event_seen "
				    "WHERE seen_ms <= ?1 ORDER BY seen_ms LIMIT ?2)" },
	[STMT_EVENT_ADD] = { "INSERT INTO event (account_id, export_id, seq, event_id, "
			     "received_ms, body) "
			     "VALUES (?1, ?2, ?3, ?4, ?5, ?6)" },
	[STMT_EVENT_LIST] = { "SELECT account_id, export_id, seq, event_id, received_ms, body FROM "
			      "event "
			      "WHERE account_id = ?1 AND export_id = ?2 AND seq > ?3 "
			      "ORDER BY seq LIMIT ?4" },
	[STMT_EVENT_WAITING] = { "SELECT COUNT(*), COALESCE(MIN(received_ms), 0) FROM event "
				 "WHERE account_id = ?1 AND export_id = ?2 AND seq > ?3" },
	[STMT_EVENT_WAITING_OF] = { "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM event e "
				    "WHERE e.account_id = l.account_id AND e.export_id = "
				    "l.export_id AND e.seq > l.seq LIMIT ?3) n) "
				    "FROM listener l WHERE l.account_id = ?1 AND l.flow_id = "
				    "?2" },
	[STMT_EVENT_REMOVE] = { "DELETE FROM event WHERE account_id = ?1 AND export_id = ?2 AND "
				"seq <= "
				"(SELECT MIN(seq) FROM listener WHERE account_id = ?1 AND "
				"export_id = ?2)" },
	[STMT_EVENT_EXPORTS] = { "SELECT DISTINCT account_id, export_id FROM event" },
	[STMT_LISTENER_PUT] = { "INSERT INTO listener (account_id, export_id, flow_id, seq) "
				"VALUES (?1, ?2, ?3, ?4) ON CONFLICT (account_id, export_id, "
				"flow_id) "
				"DO UPDATE SET seq = CASE WHEN excluded.seq > listener.seq "
				"THEN excluded.seq ELSE listener.seq END" },
	[STMT_LISTENER_GET] = { "SELECT seq FROM listener WHERE account_id = ?1 AND export_id = ?2 "
				"AND flow_id = ?3" },
	[STMT_LISTENER_ADD] = { "INSERT INTO listener (account_id, export_id, flow_id, seq) "
				"VALUES (?1, ?2, ?3, 0) ON CONFLICT DO NOTHING" },
	[STMT_LISTENER_RETAIN] = { "DELETE FROM listener WHERE account_id = ?1 AND flow_id = ?2 "
				   "AND NOT EXISTS (SELECT 1 FROM resource_ref r "
				   "WHERE r.account_id = ?1 AND r.type = 'flow' AND r.id = ?2 "
				   "AND r.target_type = 'export' "
				   "AND r.target_id = listener.export_id)" },
	[STMT_LISTENER_FORGET] = { "DELETE FROM listener WHERE account_id = ?1 AND export_id = "
				   "?2" },
	[STMT_EVENT_FORGET] = { "DELETE FROM event WHERE account_id = ?1 AND export_id = ?2" },
	[STMT_EVENT_SEEN_FORGET] = { "DELETE FROM event_seen WHERE account_id = ?1 "
				     "AND export_id = ?2" },

	[STMT_SLOT_TAKE] = { "INSERT INTO schedule_slot (account_id, flow_id, due_ms, taken_ms, "
			     "job_id) "
			     "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING" },
	[STMT_SLOT_LAST] = { "SELECT COALESCE(MAX(due_ms), 0) FROM schedule_slot WHERE account_id "
			     "= ?1 "
			     "AND flow_id = ?2" },
	[STMT_SLOT_LATEST] = { "SELECT due_ms, taken_ms, job_id FROM schedule_slot WHERE "
			       "account_id "
			       "= ?1 AND flow_id = ?2 ORDER BY due_ms DESC LIMIT 1" },
	[STMT_SLOT_PURGE] = { "DELETE FROM schedule_slot WHERE (account_id, flow_id, due_ms) IN "
			      "(SELECT s.account_id, s.flow_id, s.due_ms FROM schedule_slot s "
			      "WHERE s.taken_ms <= ?1 AND EXISTS (SELECT 1 FROM schedule_slot l "
			      "WHERE l.account_id = s.account_id AND l.flow_id = s.flow_id "
			      "AND l.due_ms > s.due_ms) LIMIT ?2)" },
	[STMT_EXPORT_STATE_GET] = { "SELECT last_export_ms FROM export_state WHERE account_id = ?1 "
				    "AND flow_id = ?2 AND export_id = ?3" },
	[STMT_EXPORT_STATE_PUT] = { "INSERT INTO export_state (account_id, flow_id, export_id, "
				    "last_export_ms) VALUES (?1, ?2, ?3, ?4) "
				    "ON CONFLICT (account_id, flow_id, export_id) "
				    "DO UPDATE SET last_export_ms = excluded.last_export_ms" },

	[STMT_PROBE_PUT] = { "INSERT INTO connection_probe (account_id, connection_id, since_ms, "
			     "due_ms, pause_ms) VALUES (?1, ?2, ?3, ?4, ?5) "
			     "ON CONFLICT (account_id, connection_id) DO UPDATE SET "
			     "since_ms = excluded.since_ms, due_ms = excluded.due_ms, "
			     "pause_ms = excluded.pause_ms" },
	[STMT_PROBE_REMOVE] = { "DELETE FROM connection_probe WHERE account_id = ?1 "
				"AND connection_id = ?2" },
	[STMT_PROBE_GET] = { "SELECT 1 FROM connection_probe WHERE account_id = ?1 "
			     "AND connection_id = ?2" },
	[STMT_PROBE_MOVE] = { "UPDATE connection_probe SET due_ms = ?3, pause_ms = ?4 "
			      "WHERE account_id = ?1 AND connection_id = ?2" },
	[STMT_PROBE_DUE] = { "SELECT account_id, connection_id, due_ms, pause_ms "
			     "FROM connection_probe WHERE due_ms <= ?1 ORDER BY due_ms LIMIT ?2" },

	[STMT_STATE_GET] = { "SELECT value FROM state WHERE account_id = ?1 AND scope = ?2 AND key "
			     "= ?3" },
	[STMT_STATE_PUT] = { "INSERT INTO state (account_id, scope, key, value, modified_ms) "
			     "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (account_id, scope, key) "
			     "DO UPDATE SET value = excluded.value, modified_ms = "
			     "excluded.modified_ms" },
	[STMT_STATE_REMOVE] = { "DELETE FROM state WHERE account_id = ?1 AND scope = ?2 AND key = "
				"?3" },
	[STMT_STATE_REMOVE_ALL] = { "DELETE FROM state WHERE account_id = ?1 AND scope = ?2" },
	[STMT_STATE_KEYS] = { "SELECT key FROM state WHERE account_id = ?1 AND scope = ?2 ORDER BY "
			      "key" },

	[STMT_STATE_COUNT] = { "SELECT COUNT(*) FROM state WHERE account_id = ?1 AND scope = ?2" },

	/* A job whose errors a retry is at stays until that has ended. */
	[STMT_PURGE_NEXT] = { "SELECT account_id, id FROM job j WHERE purge_ms > 0 AND purge_ms <= "
			      "?1 AND flow_job_id IS NULL AND status IN ('completed', 'failed', "
			      "'canceled') AND NOT EXISTS (SELECT 1 FROM job_error e JOIN job r ON "
			      "r.account_id = e.account_id AND r.id = e.retry_job_id "
			      "WHERE e.account_id = j.account_id AND e.root_job_id = j.id AND "
			      "e.retry_job_id IS NOT NULL AND r.status IN ('queued', 'running', "
			      "'retrying', 'canceling')) ORDER BY purge_ms LIMIT 1" },
	[STMT_PURGE_RETRY_DATA] = { "DELETE FROM retry_data WHERE account_id = ?1 AND id IN "
				    "(SELECT retry_id FROM job_error WHERE account_id = ?1 AND "
				    "root_job_id = ?2 ORDER BY created_ms, record_index, id LIMIT "
				    "?3)" },
	[STMT_PURGE_ERRORS] = { "DELETE FROM job_error WHERE account_id = ?1 AND id IN "
				"(SELECT id FROM job_error WHERE account_id = ?1 AND root_job_id = "
				"?2 ORDER BY created_ms, record_index, id LIMIT ?3)" },
	[STMT_PURGE_CHILDREN] = { "DELETE FROM job WHERE account_id = ?1 AND flow_job_id = ?2" },
	[STMT_PURGE_JOB] = { "DELETE FROM job WHERE account_id = ?1 AND id = ?2" },
	[STMT_PURGE_CONFIGS] = { "DELETE FROM job_config WHERE (account_id, hash) IN (SELECT "
				 "c.account_id, c.hash FROM job_config c WHERE c.created_ms <= ?1 "
				 "AND NOT EXISTS (SELECT 1 FROM job j WHERE j.account_id = "
				 "c.account_id AND j.config_hash = c.hash) LIMIT ?2)" },
	[STMT_EVIDENCE_BYTES] = { "SELECT (SELECT COALESCE(SUM(LENGTH(data)), 0) FROM retry_data) "
				  "+ (SELECT COALESCE(SUM(COALESCE(LENGTH(request), 0) + "
				  "COALESCE(LENGTH(response), 0)), 0) FROM job_error)" },
	/* The oldest first, those that are resolved before those that are open. */
	[STMT_EVIDENCE_LIST] = { "SELECT e.account_id, e.id, e.retry_id, COALESCE(LENGTH(d.data), "
				 "0) + COALESCE(LENGTH(e.request), 0) + "
				 "COALESCE(LENGTH(e.response), 0) "
				 "FROM job_error e LEFT JOIN retry_data d ON d.account_id = "
				 "e.account_id AND d.id = e.retry_id WHERE e.retry_job_id IS NULL "
				 "AND (e.retry_id IS NOT NULL OR e.request IS NOT NULL OR "
				 "e.response IS NOT NULL) ORDER BY e.resolved DESC, e.created_ms, "
				 "e.record_index, e.id LIMIT ?1" },
	[STMT_EVIDENCE_REMOVE] = { "UPDATE job_error SET request = NULL, response = NULL, "
				   "retry_id = NULL WHERE account_id = ?1 AND id = ?2 AND "
				   "retry_job_id IS NULL" },
	[STMT_RETRY_DATA_REMOVE] = { "DELETE FROM retry_data WHERE account_id = ?1 AND id = ?2" },

	/* Each row is one fault, in words. */
	[STMT_VERIFY_LEDGER] = { "SELECT 'job ' || id || ' of account ' || account_id || "
				 "': its ledger does not add up (exported ' || "
				 "CAST(exported AS TEXT) || ', accounted for ' || "
				 "CAST(succeeded + ignored + failed + in_flight AS TEXT) || ')' "
				 "FROM job WHERE exported <> succeeded + ignored + failed + "
				 "in_flight" },
	[STMT_VERIFY_REFS] = { "SELECT f.type || ' ' || f.id || ' of account ' || f.account_id || "
			       "': ' || f.field || ' refers to ' || f.target_type || ' ' || "
			       "f.target_id || ', which does not exist' FROM resource_ref f "
			       "WHERE NOT EXISTS (SELECT 1 FROM resource r "
			       "WHERE r.account_id = f.account_id AND r.type = f.target_type "
			       "AND r.id = f.target_id)" },
	[STMT_VERIFY_JOB_PARENT] = { "SELECT 'job ' || j.id || ' of account ' || j.account_id || "
				     "': its flow job ' || j.flow_job_id || ' does not exist' "
				     "FROM job j WHERE j.flow_job_id IS NOT NULL AND NOT EXISTS "
				     "(SELECT 1 FROM job p WHERE p.account_id = j.account_id "
				     "AND p.id = j.flow_job_id)" },
	[STMT_VERIFY_VERSION] = { "SELECT type || ' ' || id || ' of account ' || account_id || "
				  "': its version is ' || CAST(version AS TEXT) FROM resource "
				  "WHERE version < 1" },
};

const struct statement *statement_text(enum statement_id id)
{
	CHECK(id >= 0 && id < STATEMENT_COUNT && texts[id].sql != NULL);
	return &texts[id];
}

const char *statement_name(enum statement_id id)
{
	static const char *const names[STATEMENT_COUNT] = {
#define X(id) #id,
		STATEMENT_TABLE(X)
#undef X
	};

	CHECK(id >= 0 && id < STATEMENT_COUNT);
	return names[id];
}

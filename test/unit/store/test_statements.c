/*
 * test_statements.c - every statement has a text that the database takes, uses its parameters
 * without a gap, and finds its rows by an index where the table may be long.
 */
#include "store_test.h"

#include <sqlite3.h>

#include "store/migrations.h"
#include "store/statements.h"

static sqlite3 *database(void)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				 "CREATE TABLE migration (version INTEGER PRIMARY KEY, "
				 "description TEXT, applied_ms INTEGER)",
				 NULL, NULL, NULL),
		SQLITE_OK);
	for (size_t i = 0; i < migration_count; i++)
		assert_int_equal(sqlite3_exec(db, migrations[i].sql, NULL, NULL, NULL), SQLITE_OK);
	return db;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *text)
{
	sqlite3_stmt *st;

	if (sqlite3_prepare_v2(db, text, -1, &st, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sqlite3_errmsg(db), text);
	return st;
}

static void all_prepare(void **state UNUSED)
{
	sqlite3 *db = database();

	for (int i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(prepare(db, statement_text((enum statement_id)i)->sql));
	sqlite3_close(db);
}

/* In either spelling each of ?1 ... ?n occurs, and '?' stands for nothing else. */
static void check_parameters(const char *name, const char *text)
{
	bool seen[64] = { false };
	int max = 0;

	for (const char *p = strchr(text, '?'); p != NULL; p = strchr(p + 1, '?')) {
		long n = strtol(p + 1, NULL, 10);

		if (n < 1 || n > 63)
			fail_msg("%s: stray '?'", name);
		seen[n] = true;
		max = MAX(max, (int)n);
	}
	for (int n = 1; n <= max; n++)
		if (!seen[n])
			fail_msg("%s: ?%d is not used", name, n);
}

static void parameters_without_gap(void **state UNUSED)
{
	for (int i = 0; i < STATEMENT_COUNT; i++) {
		const struct statement *t = statement_text((enum statement_id)i);
		const char *name = statement_name((enum statement_id)i);

		check_parameters(name, t->sql);
		if (t->pgsql != NULL) {
			check_parameters(name, t->pgsql);
			assert_string_not_equal(t->sql, t->pgsql);
		}
	}
}

/* The index (or key) that each of these must go by. */
static const struct {
	enum statement_id id;
	const char *plan;
} plans[] = {
	{ STMT_TOKEN_FIND, "SEARCH t USING INDEX sqlite_autoindex_token" },
	{ STMT_RESOURCE_GET, "SEARCH resource USING INDEX sqlite_autoindex_resource" },
	{ STMT_RESOURCE_BY_API_IDENTIFIER, "(api_identifier=?)" },
	{ STMT_RESOURCE_LIST,
		"resource_created (account_id=? AND type=? AND (created_ms,id)>(?,?))" },
	{ STMT_RESOURCE_LIST_BY_NAME, "resource_name (account_id=? AND type=? AND name=?)" },
	{ STMT_RESOURCE_LIST_BY_EXTERNAL_ID,
		"resource_external_id (account_id=? AND type=? AND external_id=?)" },
	{ STMT_RESOURCE_LIST_BY_INTEGRATION,
		"resource_integration_id (account_id=? AND type=? AND integration_id=?)" },
	{ STMT_RESOURCE_LIST_BY_CONNECTOR,
		"resource_connector_id (account_id=? AND type=? AND connector_id=?)" },
	{ STMT_RESOURCE_REFERRERS, "resource_ref_target (account_id=? AND target_type=?" },
	{ STMT_JOB_QUEUED_OF_FLOW, "job_queued_flow (account_id=? AND flow_id=?)" },
	{ STMT_JOB_OF_FLOW, "job_in_work (account_id=? AND flow_id=?)" },
	{ STMT_JOB_OF_FLOW, "job_queued_flow (account_id=? AND flow_id=?)" },
	{ STMT_JOB_BEFORE, "job_in_work (account_id=? AND flow_id=?)" },
	{ STMT_JOB_BEFORE, "job_queued_flow (account_id=? AND flow_id=?)" },
	{ STMT_EXPORT_BY_ID, "(account_id=? AND type=? AND id=?)" },
	{ STMT_RESOURCE_BY_ANY_IDENTIFIER, "(api_identifier=?)" },
	{ STMT_LISTENER_RETAIN, "listener_flow (account_id=? AND flow_id=?)" },
	{ STMT_JOB_CLAIM, "SCAN q USING INDEX job_queued" },
	{ STMT_JOB_CLAIM, "job_in_work (account_id=? AND flow_id=?)" },
	{ STMT_JOB_CLAIM, "job_queued_flow (account_id=? AND flow_id=?)" },
	{ STMT_JOB_RECLAIM, "job_in_work" },
	{ STMT_ERROR_LIST_BY_JOB, "job_error_job (account_id=? AND job_id=? AND (created_ms" },
	{ STMT_ERROR_LIST_BY_FLOW_JOB,
		"job_error_root (account_id=? AND root_job_id=? AND (created_ms" },
	{ STMT_ERROR_LIST_BY_FLOW, "job_error_flow (account_id=? AND flow_id=? AND (created_ms" },
	{ STMT_ERROR_MARK_BY_IDS, "(account_id=? AND id=?)" },
	{ STMT_ERROR_ISSUES, "job_error_flow (account_id=? AND flow_id=?)" },
	{ STMT_RETRY_ERROR, "job_error_retry (account_id=? AND retry_id=?)" },
	{ STMT_RETRY_LIST, "job_error_retry_job (account_id=? AND retry_job_id=?" },
	{ STMT_EVENT_LIST, "(account_id=? AND export_id=? AND seq>?)" },
	{ STMT_SLOT_LAST, "(account_id=? AND flow_id=?)" },
	{ STMT_JOB_CHILDREN, "job_flow_job (account_id=? AND flow_job_id=?)" },
	{ STMT_JOB_LIST, "job_created (account_id=? AND created_ms>? AND created_ms<?)" },
	{ STMT_JOB_LIST_BY_FLOW_JOB,
		"job_flow_job (account_id=? AND flow_job_id=? AND created_ms>?" },
	{ STMT_JOB_LIST_BY_FLOW, "job_flow (account_id=? AND flow_id=? AND created_ms>?" },
	{ STMT_JOB_LIST_BY_EXPORT, "job_export (account_id=? AND export_id=? AND created_ms>?" },
	{ STMT_JOB_LIST_BY_IMPORT, "job_import (account_id=? AND import_id=? AND created_ms>?" },
	{ STMT_JOB_LIST_BY_INTEGRATION,
		"job_integration (account_id=? AND integration_id=? AND created_ms>?" },
	{ STMT_JOB_ERROR_LIST_BY_JOB, "job_error_job (account_id=? AND job_id=? AND (created_ms" },
	{ STMT_JOB_ERROR_LIST_BY_FLOW_JOB,
		"job_error_root (account_id=? AND root_job_id=? AND (created_ms" },
	{ STMT_IDEMPOTENCY_PURGE, "idempotency_created (created_ms<?)" },
	{ STMT_PURGE_NEXT, "job_purge (purge_ms>? AND purge_ms<?)" },
	{ STMT_PURGE_NEXT, "job_error_retry_job (account_id=? AND retry_job_id>?)" },
	{ STMT_PURGE_RETRY_DATA, "job_error_root (account_id=? AND root_job_id=?" },
	{ STMT_PURGE_ERRORS, "job_error_root (account_id=? AND root_job_id=?" },
	{ STMT_PURGE_CHILDREN, "job_flow_job (account_id=? AND flow_job_id=?" },
	{ STMT_PURGE_CONFIGS, "job_config_hash (account_id=? AND config_hash=?)" },
	{ STMT_PROBE_DUE, "connection_probe_due (due_ms<?)" },
	{ STMT_PAGE_WAITING, "COVERING INDEX job_page_connection (account_id=?" },
	{ STMT_PAGE_WAITING_OF,
		"COVERING INDEX job_page_connection (account_id=? AND connection_id=?)" },
	{ STMT_JOB_ERROR_LAST, "job_error_root (account_id=? AND root_job_id=?" },
};

/* Those that may read a whole table: installation-wide lists and verification. */
static bool may_scan(enum statement_id id)
{
	return id == STMT_ACCOUNT_LIST || id == STMT_MIGRATION_LAST || id == STMT_EVIDENCE_BYTES ||
	       id == STMT_EVIDENCE_LIST || id >= STMT_VERIFY_LEDGER;
}

static bool is_table_scan(const char *detail)
{
	/* "g", "o" and "n" are what the statements call their own subqueries */
	return strncmp(detail, "SCAN ", 5) == 0 && strstr(detail, "USING") == NULL &&
	       strcmp(detail, "SCAN o") != 0 && strcmp(detail, "SCAN n") != 0 &&
	       strcmp(detail, "SCAN g") != 0 && strstr(detail, "json_each") == NULL &&
	       strstr(detail, "CONSTANT ROW") == NULL;
}

static void by_index(void **state UNUSED)
{
	sqlite3 *db = database();

	for (int i = 0; i < STATEMENT_COUNT; i++) {
		enum statement_id id = (enum statement_id)i;
		char *text = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", statement_text(id)->sql);
		sqlite3_stmt *st = prepare(db, text);
		char plan[4096] = "";

		while (sqlite3_step(st) == SQLITE_ROW) {
			const char *detail = (const char *)sqlite3_column_text(st, 3);

			if (is_table_scan(detail) && !may_scan(id))
				fail_msg("%s: %s", statement_name(id), detail);
			snprintf(plan + strlen(plan), sizeof(plan) - strlen(plan), "%s\n", detail);
		}
		for (size_t k = 0; k < ARRAY_LEN(plans); k++)
			if (plans[k].id == id && strstr(plan, plans[k].plan) == NULL)
				fail_msg("%s: not by %s but\n%s", statement_name(id), plans[k].plan,
					plan);
		sqlite3_finalize(st);
		sqlite3_free(text);
	}
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_prepare),
		cmocka_unit_test(parameters_without_gap),
		cmocka_unit_test(by_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

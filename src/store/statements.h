/*
 * statements.h - every statement that the store runs, by name; the texts stand once, in statements.c.
 *
 * The texts keep to what SQLite and PostgreSQL have in common: ON CONFLICT, RETURNING, row values,
 * partial indexes. Where they must differ the PostgreSQL spelling stands beside (`pgsql`, NULL when
 * it is the same). Parameters are ?1, ?2 ... without gaps; a driver that wants $1 puts '$' for '?'.
 */
#ifndef STORE_STATEMENTS_H
#define STORE_STATEMENTS_H

#define STATEMENT_TABLE(X)                   \
	X(STMT_MIGRATION_LAST)               \
	X(STMT_MIGRATION_ADD)                \
	X(STMT_SETTING_GET)                  \
	X(STMT_SETTING_PUT)                  \
	X(STMT_ACCOUNT_ADD)                  \
	X(STMT_ACCOUNT_UPDATE)               \
	X(STMT_ACCOUNT_GET)                  \
	X(STMT_ACCOUNT_LIST)                 \
	X(STMT_TOKEN_ADD)                    \
	X(STMT_TOKEN_FIND)                   \
	X(STMT_TOKEN_LIST)                   \
	X(STMT_TOKEN_REMOVE)                 \
	X(STMT_RESOURCE_ADD)                 \
	X(STMT_RESOURCE_UPDATE)              \
	X(STMT_RESOURCE_REMOVE)              \
	X(STMT_RESOURCE_GET)                 \
	X(STMT_RESOURCE_BY_API_IDENTIFIER)   \
	X(STMT_RESOURCE_BY_ANY_IDENTIFIER)   \
	X(STMT_EXPORT_BY_ID)                 \
	X(STMT_RESOURCE_VERSION)             \
	X(STMT_RESOURCE_CREATED)             \
	X(STMT_RESOURCE_LIST)                \
	X(STMT_RESOURCE_LIST_BY_NAME)        \
	X(STMT_RESOURCE_LIST_BY_EXTERNAL_ID) \
	X(STMT_RESOURCE_LIST_BY_INTEGRATION) \
	X(STMT_RESOURCE_LIST_BY_CONNECTOR)   \
	X(STMT_RESOURCE_REFERRERS)           \
	X(STMT_REF_ADD)                      \
	X(STMT_REF_REMOVE_ALL)               \
	X(STMT_JOB_ADD)                      \
	X(STMT_JOB_UPDATE)                   \
	X(STMT_JOB_GET)                      \
	X(STMT_JOB_QUEUED_OF_FLOW)           \
	X(STMT_JOB_OF_FLOW)                  \
	X(STMT_JOB_CLAIM)                    \
	X(STMT_JOB_NEXT)                     \
	X(STMT_JOB_HEARTBEAT)                \
	X(STMT_JOB_RECLAIM)                  \
	X(STMT_JOB_CANCEL)                   \
	X(STMT_JOB_WAKE)                     \
	X(STMT_JOB_CHILDREN)                 \
	X(STMT_JOB_LIST)                     \
	X(STMT_JOB_LIST_BY_FLOW_JOB)         \
	X(STMT_JOB_LIST_BY_FLOW)             \
	X(STMT_JOB_LIST_BY_EXPORT)           \
	X(STMT_JOB_LIST_BY_IMPORT)           \
	X(STMT_JOB_LIST_BY_INTEGRATION)      \
	X(STMT_JOB_ERROR_ADD)                \
	X(STMT_JOB_ERROR_AGAIN)              \
	X(STMT_JOB_ERROR_RESOLVE)            \
	X(STMT_JOB_CREDIT)                   \
	X(STMT_ERROR_LIST_BY_JOB)            \
	X(STMT_ERROR_LIST_BY_FLOW)           \
	X(STMT_ERROR_LIST_BY_IDS)            \
	X(STMT_ERROR_LIST_BY_FLOW_JOB)       \
	X(STMT_ERROR_SUM_BY_JOB)             \
	X(STMT_ERROR_SUM_BY_FLOW)            \
	X(STMT_ERROR_SUM_BY_IDS)             \
	X(STMT_ERROR_RESOLVE_BY_JOB)         \
	X(STMT_ERROR_RESOLVE_BY_FLOW)        \
	X(STMT_ERROR_RESOLVE_BY_IDS)         \
	X(STMT_ERROR_ADJUST_BY_JOB)          \
	X(STMT_ERROR_ADJUST_BY_FLOW)         \
	X(STMT_ERROR_ADJUST_BY_IDS)          \
	X(STMT_ERROR_MARK_BY_JOB)            \
	X(STMT_ERROR_MARK_BY_FLOW)           \
	X(STMT_ERROR_MARK_BY_IDS)            \
	X(STMT_ERROR_FLOWS_BY_JOB)           \
	X(STMT_ERROR_FLOWS_BY_FLOW)          \
	X(STMT_ERROR_FLOWS_BY_IDS)           \
	X(STMT_ERROR_DUE)                    \
	X(STMT_ERROR_ISSUES)                 \
	X(STMT_RETRY_DATA_PUT)               \
	X(STMT_RETRY_ERROR)                  \
	X(STMT_RETRY_LIST)                   \
	X(STMT_RETRY_DATA_OF_ERROR)          \
	X(STMT_JOB_ERROR_PLACE)              \
	X(STMT_JOB_ERROR_LIST_BY_JOB)        \
	X(STMT_JOB_ERROR_LIST_BY_FLOW_JOB)   \
	X(STMT_JOB_IS_CHILD)                 \
	X(STMT_RETRY_DATA_ADD)               \
	X(STMT_RETRY_DATA_GET)               \
	X(STMT_IDEMPOTENCY_GET)              \
	X(STMT_IDEMPOTENCY_PUT)              \
	X(STMT_IDEMPOTENCY_FINISH)           \
	X(STMT_IDEMPOTENCY_PURGE)            \
	X(STMT_PAGE_PUT)                     \
	X(STMT_PAGE_GET)                     \
	X(STMT_PAGE_REMOVE)                  \
	X(STMT_CONFIG_PUT)                   \
	X(STMT_CONFIG_GET)                   \
	X(STMT_EVENT_SEQUENCE)               \
	X(STMT_EVENT_SEEN)                   \
	X(STMT_EVENT_SEEN_PURGE)             \
	X(STMT_EVENT_ADD)                    \
	X(STMT_EVENT_LIST)                   \
	X(STMT_EVENT_WAITING)                \
	X(STMT_EVENT_REMOVE)                 \
	X(STMT_EVENT_EXPORTS)                \
	X(STMT_LISTENER_PUT)                 \
	X(STMT_LISTENER_GET)                 \
	X(STMT_LISTENER_ADD)                 \
	X(STMT_LISTENER_RETAIN)              \
	X(STMT_LISTENER_FORGET)              \
	X(STMT_EVENT_FORGET)                 \
	X(STMT_EVENT_SEEN_FORGET)            \
	X(STMT_SLOT_TAKE)                    \
	X(STMT_SLOT_LAST)                    \
	X(STMT_SLOT_PURGE)                   \
	X(STMT_EXPORT_STATE_GET)             \
	X(STMT_EXPORT_STATE_PUT)             \
	X(STMT_PROBE_PUT)                    \
	X(STMT_PROBE_REMOVE)                 \
	X(STMT_PROBE_LIST)                   \
	X(STMT_STATE_GET)                    \
	X(STMT_STATE_PUT)                    \
	X(STMT_STATE_REMOVE)                 \
	X(STMT_STATE_REMOVE_ALL)             \
	X(STMT_STATE_KEYS)                   \
	X(STMT_VERIFY_LEDGER)                \
	X(STMT_VERIFY_REFS)                  \
	X(STMT_VERIFY_JOB_PARENT)            \
	X(STMT_VERIFY_VERSION)

enum statement_id {
#define X(id) id,
	STATEMENT_TABLE(X)
#undef X
		STATEMENT_COUNT
};

struct statement {
	const char *sql;
	const char *pgsql; /* NULL: as sql */
};
const struct statement *statement_text(enum statement_id id);
const char *statement_name(enum statement_id id);

#endif

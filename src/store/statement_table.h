/* statement_table.h - the names of all statements; included by statements.h. */
#ifndef STORE_STATEMENT_TABLE_H
#define STORE_STATEMENT_TABLE_H

/* By a job, a flow, or ids, in this order: error_bulk.c counts on it. */
#define STATEMENT_LED(X, id)  X(id##_BY_JOB) X(id##_BY_FLOW) X(id##_BY_IDS)
#define STATEMENT_SUM(X, id)  X(id) X(id##_OF)
#define STATEMENT_KEPT(X, id) X(id##_GET) X(id##_PUT)

#define STATEMENT_TABLE(X)                   \
	X(STMT_MIGRATION_LAST)               \
	X(STMT_MIGRATION_ADD)                \
	STATEMENT_KEPT(X, STMT_SETTING)      \
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
	X(STMT_JOB_BEFORE)                   \
	X(STMT_JOB_OF_FLOW)                  \
	X(STMT_JOB_LAST_RUN)                 \
	X(STMT_JOB_CLAIM)                    \
	X(STMT_JOB_NEXT)                     \
	X(STMT_JOB_HEARTBEAT)                \
	X(STMT_JOB_RECLAIM)                  \
	X(STMT_JOB_GIVE_BACK)                \
	X(STMT_JOB_CLOCK_WAIT)               \
	X(STMT_JOB_CLOCK_LEASE)              \
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
	X(STMT_JOB_AGAIN_SETTLED)            \
	STATEMENT_LED(X, STMT_ERROR_LIST)    \
	X(STMT_ERROR_LIST_BY_FLOW_JOB)       \
	STATEMENT_LED(X, STMT_ERROR_IDS)     \
	X(STMT_ERROR_IDS_BY_FLOW_JOB)        \
	STATEMENT_KEPT(X, STMT_ACTION)       \
	X(STMT_ACTION_NEXT)                  \
	X(STMT_ACTION_REMOVE)                \
	STATEMENT_LED(X, STMT_ERROR_SUM)     \
	STATEMENT_LED(X, STMT_ERROR_RESOLVE) \
	STATEMENT_LED(X, STMT_ERROR_ADJUST)  \
	STATEMENT_LED(X, STMT_ERROR_MARK)    \
	STATEMENT_LED(X, STMT_ERROR_FLOWS)   \
	X(STMT_ERROR_DUE)                    \
	X(STMT_ERROR_ISSUES)                 \
	X(STMT_RETRY_DATA_PUT)               \
	X(STMT_RETRY_ERROR)                  \
	X(STMT_RETRY_LIST)                   \
	X(STMT_RETRY_DATA_OF_ERROR)          \
	X(STMT_RETRY_RELEASE)                \
	X(STMT_JOB_ERROR_PLACE)              \
	X(STMT_JOB_ERROR_LAST)               \
	X(STMT_JOB_ERROR_LIST_BY_JOB)        \
	X(STMT_JOB_ERROR_LIST_BY_FLOW_JOB)   \
	X(STMT_JOB_IS_CHILD)                 \
	X(STMT_JOB_CREATED)                  \
	X(STMT_RETRY_DATA_ADD)               \
	X(STMT_RETRY_DATA_GET)               \
	STATEMENT_KEPT(X, STMT_IDEMPOTENCY)  \
	X(STMT_IDEMPOTENCY_FINISH)           \
	X(STMT_IDEMPOTENCY_PURGE)            \
	X(STMT_PAGE_PUT)                     \
	X(STMT_PAGE_GET)                     \
	X(STMT_PAGE_REMOVE)                  \
	X(STMT_PAGE_ANY)                     \
	STATEMENT_SUM(X, STMT_PAGE_WAITING)  \
	X(STMT_CONFIG_PUT)                   \
	X(STMT_CONFIG_GET)                   \
	X(STMT_EVENT_SEQUENCE)               \
	X(STMT_EVENT_SEEN)                   \
	X(STMT_EVENT_SEEN_PURGE)             \
	X(STMT_EVENT_ADD)                    \
	X(STMT_EVENT_LIST)                   \
	STATEMENT_SUM(X, STMT_EVENT_WAITING) \
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
	X(STMT_SLOT_LATEST)                  \
	X(STMT_SLOT_PURGE)                   \
	STATEMENT_KEPT(X, STMT_EXPORT_STATE) \
	X(STMT_PROBE_PUT)                    \
	X(STMT_PROBE_REMOVE)                 \
	X(STMT_PROBE_GET)                    \
	X(STMT_PROBE_MOVE)                   \
	X(STMT_PROBE_DUE)                    \
	STATEMENT_KEPT(X, STMT_STATE)        \
	X(STMT_STATE_REMOVE)                 \
	X(STMT_STATE_REMOVE_ALL)             \
	X(STMT_STATE_KEYS)                   \
	X(STMT_STATE_COUNT)                  \
	X(STMT_PURGE_NEXT)                   \
	X(STMT_PURGE_RETRY_DATA)             \
	X(STMT_PURGE_ERRORS)                 \
	X(STMT_PURGE_CHILDREN)               \
	X(STMT_PURGE_JOB)                    \
	X(STMT_PURGE_CONFIGS)                \
	X(STMT_EVIDENCE_BYTES)               \
	X(STMT_EVIDENCE_LIST)                \
	X(STMT_EVIDENCE_REMOVE)              \
	X(STMT_RETRY_DATA_REMOVE)            \
	X(STMT_VERIFY_LEDGER)                \
	X(STMT_VERIFY_REFS)                  \
	X(STMT_VERIFY_JOB_PARENT)            \
	X(STMT_VERIFY_VERSION)

#endif

/*
 * limits.h - every limit that a user can meet, in one place.
 *
 * GET /v1/limits and docs/reference/limits.md are made from this table.
 * X(symbol, value, unit, words)
 */
#ifndef CORE_LIMITS_H
#define CORE_LIMITS_H

/* clang-format off */
#define LIMIT_TABLE(X) \
	X(LIMIT_REQUEST_LINE, 8192, "bytes", "The request line of a request to this server.") \
	X(LIMIT_REQUEST_HEADERS, 32768, "bytes", "All header fields of a request together.") \
	X(LIMIT_REQUEST_HEADER_COUNT, 100, "fields", "Header fields of a request.") \
	X(LIMIT_REQUEST_BODY, 5242880, "bytes", "The body of a request.") \
	X(LIMIT_RESOURCE_DOCUMENT, 1048576, "bytes", "The document of one resource.") \
	X(LIMIT_LOOKUP_RECORDS, 1000, "records", "Of what a lookup export yields for one record of a flow.") \
	X(LIMIT_CALL_MS, 120000, "ms", "A call that is answered at once: invoke, preview, ping, proxy.") \
	X(LIMIT_CALL_GATE_MS, 20000, "ms", "How long such a call, or a probe, waits while concurrencyLevel requests are on their way already.") \
	X(LIMIT_CALL_RETRY_MS, 5000, "ms", "Such a call tries a request again once at most, and only when that is not later than this.") \
	X(LIMIT_INVOKE_RECORDS, 10000, "records", "Of an export that is invoked.") \
	X(LIMIT_INVOKE_BYTES, 5242880, "bytes", "The records of an invoked export; behind it, results of an invoked import leave _json out.") \
	X(LIMIT_DEBUG_BYTES, 1048576, "bytes", "The debug log of a connection, in memory.") \
	X(LIMIT_JSON_DEPTH, 128, "levels", "Arrays and objects inside each other.") \
	X(LIMIT_PAGE_SIZE_DEFAULT, 20, "records", "Records of a page when pageSize is not set.") \
	X(LIMIT_PAGE_SIZE_MAX, 10000, "records", "The largest pageSize.") \
	X(LIMIT_PAGE_SIZE_QUEUED, 500, "records", "Records of a page of a listener, and of a retry, when pageSize is not set.") \
	X(LIMIT_PAGE_BYTES, 5242880, "bytes", "A page closes early at this size.") \
	X(LIMIT_RESPONSE_BODY, 67108864, "bytes", "An application's answer, after decompression.") \
	X(LIMIT_IMPORT_ANSWER, 8388608, "bytes", "An application's answer to an import or a lookup, after decompression.") \
	X(LIMIT_RESPONSE_HEADERS, 131072, "bytes", "All header fields of an application's answer.") \
	X(LIMIT_CSV_FIELD_BYTES, 1048576, "bytes", "A field of a CSV text.") \
	X(LIMIT_CSV_ROW_BYTES, 5242880, "bytes", "A row of a CSV text.") \
	X(LIMIT_CSV_COLUMNS, 16384, "columns", "The columns of a CSV text.") \
	X(LIMIT_XML_DEPTH, 60, "levels", "Elements inside each other in an XML document; as JSON they are up to twice as deep.") \
	X(LIMIT_XML_ATTRIBUTES, 1000, "attributes", "Of one XML element.") \
	X(LIMIT_XML_TEXT_BYTES, 5242880, "bytes", "The text of one XML element.") \
	X(LIMIT_XML_NODES, 5000000, "nodes", "Elements and attributes of an XML document.") \
	X(LIMIT_FILTER_NODES, 2000, "expressions", "A filter: operators, extracts and constants.") \
	X(LIMIT_FILTER_DEPTH, 32, "levels", "A filter's expressions inside each other.") \
	X(LIMIT_FILTER_PATTERN_BYTES, 4096, "bytes", "A pattern of matches in a filter.") \
	X(LIMIT_FILTER_PATTERN_STEPS, 200000, "steps", "What matching one pattern against one value may cost.") \
	X(LIMIT_TRANSFORM_SETS, 16, "sets", "Sets of rules of a transform.") \
	X(LIMIT_TRANSFORM_RULES, 2000, "rules", "Rules in a set of a transform.") \
	X(LIMIT_CONNECTION_CONCURRENCY_MAX, 100, "requests", "The largest concurrencyLevel of a connection.") \
	X(LIMIT_CONNECTION_CONCURRENCY_DEFAULT, 16, "requests", "Parallel requests to an application when concurrencyLevel is not set.") \
	X(LIMIT_OUTBOUND_TIMEOUT_MS, 60000, "ms", "One request to an application, all in all.") \
	X(LIMIT_OUTBOUND_CONNECT_MS, 15000, "ms", "Reaching an application.") \
	X(LIMIT_ATTEMPTS_DEFAULT, 4, "attempts", "How often a record is sent when maxAttempts is not set.") \
	X(LIMIT_ATTEMPTS_MAX, 10, "attempts", "The largest maxAttempts of an import.") \
	X(LIMIT_INLINE_WAIT_S, 60, "s", "A Retry-After up to this is waited for in the run; a longer one puts the job aside.") \
	X(LIMIT_RETRY_AFTER_MAX_S, 86400, "s", "A longer Retry-After counts as this.") \
	X(LIMIT_REDIRECTS, 5, "hops", "Redirects followed for a GET.") \
	X(LIMIT_ERROR_EVIDENCE, 8192, "bytes", "Of a request or answer kept with a job error.") \
	X(LIMIT_LIST, 1000, "items", "The largest limit= of a list.") \
	X(LIMIT_STATE_KEYS, 1000, "keys", "Values kept by key for the account, and for each resource.") \
	X(LIMIT_STATE_KEY_BYTES, 256, "bytes", "A key of those.") \
	X(LIMIT_EVENT_STREAMS, 500, "streams", "Streams of job events at once, of all tokens.") \
	X(LIMIT_EVENT_STREAMS_TOKEN, 20, "streams", "Streams of job events at once of one token.") \
	X(LIMIT_RATE_BUCKET, 100, "requests", "The bucket of a token.") \
	X(LIMIT_RATE_REFILL, 30, "requests a second", "The refill of a token's bucket.") \
	X(LIMIT_TEMPLATE_DEPTH, 100, "levels", "Blocks and subexpressions of a template inside each other.") \
	X(LIMIT_TEMPLATE_STEPS, 5000000, "steps", "Statements, rounds of loops and values that rendering one template takes.") \
	X(LIMIT_TEMPLATE_SCRATCH, 67108864, "bytes", "Intermediate values of rendering one template.") \
	X(LIMIT_TEMPLATE_VALUE, 8388608, "bytes", "One text that a helper of a template makes.") \
	X(LIMIT_TEMPLATE_REGEX, 65536, "bytes", "A text that a regular expression of a template is applied to.") \
	X(LIMIT_LISTENER_BUCKET, 10000, "events", "The bucket of a listener; refused requests take nothing from it.") \
	X(LIMIT_LISTENER_REFILL, 2000, "events a second", "The refill of a listener's bucket.") \
	X(LIMIT_LISTENER_LOG, 1000, "requests", "Of a listener that are kept, in memory, for its owner to see.") \
	X(LIMIT_JOB_ATTEMPTS, 3, "attempts", "How often a job is begun before it is put aside.")
/* clang-format on */

enum limit_values {
#define X(sym, value, unit, words) sym = value,
	LIMIT_TABLE(X)
#undef X
};

#endif

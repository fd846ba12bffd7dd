/*
 * talk_file.h - a .talk file, read.
 */
#ifndef TEST_UNIT_ADAPTOR_TALK_FILE_H
#define TEST_UNIT_ADAPTOR_TALK_FILE_H

#include "data/json.h"
#include "net/http_server.h"

#define TALK_FIELDS_MAX    16
#define TALK_EXCHANGES_MAX 256
#define TALK_RESULTS_MAX   256

enum talk_fault { TALK_ANSWER, TALK_HANG, TALK_RESET, TALK_CLOSE, TALK_HALF, TALK_RAW };

struct talk_exchange {
	unsigned line;
	struct str request;                         /* "GET /customers" */
	struct http_header fields[TALK_FIELDS_MAX]; /* value p NULL: must be absent; "*": any */
	size_t field_count;
	bool has_body;
	struct str body; /* wanted */
	int64_t after_min, after_max;
	enum talk_fault fault;
	int status;
	struct str answer_fields; /* lines with CR LF */
	struct str answer;
	bool answer_typed; /* has a Content-Type of its own */
};

struct talk_result {
	unsigned line;
	struct str word, rest; /* "records", "[...]" */
};

struct talk_file {
	struct arena *arena;
	const char *path;
	struct str sections[32][2]; /* name, text */
	size_t section_count;
	struct talk_exchange exchanges[TALK_EXCHANGES_MAX];
	size_t exchange_count;
	struct talk_result results[TALK_RESULTS_MAX];
	size_t result_count;
};

/* BASE stands for $BASE. A fault in the file fails the test. */
struct talk_file *talk_read(struct arena *a, const char *path, struct str base);
/* The text of a section; p NULL: there is none. */
struct str talk_section(const struct talk_file *t, const char *name);
/* That text as JSON, or OTHERWISE. */
const struct json *talk_document(const struct talk_file *t, const char *name,
	const struct json *otherwise);
const struct json *talk_json(const struct talk_file *t, unsigned line, struct str text);

#endif

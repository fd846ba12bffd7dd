/*
 * resource_priv.h - what the files of this folder share: rows that every type has, checks that
 * several types need, the types themselves.
 */
#ifndef RESOURCE_RESOURCE_PRIV_H
#define RESOURCE_RESOURCE_PRIV_H

#include "core/limits.h"
#include "resource/check_priv.h"

struct resources {
	struct resources_config cfg;
	size_t count;
	const struct schema **schemas; /* as resource_defs, NULL behind the last */
};

/* The place of a secret, for sealing: "<account>/<type>/<id>/<field path>". */
struct res_place {
	struct str account_id, type, id;
};
struct str res_place_aad(struct arena *a, const struct res_place *place, struct str path);

/* The document in TEXT, which stays as it is. ERR_STORE when it is no JSON. */
MUST_CHECK bool res_parse(struct arena *a, struct str text, const struct json **doc,
	struct err *err);
/* The API's view of a stored document. */
MUST_CHECK bool res_view(const struct schema *s, struct arena *a, struct str document,
	struct str *json, struct err *err);

/* ---- rows ---- */

extern const struct fld res_rows_head[];    /* _id, createdAt, lastModified */
extern const struct fld res_rows_tail[];    /* externalId, _connectorId */
extern const struct fld res_rows_webhook[]; /* of an export that takes events in */

#define ROW_INTEGRATION                                                                            \
	{                                                                                          \
		"_integrationId", FLD_REF, FLD_INDEXED,                                            \
			"The _id of the integration that this belongs to; the dashboard shows it " \
			"in that integration's tile.",                                             \
			.values = "integration", .example = "\"5560092ed7922800000f000e\""         \
	}

/* The rows of an array of request headers at PATH. */
#define ROWS_HEADERS(path, whom)                                                                \
	{ path, FLD_OBJECT, FLD_LIST, "Headers to send with every request " whom ".",           \
		.example = "[{\"name\":\"Accept-Language\",\"value\":\"en\"}]" },               \
		{ path "[].name", FLD_TOKEN, FLD_REQUIRED,                                      \
			"The header's name. Those that belong to the transfer itself, such as " \
			"Host, Content-Length or Connection, can't be set.",                    \
			.min = 1, .max = 256, .example = "\"Accept-Language\"" },               \
	{                                                                                       \
		path "[].value", FLD_STR, FLD_REQUIRED | FLD_LINE,                              \
			"The header's value. It is stored and answered in clear text: put "     \
			"secrets into the connection's own fields for them.",                   \
			.min = 0, .max = 8192, .example = "\"en\""                              \
	}

/* The inline form of one hook: what to call stands beside what calls it. */
#define ROWS_INLINE_HOOK(path, when_)                                                            \
	{ path, FLD_OBJECT, 0,                                                                   \
		"A function of yours that is called " when_ ", named here instead of in a hook " \
		"resource of its own." },                                                        \
		{ path ".function", FLD_STR, FLD_REQUIRED | FLD_LINE | FLD_INERT,                \
			"The name of the function.", .max = 256, .min = 1,                       \
			.example = "\"myHook\"" },                                               \
		{ path "._stackId", FLD_REF, FLD_INERT, "The stack that has the function.",      \
			.values = "stack", .example = "\"5587092fd78228000000000c\"" },          \
		{ path "._scriptId", FLD_REF, FLD_INERT, "The script that has the function.",    \
			.values = "script", .example = "\"5587092fd78228000000000d\"" },         \
	{                                                                                        \
		path ".configuration", FLD_MAP, FLD_UNUSED,                                      \
			"Whatever the function should know; it is handed over with every call.", \
			.example = "{\"region\":\"eu\"}"                                         \
	}

/* What filter and transform have in common: rules in one of two places. TEXT and EXAMPLE are theirs. */
#define ROWS_RULES(path, text, example_)                                                          \
	{ path ".type", FLD_ENUM, 0, "How it is written: as an expression.",                      \
		.values = "expression", .values_later = "script", .def = "\"expression\"",        \
		.example = "\"expression\"" },                                                    \
		{ path ".version", FLD_ENUM, 0, "The version of the rules' language.",            \
			.values = "1", .values_later = "2", .def = "\"1\"", .example = "\"1\"" }, \
		{ path ".rules", FLD_ANY, 0, text, .example = example_ },                         \
		{ path ".expression", FLD_OBJECT, 0,                                              \
			"Another place for the rules, where many clients put them." },            \
		{ path ".expression.version", FLD_ENUM, 0, "The version of the rules' language.", \
			.values = "1", .values_later = "2", .def = "\"1\"", .example = "\"1\"" }, \
	{                                                                                         \
		path ".expression.rules", FLD_ANY, 0,                                             \
			"The same as " path ".rules; when both are set they must be alike.",      \
			.example = example_                                                       \
	}

#define ROWS_FILTER(records)                                                                     \
	{ "filter", FLD_OBJECT, 0,                                                               \
		"Which " records " Not set: all. What it drops is counted as ignored." },        \
		ROWS_RULES("filter",                                                             \
			"An expression: an operator and its operands in an array. Values: "      \
			"extract, settings, context, constants. Coercions: string, number, "     \
			"boolean, epochtime. Transforms: lowercase, uppercase, floor, ceiling, " \
			"abs. Tests: equals, notequals, greaterthan, greaterthanequals, "        \
			"lessthan, lessthanequals, contains, doesnotcontain, startswith, "       \
			"endswith, matches, empty, notempty, and, or, not.",                     \
			"[\"and\",[\"equals\",[\"string\",[\"extract\",\"status\"]],\"open\"],"  \
			"[\"greaterthan\",[\"number\",[\"extract\",\"total\"]],100]]")

/* ---- types ---- */

extern const struct res_def res_connection, res_export, res_import, res_flow, res_integration,
	res_connector, res_iclient, res_stack, res_script, res_hook;

/* ---- documents ---- */

static inline const struct json *res_at(const struct json *doc, const char *path)
{
	return json_get_path(doc, str_z(path));
}
/* Is the string at PATH this word? */
static inline bool res_is(const struct json *doc, const char *path, const char *word)
{
	const struct json *v = res_at(doc, path);

	return json_is_str(v) && str_eq_z(json_str(v), word);
}

#endif

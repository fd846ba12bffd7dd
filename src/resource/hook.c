/*
 * hook.c - the rows of a hook: which function of which stack or script is called.
 */
#include "resource/resource_priv.h"

static const struct fld rows[] = {
	{ "name", FLD_STR, FLD_INDEXED, "Give your hook an intuitive name to stay organized.",
		.min = 1, .max = 512, .example = "\"Drop test orders\"" },
	{ "function", FLD_STR, FLD_REQUIRED | FLD_LINE | FLD_UNUSED,
		"The name of the function to call.", .min = 1, .max = 256,
		.example = "\"preSavePage\"" },
	{ "configuration", FLD_MAP, FLD_UNUSED,
		"Whatever the function should know; it is handed over with every call.",
		.example = "{\"region\":\"eu\"}" },
	{ "_stackId", FLD_REF, FLD_UNUSED,
		"The _id of the stack that has the function: either this or _scriptId is set.",
		.values = "stack", .example = "\"5587092fd78228000000000c\"" },
	{ "_scriptId", FLD_REF, FLD_UNUSED,
		"The _id of the script that has the function: either this or _stackId is set.",
		.values = "script", .example = "\"5587092fd78228000000000d\"" },
	{ NULL },
};

static void check(const struct json *doc, struct problems *p)
{
	res_check_target(doc, "", p);
}

static const struct fld *const tables[] = { res_rows_head, rows, res_rows_tail, NULL };

static const char *const examples[] = {
	"{\"name\":\"Drop test orders\",\"function\":\"preSavePage\","
	"\"_scriptId\":\"5587092fd78228000000000d\",\"configuration\":{\"region\":\"eu\"}}",
	NULL,
};

const struct res_def res_hook = {
	.type = "hook",
	.segment = "hooks",
	.title = "Hook",
	.text = "A hook names a function of yours, in a stack or in a script, that exports and "
		"imports call while they run: exports by hooks._preSavePageId, imports by "
		"hooks._preMapId, hooks._postMapId and hooks._postSubmitId.",
	.tables = tables,
	.examples = examples,
	.check = check,
};

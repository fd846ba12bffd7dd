/*
 * script.c - the rows of a script: JavaScript that is kept in the account.
 */
#include "resource/resource_priv.h"

static const struct fld rows[] = {
	{ "name", FLD_STR, FLD_REQUIRED | FLD_INDEXED,
		"Give your script an intuitive name to stay organized.", .min = 1, .max = 512,
		.example = "\"Clean up orders\"" },
	{ "description", FLD_STR, 0, "What the script is for, in your own words.", .min = 0,
		.max = 8192, .example = "\"Drops test orders.\"" },
	{ "content", FLD_STR, FLD_UNUSED,
		"The JavaScript: an ES module with exported functions, or plain functions. A PUT "
		"without it erases it.",
		.min = 0, .max = 524288,
		.example =
			"\"export function preSavePage(options) {\\n  return options;\\n}\\n\"" },
	{ NULL },
};

static const struct fld *const tables[] = { res_rows_head, rows, res_rows_tail, NULL };

static const char *const examples[] = {
	"{\"name\":\"Clean up orders\",\"content\":\"export function preSavePage(options) {\\n"
	"  options.data = options.data.filter((o) => !o.test);\\n  return options;\\n}\\n\"}",
	NULL,
};

const struct res_def res_script = {
	.type = "script",
	.segment = "scripts",
	.title = "Script",
	.text = "A script is JavaScript that is kept in your account, for hooks that need no "
		"server of your own.",
	.tables = tables,
	.examples = examples,
};

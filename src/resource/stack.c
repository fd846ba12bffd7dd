/*
 * stack.c - the rows of a stack: the customer's own server with hooks, wrappers and installers.
 */
#include "resource/resource_priv.h"

static const struct fld rows[] = {
	{ "name", FLD_STR, FLD_REQUIRED | FLD_INDEXED,
		"Give your stack an intuitive name to stay organized.", .min = 1, .max = 512,
		.example = "\"Our extensions\"" },
	{ "type", FLD_ENUM, FLD_REQUIRED, "Where the functions run: on a server of yours.",
		.values = "server", .values_later = "lambda", .example = "\"server\"" },
	{ "protocol", FLD_ENUM, FLD_UNUSED,
		"The wire form of the calls: that of today's published extension library, or the "
		"one of 2015.",
		.values = "2017|2015", .def = "\"2017\"", .example = "\"2015\"" },
	{ "module", FLD_STR, FLD_REQUIRED | FLD_LINE | FLD_UNUSED,
		"The name of the node module that has the functions.", .min = 1, .max = 256,
		.when = "protocol=2015", .example = "\"my-extension\"" },
	{ "server", FLD_OBJECT, FLD_REQUIRED, "How to reach the server.", .when = "type=server" },
	{ "server.hostURI", FLD_URL, FLD_REQUIRED | FLD_UNUSED | FLD_SECRETS_GO,
		"The server's address; calls go to /function below it. When its scheme, host or "
		"port change, server.systemToken must be sent again.",
		.min = 1, .max = 2048, .example = "\"https://stack.example.com\"" },
	{ "server.systemToken", FLD_STR, FLD_REQUIRED | FLD_SECRET | FLD_LINE | FLD_UNUSED,
		"The bearer token that the server expects with each call.", .min = 1, .max = 4096,
		.example = "\"my_system_token\"" },
	{ "server.ipRanges", FLD_STR, FLD_LIST | FLD_LINE | FLD_UNUSED,
		"The addresses that the server's own calls come from, as CIDR ranges.", .min = 1,
		.max = 64, .example = "[\"203.0.113.0/24\"]" },
	{ NULL },
};

static const struct fld *const tables[] = { res_rows_head, rows, res_rows_tail, NULL };

static const char *const examples[] = {
	"{\"name\":\"Our extensions\",\"type\":\"server\",\"server\":{"
	"\"hostURI\":\"https://stack.example.com\",\"systemToken\":\"my_system_token\"}}",
	NULL,
};

const struct res_def res_stack = {
	.type = "stack",
	.segment = "stacks",
	.title = "Stack",
	.text = "A stack is your own server with functions for hooks, wrappers, installers and "
		"settings pages. It speaks the published extension protocol.",
	.tables = tables,
	.examples = examples,
};

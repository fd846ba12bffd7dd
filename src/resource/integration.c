/*
 * integration.c - the rows of an integration: a tile of the dashboard, and what a connector keeps
 * about its install.
 */
#include "resource/resource_priv.h"

static const struct fld rows[] = {
	{ "name", FLD_STR, FLD_REQUIRED | FLD_INDEXED, "The integration's name; its tile shows it.",
		.min = 1, .max = 512, .example = "\"Shop to accounting\"" },
	{ "description", FLD_STR, 0, "What the integration does, in your own words.", .min = 0,
		.max = 8192, .example = "\"Orders, customers and stock.\"" },
	{ "readme", FLD_STR, 0, "Notes for those who run the integration.", .min = 0, .max = 262144,
		.example = "\"Ask finance before you change the mapping.\"" },
	{ "tag", FLD_STR, FLD_LINE, "A word that tells installs of the same connector apart.",
		.min = 1, .max = 128, .example = "\"eu-shop\"" },
	{ "mode", FLD_ENUM, FLD_UNUSED,
		"Where the integration is in its life: being installed, in use, being uninstalled.",
		.values = "install|settings|uninstall", .def = "\"settings\"",
		.example = "\"settings\"" },
	{ "install", FLD_OBJECT, FLD_LIST,
		"The steps of the install, in the order in which the user takes them." },
	{ "install[].name", FLD_STR, FLD_REQUIRED | FLD_UNUSED,
		"The name of the step, as the user sees it.", .min = 1, .max = 512,
		.example = "\"Connect the shop\"" },
	{ "install[].description", FLD_STR, FLD_UNUSED, "What the user does in this step.",
		.min = 0, .max = 8192, .example = "\"Enter the shop's address and token.\"" },
	{ "install[].imageURL", FLD_URL, FLD_UNUSED, "A picture for the step.", .min = 1,
		.max = 2048, .example = "\"https://example.com/shop.png\"" },
	{ "install[].installURL", FLD_URL, FLD_UNUSED,
		"A page outside that the user goes to in this step.", .min = 1, .max = 2048,
		.example = "\"https://example.com/install\"" },
	{ "install[].completed", FLD_BOOL, FLD_UNUSED, "Whether the step is done.", .def = "false",
		.example = "true" },
	{ "install[].installerFunction", FLD_STR, FLD_LINE | FLD_UNUSED,
		"The connector's function that carries the step out.", .min = 1, .max = 256,
		.example = "\"connectShop\"" },
	{ "install[].uninstallerFunction", FLD_STR, FLD_LINE | FLD_UNUSED,
		"The connector's function that takes the step back.", .min = 1, .max = 256,
		.example = "\"disconnectShop\"" },
	{ "install[]._connectionId", FLD_REF, FLD_UNUSED,
		"The _id of the connection that the step sets up.", .values = "connection",
		.example = "\"5587092ef78228000000000a\"" },
	{ "version", FLD_STR, FLD_LINE | FLD_UNUSED,
		"The connector's version that the integration was made or updated by.", .min = 1,
		.max = 64, .example = "\"1.4.0\"" },
	{ "settings", FLD_MAP, FLD_UNUSED,
		"What the connector's settings page shows and keeps: `sections`, `general`, "
		"`commonresources`.",
		.example = "{\"sections\":[]}" },
	{ "updateInProgress", FLD_BOOL, FLD_UNUSED,
		"True while the connector is updating the integration.", .def = "false",
		.example = "true" },
	{ NULL },
};

static const struct fld *const tables[] = { res_rows_head, rows, res_rows_tail, NULL };

static const char *const examples[] = {
	"{\"name\":\"Shop to accounting\",\"tag\":\"eu-shop\",\"mode\":\"settings\","
	"\"settings\":{\"sections\":[]}}",
	NULL,
};

const struct res_def res_integration = {
	.type = "integration",
	.segment = "integrations",
	.title = "Integration",
	.text = "Integrations are used to group one or more imports, exports, or flows. "
		"Integrations show as tiles in the dashboard.",
	.tables = tables,
	.examples = examples,
};

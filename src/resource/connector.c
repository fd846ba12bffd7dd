/*
 * connector.c - the rows of a connector: an integration that others install.
 */
#include "resource/resource_priv.h"

static const struct fld rows[] = {
	{ "name", FLD_STR, FLD_REQUIRED | FLD_INDEXED, "The connector's name in the marketplace.",
		.min = 1, .max = 512, .example = "\"Shop for Accounting\"" },
	{ "handle", FLD_STR, FLD_LINE | FLD_UNUSED,
		"A short word for addresses that lead to the connector.", .min = 1, .max = 128,
		.example = "\"shop-accounting\"" },
	{ "published", FLD_BOOL, FLD_UNUSED, "Whether the marketplace lists the connector.",
		.def = "false", .example = "true" },
	{ "managed", FLD_BOOL, FLD_UNUSED,
		"Whether its maker runs the connector's installs for their users.", .def = "false",
		.example = "true" },
	{ "_integrationId", FLD_REF, FLD_INDEXED,
		"The _id of the integration that the connector was built as and is installed from.",
		.values = "integration", .example = "\"5560092ed7922800000f000e\"" },
	{ "_stackId", FLD_REF, FLD_UNUSED,
		"The _id of the stack that has the connector's functions.", .values = "stack",
		.example = "\"5587092fd78228000000000c\"" },
	{ "description", FLD_STR, FLD_UNUSED, "What the connector does, for the marketplace.",
		.min = 0, .max = 8192, .example = "\"Brings orders into the books.\"" },
	{ "imageURL", FLD_URL, FLD_UNUSED, "The connector's picture in the marketplace.", .min = 1,
		.max = 2048, .example = "\"https://example.com/connector.png\"" },
	{ "websiteURL", FLD_URL, FLD_UNUSED, "A page with more about the connector.", .min = 1,
		.max = 2048, .example = "\"https://example.com/connector\"" },
	{ "contactEmail", FLD_STR, FLD_LINE | FLD_UNUSED, "Where users of the connector get help.",
		.min = 3, .max = 320, .example = "\"help@example.com\"" },
	{ "applications", FLD_STR, FLD_LIST | FLD_LINE | FLD_UNUSED,
		"The applications that the connector joins.", .min = 1, .max = 128,
		.example = "[\"shop\",\"accounting\"]" },
	{ "installerFunction", FLD_STR, FLD_LINE | FLD_UNUSED,
		"The function that sets a new install up.", .min = 1, .max = 256,
		.example = "\"install\"" },
	{ "preUninstallFunction", FLD_STR, FLD_LINE | FLD_UNUSED,
		"The function that is called before the steps of an uninstall.", .min = 1,
		.max = 256, .example = "\"beforeUninstall\"" },
	{ "uninstallerFunction", FLD_STR, FLD_LINE | FLD_UNUSED,
		"The function that takes an install down.", .min = 1, .max = 256,
		.example = "\"uninstall\"" },
	{ "updateFunction", FLD_STR, FLD_LINE | FLD_UNUSED,
		"The function that brings an install to the newest version.", .min = 1, .max = 256,
		.example = "\"update\"" },
	{ "externalId", FLD_STR, FLD_LINE | FLD_INDEXED,
		"An id of your own choice, by which your code finds the connector again.", .min = 1,
		.max = 512, .example = "\"shop-accounting-1\"" },
	{ NULL },
};

static const struct fld *const tables[] = { res_rows_head, rows, NULL };

static const char *const examples[] = {
	"{\"name\":\"Shop for Accounting\",\"handle\":\"shop-accounting\","
	"\"_integrationId\":\"5560092ed7922800000f000e\","
	"\"description\":\"Brings orders into the books.\","
	"\"imageURL\":\"https://example.com/connector.png\","
	"\"websiteURL\":\"https://example.com/connector\",\"installerFunction\":\"install\","
	"\"uninstallerFunction\":\"uninstall\",\"updateFunction\":\"update\"}",
	NULL,
};

const struct res_def res_connector = {
	.type = "connector",
	.segment = "connectors",
	.title = "Connector",
	.text = "Connectors represent fully functional pre-built integrations that any user can "
		"install into their account. They are mostly made up of code: an installer, an "
		"uninstaller and a settings interface, which use this API to work with the user's "
		"account.",
	.tables = tables,
	.examples = examples,
};

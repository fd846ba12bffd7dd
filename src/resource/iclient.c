/*
 * iclient.c - the rows of an iClient: what an application knows its OAuth 2.0 client by.
 */
#include "resource/resource_priv.h"

static const struct fld rows[] = {
	{ "name", FLD_STR, FLD_INDEXED, "Give your iClient an intuitive name to stay organized.",
		.min = 1, .max = 512, .example = "\"Our shop app\"" },
	{ "provider", FLD_STR, FLD_REQUIRED | FLD_LINE | FLD_UNUSED,
		"The application that issued the client, such as google, salesforce, shopify or "
		"zendesk.",
		.min = 1, .max = 64, .example = "\"shopify\"" },
	{ "clientId", FLD_STR, FLD_REQUIRED | FLD_LINE,
		"The client's public id, as the application issued it.", .min = 1, .max = 1024,
		.example = "\"my_client_id\"" },
	{ "clientSecret", FLD_STR, FLD_SECRET | FLD_LINE,
		"The client's secret, as the application issued it. It is sent to the server of "
		"tokenURI alone.",
		.min = 1, .max = 4096, .example = "\"my_client_secret\"" },
	{ "tokenURI", FLD_URL, FLD_LINE | FLD_SECRETS_GO,
		"The application's OAuth 2.0 token endpoint: the clientSecret is sent to its "
		"server "
		"and no other, whatever connections say that name this iClient. When its scheme, "
		"host or port change, the secret must be sent again.",
		.min = 1, .max = 2048, .example = "\"https://example.com/oauth/token\"" },
	{ "scope", FLD_STR, FLD_LIST | FLD_LINE,
		"The scopes to ask for when a connection does not name its own.", .min = 1,
		.max = 1024, .example = "[\"read_orders\",\"write_orders\"]" },
	{ "scopeDelimiter", FLD_STR, FLD_LINE, "What stands between two scopes.", .min = 1,
		.max = 8, .def = "\" \"", .example = "\",\"" },
	{ NULL },
};

static const struct fld *const tables[] = { res_rows_head, rows, res_rows_tail, NULL };

static const char *const examples[] = {
	"{\"name\":\"Our shop app\",\"provider\":\"shopify\",\"clientId\":\"my_client_id\","
	"\"clientSecret\":\"my_client_secret\",\"tokenURI\":\"https://shop.example.com/oauth/"
	"token\",\"scope\":[\"read_orders\"],"
	"\"scopeDelimiter\":\",\"}",
	NULL,
};

const struct res_def res_iclient = {
	.type = "iclient",
	.segment = "iclients",
	.title = "iClient",
	.text = "An iClient holds the client id and secret that an application issued for OAuth "
		"2.0. Connections that use OAuth name it in rest._iClientId.",
	.tables = tables,
	.examples = examples,
};

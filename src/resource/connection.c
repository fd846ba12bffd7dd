/*
 * connection.c - the rows of a connection: where an application is and what it wants as proof.
 */
#include "resource/resource_priv.h"

static const struct fld rows[] = {
	{ "name", FLD_STR, FLD_INDEXED, "Give your connection an intuitive name to stay organized.",
		.min = 1, .max = 512, .example = "\"Shop API\"" },
	{ "type", FLD_ENUM, FLD_REQUIRED,
		"The kind of application: it decides which section the document has.",
		.values = "rest", .values_later = "netsuite|ftp|http|wrapper|salesforce|sftp|s3",
		.example = "\"rest\"" },
	{ "offline", FLD_BOOL, 0,
		"True while the application can't be used: flows that need this connection wait. "
		"Set it to keep an application from being called.",
		.def = "false", .example = "true" },
	{ "queues", FLD_OBJECT, FLD_LIST | FLD_READ_ONLY | FLD_LIVE,
		"The connection's queue: its name is the connection's own _id, its size the number "
		"of messages for the application. A message is a record of a page that a flow has "
		"in work: it waits for the connection, or is on its way.",
		.example = "[{\"name\":\"5587092ef78228000000000a\",\"size\":0}]" },
	{ "queues[].name", FLD_STR, 0, "The connection's own _id.",
		.example = "\"5587092ef78228000000000a\"" },
	{ "queues[].size", FLD_INT, 0, "How many messages there are at this moment.", .min = 0,
		.max = INT32_MAX, .example = "0" },
	{ "debugDate", FLD_TIME, 0,
		"Until when requests and answers of this connection are kept for its debug log; "
		"secrets in them are masked.",
		.example = "\"2017-06-19T21:27:09.945Z\"" },
	ROW_INTEGRATION,
	{ NULL },
};

static const struct fld rest_rows[] = {
	{ "rest", FLD_OBJECT, FLD_REQUIRED, "How to reach an application with a RESTful JSON API.",
		.when = "type=rest" },
	{ "rest.mediaType", FLD_ENUM, 0,
		"What bodies are sent in. `json`. `urlencoded`: the form of HTML forms; of an "
		"object inside an object the fields are named `a[b]`, of an array `a[0]`. `xml`: "
		"bodies are texts, in which `{{htmlEncode name}}` is a value that can't be markup; "
		"answers are XML unless they say that they are JSON. An answer "
		"that says it is XML is read as XML in any case: an element becomes a field, "
		"attributes stand under `$`.",
		.values = "json|urlencoded|xml", .values_later = "csv", .def = "\"json\"",
		.example = "\"json\"" },
	{ "rest.baseURI", FLD_URL, FLD_REQUIRED | FLD_SECRETS_GO,
		"What every relative URI of exports and imports is appended to. When its scheme, "
		"host or port change, the secrets must be sent again: a stored one goes to no "
		"server but the one it was given for.",
		.min = 1, .max = 2048, .example = "\"https://api.example.com/v1\"" },
	{ "rest.authType", FLD_ENUM, 0,
		"How requests prove who they are: `basic` by rest.basicAuth, `token` by "
		"rest.bearerToken, `custom` by rest.headers alone, `cookie` by the cookies that a "
		"login by rest.cookieAuth sets, `oauth` by a token that ends and is fetched anew "
		"at rest.tokenURI (OAuth 2.0). When it is not set, the fields that are filled say "
		"it.",
		.values = "basic|token|custom|oauth|cookie", .values_later = "jwt|hmac|wsse|oauth1",
		.example = "\"token\"" },
	{ "rest.bearerToken", FLD_STR, FLD_SECRET | FLD_LINE,
		"The token that the application gave you; it is sent as rest.tokenLocation says. "
		"With "
		"OAuth 2.0 it is replaced when it ends.",
		.min = 1, .max = 16384, .example = "\"my_api_token\"" },
	{ "rest.tokenLocation", FLD_ENUM, 0,
		"Where the token goes: into a header, into the query of every URL, or into every "
		"request's body, which then can't be a GET.",
		.values = "header|url|body", .def = "\"header\"", .example = "\"header\"" },
	{ "rest.tokenParam", FLD_STR, FLD_LINE,
		"The name of the query parameter, or of the body's field, that carries the token "
		"when rest.tokenLocation is `url` or `body`.",
		.min = 1, .max = 256, .def = "\"access_token\"", .example = "\"api_key\"" },
	{ "rest.scope", FLD_STR, FLD_LIST | FLD_LINE,
		"OAuth 2.0 scopes to ask for with every new token. Not set: those that were "
		"granted.",
		.min = 1, .max = 1024, .example = "[\"orders.read\",\"orders.write\"]" },
	{ "rest.scopeDelimiter", FLD_STR, FLD_LINE, "What stands between two scopes.", .min = 1,
		.max = 8, .def = "\" \"", .example = "\",\"" },
	{ "rest.refreshToken", FLD_STR, FLD_SECRET | FLD_LINE,
		"The OAuth 2.0 token by which a new bearer token is fetched when there is none, "
		"when "
		"it ends, or when a request is answered 401. An application that answers with "
		"another one has it stored here.",
		.min = 1, .max = 16384, .example = "\"my_refresh_token\"" },
	{ "rest.tokenURI", FLD_URL, FLD_LINE | FLD_SECRETS_GO,
		"The application's OAuth 2.0 token endpoint, where new tokens are fetched. When "
		"its "
		"scheme, host or port change, the secrets must be sent again, as with "
		"rest.baseURI. "
		"The clientSecret of the iClient goes there only when the iClient's own tokenURI "
		"names the same server.",
		.min = 1, .max = 2048, .example = "\"https://example.com/oauth/token\"" },
	{ "rest.tokenAuth", FLD_ENUM, 0,
		"How the client id and secret are sent to rest.tokenURI: by HTTP Basic "
		"authentication (RFC 6749, 2.3.1), or in the form's body. A client without a "
		"secret "
		"always sends its id in the body.",
		.values = "basic|body", .def = "\"basic\"", .example = "\"body\"" },
	{ "rest.tokenExpiresAt", FLD_TIME, 0,
		"When rest.bearerToken is fetched anew: set with every new token, from what the "
		"application says of its life, less a quarter and at most a minute. Not set: the "
		"token is used until it is answered with 401.",
		.example = "\"2017-06-19T21:27:09.945Z\"" },
	{ "rest.authURI", FLD_URL, 0,
		"The application's OAuth 2.0 authorization page, where a user gives access: GET "
		"/v1/connections/{_id}/oauth2 answers the URL to open there.",
		.min = 1, .max = 2048, .example = "\"https://example.com/oauth/authorize\"" },
	{ "rest.authHeader", FLD_TOKEN, 0, "The name of the header that carries the token.",
		.min = 1, .max = 256, .def = "\"Authorization\"", .example = "\"X-Api-Key\"" },
	{ "rest.authScheme", FLD_TOKEN, 0,
		"The word before the token in its header; the empty string sends the bare token.",
		.min = 0, .max = 64, .def = "\"Bearer\"", .example = "\"OAuth\"" },
	{ "rest.basicAuth", FLD_OBJECT, 0,
		"User name and password for HTTP Basic authentication (RFC 7617)." },
	{ "rest.basicAuth.username", FLD_STR, FLD_REQUIRED | FLD_LINE,
		"The user's name; it can't hold a colon.", .min = 1, .max = 1024,
		.example = "\"integrator\"" },
	{ "rest.basicAuth.password", FLD_STR, FLD_SECRET | FLD_LINE, "The user's password.",
		.min = 0, .max = 4096, .example = "\"my_password\"" },
	{ "rest.cookieAuth", FLD_OBJECT, 0,
		"The login of authType `cookie`: one request before all others, whose answer sets "
		"cookies. They are sent back to the connection's own origin only; an answer of "
		"401 logs in again, once." },
	{ "rest.cookieAuth.uri", FLD_STR, FLD_REQUIRED | FLD_LINE,
		"What to ask for: relative to rest.baseURI, or a URL of the same origin.", .min = 1,
		.max = 8192, .example = "\"/session\"" },
	{ "rest.cookieAuth.method", FLD_ENUM, 0, "The HTTP method of the login.",
		.values = "GET|POST|PUT", .def = "\"POST\"", .example = "\"POST\"" },
	{ "rest.cookieAuth.body", FLD_ANY, 0,
		"The body of the login: a JSON value, or a text. It is answered in clear text: "
		"keep the password in rest.encrypted and write "
		"`{{connection.rest.encrypted.password}}` here.",
		.example = "{\"user\":\"me\",\"password\":"
			   "\"{{connection.rest.encrypted.password}}\"}" },
	{ "rest.cookieAuth.successStatusCode", FLD_INT, 0,
		"The status of a login that succeeded. Not set: any below 400.", .min = 100,
		.max = 599, .example = "200" },
	{ "rest.encrypted", FLD_MAP, FLD_SECRET,
		"Secrets of your own by name. In headers, in the login, in ping requests and in "
		"exports `{{connection.rest.encrypted.name}}` stands for their values.",
		.example = "{\"password\":\"my_password\"}" },
	{ "rest.unencrypted", FLD_MAP, 0,
		"The same for values that are no secret: "
		"`{{connection.rest.unencrypted.name}}`.",
		.example = "{\"region\":\"eu\"}" },
	{ "rest._iClientId", FLD_REF, 0,
		"The _id of the iClient whose client id and secret are used with OAuth 2.0.",
		.values = "iclient", .example = "\"5587092fd78228000000000f\"" },
	{ "rest.info", FLD_MAP, FLD_UNUSED,
		"What the application told about the user or account while access was granted.",
		.example = "{\"team\":\"Example\"}" },
	{ "rest.pingRelativeURI", FLD_STR, FLD_LINE,
		"A relative URI that answers with 2xx when the connection works.", .min = 1,
		.max = 2048, .example = "\"/me\"" },
	{ "rest.pingMethod", FLD_ENUM, 0, "The HTTP method of a ping.",
		.values = "GET|POST|PUT|HEAD", .def = "\"GET\"", .example = "\"POST\"" },
	{ "rest.pingBody", FLD_ANY, 0,
		"The body of a ping by POST or PUT: a JSON value, or a text.",
		.example = "{\"query\":\"{ me { id } }\"}" },
	{ "rest.pingSuccessPath", FLD_STR, FLD_LINE,
		"A dotted path in the answer: what stands there must be one of "
		"rest.pingSuccessValues, or anything but false, empty or null when there are none.",
		.min = 1, .max = 1024, .example = "\"ok\"" },
	{ "rest.pingSuccessValues", FLD_STR, FLD_LIST,
		"The values of a success, compared as texts.", .min = 0, .max = 1024,
		.example = "[\"true\"]" },
	{ "rest.pingFailurePath", FLD_STR, FLD_LINE,
		"A dotted path in the answer: when one of rest.pingFailureValues stands there, or "
		"anything when there are none, the ping has failed in spite of its status.",
		.min = 1, .max = 1024, .example = "\"error\"" },
	{ "rest.pingFailureValues", FLD_STR, FLD_LIST,
		"The values of a failure, compared as texts.", .min = 0, .max = 1024,
		.example = "[\"invalid_auth\"]" },
	ROWS_HEADERS("rest.headers", "to this application"),
	{ "rest.disableStrictSSL", FLD_BOOL, 0,
		"True accepts certificates that can't be verified. Anyone between here and the "
		"application can then read and change what is sent.",
		.def = "false", .example = "true" },
	{ "rest.retryHeader", FLD_TOKEN, 0,
		"The header that says when to come back, in place of Retry-After: seconds, a date, "
		"or an instant as Unix time.",
		.min = 1, .max = 256, .def = "\"Retry-After\"",
		.example = "\"X-RateLimit-Reset\"" },
	{ "rest.concurrencyLevel", FLD_INT, 0,
		"How many requests may be in the air to this application at once, over all that "
		"use the connection: exports, imports and lookups of all flows, and calls. Flows "
		"send their pages in turn; the other requests go first come, first served.",
		.min = 1, .max = LIMIT_CONNECTION_CONCURRENCY_MAX, .def = "16", .example = "4" },
	{ NULL },
};

static void check_oauth(const struct json *doc, struct problems *p)
{
	if (res_at(doc, "rest.tokenURI") == NULL)
		problems_add(p, ERR_MISSING, "rest.tokenURI", NULL,
			"rest.tokenURI is required with OAuth 2.0 (rest.authType oauth, or "
			"rest.refreshToken): it is where new tokens are fetched");
	if (res_at(doc, "rest._iClientId") == NULL)
		problems_add(p, ERR_MISSING, "rest._iClientId", NULL,
			"rest._iClientId is required with OAuth 2.0 (rest.authType oauth, or "
			"rest.refreshToken): the iClient has the client id");
}

static void check_auth(const struct json *doc, struct problems *p)
{
	const struct json *token = res_at(doc, "rest.bearerToken");
	const struct json *basic = res_at(doc, "rest.basicAuth");

	if (res_is(doc, "rest.authType", "token") && token == NULL)
		problems_add(p, ERR_MISSING, "rest.bearerToken", NULL,
			"rest.bearerToken is required when rest.authType is token");
	if (res_is(doc, "rest.authType", "basic") && basic == NULL)
		problems_add(p, ERR_MISSING, "rest.basicAuth.username", NULL,
			"rest.basicAuth.username is required when rest.authType is basic");
	if (res_is(doc, "rest.authType", "cookie") && res_at(doc, "rest.cookieAuth") == NULL)
		problems_add(p, ERR_MISSING, "rest.cookieAuth.uri", NULL,
			"rest.cookieAuth.uri is required when rest.authType is cookie");
	if (res_is(doc, "rest.authType", "oauth") || res_at(doc, "rest.refreshToken") != NULL)
		check_oauth(doc, p);
	if (res_at(doc, "rest.authType") == NULL && basic != NULL &&
		res_at(doc, "rest.refreshToken") != NULL)
		problems_add(p, ERR_INVALID, "rest.authType", "set it to oauth or basic",
			"rest.authType must say which is used: rest.refreshToken and "
			"rest.basicAuth are both set");
	else if (res_at(doc, "rest.authType") == NULL && token != NULL && basic != NULL)
		problems_add(p, ERR_INVALID, "rest.authType", "set it to token or basic",
			"rest.authType must say which is used: rest.bearerToken and rest.basicAuth "
			"are both set");
}

static void check(const struct json *doc, struct problems *p)
{
	struct str user = json_get_str(res_at(doc, "rest.basicAuth"), STR("username"));

	if (user.p != NULL && str_find_char(user, ':') != STR_NPOS)
		problems_add(p, ERR_INVALID, "rest.basicAuth.username", NULL,
			"rest.basicAuth.username must not hold a colon: HTTP Basic authentication "
			"ends the name there");
	if (str_find_char(json_get_str(res_at(doc, "rest"), STR("baseURI")), '?') != STR_NPOS)
		problems_add(p, ERR_INVALID, "rest.baseURI",
			"rest.query of an export, and rest.tokenLocation, add parameters",
			"rest.baseURI must be a URL without a query (?...): relative URIs are put "
			"behind it");
	if (res_at(doc, "rest.pingBody") != NULL &&
		(res_at(doc, "rest.pingMethod") == NULL || res_is(doc, "rest.pingMethod", "GET") ||
			res_is(doc, "rest.pingMethod", "HEAD")))
		problems_add(p, ERR_INVALID, "rest.pingMethod",
			"set it to POST, or leave rest.pingBody out",
			"rest.pingBody is only sent when rest.pingMethod is POST or PUT");
	check_auth(doc, p);
	res_check_headers(doc, "rest.headers", p);
	res_check_header_texts(doc, "rest.headers", true, p);
	res_check_text_at(doc, "rest.cookieAuth.uri", true, p);
	res_check_body_at(doc, "rest.cookieAuth.body", true, p);
	res_check_text_at(doc, "rest.pingRelativeURI", true, p);
	res_check_body_at(doc, "rest.pingBody", true, p);
	res_check_extract_at(doc, "rest.pingSuccessPath", p);
	res_check_extract_at(doc, "rest.pingFailurePath", p);
}

static const struct fld *const tables[] = { res_rows_head, rows, rest_rows, res_rows_tail, NULL };

static const char *const examples[] = {
	"{\"name\":\"Shop API\",\"type\":\"rest\",\"rest\":{\"mediaType\":\"json\","
	"\"baseURI\":\"https://api.example.com/v1\",\"bearerToken\":\"my_api_token\","
	"\"pingRelativeURI\":\"/me\",\"concurrencyLevel\":4}}",
	"{\"name\":\"Helpdesk\",\"type\":\"rest\",\"rest\":{"
	"\"baseURI\":\"https://example.zendesk.com/api/v2\",\"authType\":\"basic\","
	"\"basicAuth\":{\"username\":\"agent@example.com/token\",\"password\":\"my_password\"}}}",
	"{\"name\":\"Chat\",\"type\":\"rest\",\"rest\":{\"baseURI\":\"https://chat.example.com/"
	"api\","
	"\"authType\":\"token\",\"bearerToken\":\"my_api_token\",\"tokenLocation\":\"url\","
	"\"tokenParam\":\"token\"}}",
	"{\"name\":\"ERP\",\"type\":\"rest\",\"rest\":{\"baseURI\":\"https://erp.example.com/api\","
	"\"authType\":\"cookie\",\"cookieAuth\":{\"uri\":\"/login\",\"body\":{\"user\":\"me\","
	"\"password\":\"{{connection.rest.encrypted.password}}\"}},"
	"\"encrypted\":{\"password\":\"my_password\"}}}",
	"{\"name\":\"Accounting\",\"type\":\"rest\",\"rest\":{\"baseURI\":"
	"\"https://api.example.com/v2\",\"authType\":\"oauth\",\"refreshToken\":"
	"\"my_refresh_token\",\"tokenURI\":\"https://login.example.com/oauth/token\","
	"\"_iClientId\":\"5587092fd78228000000000f\"}}",
	NULL,
};

const struct res_def res_connection = {
	.type = "connection",
	.segment = "connections",
	.title = "Connection",
	.text = "Connections are used to store credentials, along with other access information "
		"for an application or system. Exports and imports name the connection that they "
		"use.",
	.tables = tables,
	.examples = examples,
	.check = check,
};

/*
 * export_webhook.c - the rows of a listener: how a posted event proves where it comes from, what its
 * id is, and how it is answered.
 *
 * Which fields go together depends on the kind of proof, which a preset knows by itself; so these
 * rows have no conditions of their own, and one table says what each kind needs.
 */
#include "adaptor/webhook/webhook.h"
#include "resource/resource_priv.h"

#define ROWS_ANSWER_HEADERS(path, whose)                                                   \
	{ path, FLD_OBJECT, FLD_LIST, "Headers of " whose ".",                             \
		.example = "[{\"name\":\"X-Taken\",\"value\":\"yes\"}]" },                 \
		{ path "[].name", FLD_TOKEN, FLD_REQUIRED, "The header's name.", .min = 1, \
			.max = 256, .example = "\"X-Taken\"" },                            \
	{                                                                                  \
		path "[].value", FLD_STR, FLD_REQUIRED | FLD_LINE, "The header's value.",  \
			.min = 0, .max = 1024, .example = "\"yes\""                        \
	}

#define SECRET_URL_BYTES_MIN 16

const struct fld res_rows_webhook[] = {
	{ "webhook", FLD_OBJECT, 0,
		"How a posted event proves where it comes from, and how it is answered. Events are "
		"posted to /v1/exports/{_id}/data, or to /{apiIdentifier}.",
		.when = "type=webhook" },
	{ "webhook.provider", FLD_ENUM, 0,
		"A preset for a well-known sender: its header, algorithm, time window and event "
		"id are known, and only its secret (webhook.key, or webhook.token) is set. Those "
		"that sign nothing have webhook.token in the URL, as with `secret_url`; stripe, "
		"intercom and pagerduty too when they are given a token in place of a key. "
		"`custom`, or not set: webhook.verify and the fields that it needs say how.",
		.values = "custom|svix|github|gitlab|shopify|woocommerce|stripe|calendly|paddle|"
			  "slack|zendesk|typeform|intercom|pagerduty|dropbox|meta|"
			  "activecampaign|aha|box|jira|mailchimp|mailparser|mailparser-io|parseur|"
			  "postmark|recurly|sapariba|segment",
		.example = "\"github\"" },
	{ "webhook.verify", FLD_ENUM, 0,
		"`hmac`: by a keyed digest of the body in a header. `token`: by a shared secret in "
		"the body, a header or the query. `basic`: by user name and password. "
		"`secret_url`: by a secret in the path, /v1/exports/{_id}/{token}/data. "
		"`standard`: as Standard Webhooks says. Not needed with a provider.",
		.values = "hmac|token|basic|secret_url|standard", .example = "\"hmac\"" },
	{ "webhook.token", FLD_STR, FLD_SECRET | FLD_LINE,
		"The shared secret that the event must hold; with `meta` the verify token of the "
		"handshake. With `secret_url`, where it is all that keeps strangers out, at least "
		"16 bytes.",
		.min = 1, .max = 1024, .example = "\"my_webhook_token\"" },
	{ "webhook.path", FLD_STR, FLD_LINE, "The dotted path of the shared secret in the body.",
		.min = 1, .max = 1024, .example = "\"verification.token\"" },
	{ "webhook.tokenLocation", FLD_ENUM, 0, "Where the shared secret stands in the request.",
		.values = "body|header|queryParam", .def = "\"body\"", .example = "\"header\"" },
	{ "webhook.tokenHeaderName", FLD_TOKEN, 0, "The header that carries the shared secret.",
		.min = 1, .max = 256, .example = "\"Authorization\"" },
	{ "webhook.tokenHeaderScheme", FLD_ENUM, 0,
		"What stands before the shared secret in the header: the word Bearer, or nothing.",
		.values = "bearer|none", .values_later = "custom", .def = "\"none\"",
		.example = "\"bearer\"" },
	{ "webhook.tokenQueryParamName", FLD_STR, FLD_LINE,
		"The query parameter that carries the shared secret.", .min = 1, .max = 256,
		.example = "\"token\"" },
	{ "webhook.algorithm", FLD_ENUM, 0, "The digest's algorithm.",
		.values = "sha1|sha256|sha384|sha512", .example = "\"sha256\"" },
	{ "webhook.encoding", FLD_ENUM, 0, "How the digest is written in the header.",
		.values = "hex|base64", .example = "\"hex\"" },
	{ "webhook.key", FLD_STR, FLD_SECRET,
		"The key of the digest, as the application has it too. With `standard` and `svix`: "
		"whsec_ and base64.",
		.min = 1, .max = 1024, .example = "\"my_webhook_key\"" },
	{ "webhook.previousKey", FLD_STR, FLD_SECRET,
		"The key before a rotation; signatures by it are taken too as long as it is set.",
		.min = 1, .max = 1024, .example = "\"my_old_webhook_key\"" },
	{ "webhook.header", FLD_TOKEN, 0,
		"The header that carries the digest; letter case does not matter, and the "
		"algorithm's name may stand before it (sha256=...).",
		.min = 1, .max = 256, .example = "\"X-Apple-Banana\"" },
	{ "webhook.username", FLD_STR, FLD_LINE, "The user's name; it can't hold a colon.",
		.min = 1, .max = 1024, .example = "\"integrator\"" },
	{ "webhook.password", FLD_STR, FLD_SECRET | FLD_LINE, "The user's password.", .min = 1,
		.max = 1024, .example = "\"my_password\"" },
	{ "webhook.idHeader", FLD_TOKEN, 0,
		"The header that carries the event's id. An id that was seen before, within "
		"webhook.dedupeWindow, is answered as success and not run again.",
		.min = 1, .max = 256, .example = "\"X-Event-Id\"" },
	{ "webhook.idPath", FLD_STR, FLD_LINE,
		"The dotted path of the event's id in the body, where no header carries it.",
		.min = 1, .max = 1024, .example = "\"event.id\"" },
	{ "webhook.dedupeWindow", FLD_INT, 0,
		"How many hours an event's id is remembered. 0: repeats are not looked for.",
		.min = 0, .max = 168, .def = "72", .example = "24" },
	{ "webhook.successStatusCode", FLD_INT, 0,
		"The status of the answer to an event that is on disk. Not set: 204, on "
		"/{apiIdentifier} and with a webhook.successBody 200.",
		.min = 200, .max = 299, .example = "202" },
	{ "webhook.successBody", FLD_STR, 0, "The body of that answer.", .min = 1, .max = 8192,
		.example = "\"ok\"" },
	{ "webhook.successMediaType", FLD_ENUM, 0, "What that body is.",
		.values = "json|xml|plaintext", .def = "\"plaintext\"", .example = "\"json\"" },
	ROWS_ANSWER_HEADERS("webhook.successResponseHeaders", "that answer"),
	{ "webhook.challengePath", FLD_STR, FLD_LINE,
		"The dotted path of a challenge in the body: an event that has a text there is "
		"answered with it and not stored.",
		.min = 1, .max = 1024, .example = "\"challenge\"" },
	{ "webhook.challengeQueryParam", FLD_STR, FLD_LINE,
		"The query parameter that a GET of the listener's URL wants back.", .min = 1,
		.max = 256, .example = "\"challenge\"" },
	{ "webhook.challengeSuccessStatusCode", FLD_INT, 0,
		"The status of the answer to a challenge.", .min = 200, .max = 299, .def = "200",
		.example = "200" },
	{ "webhook.challengeSuccessBody", FLD_STR, 0,
		"The body of the answer to a challenge; {{challenge}} in it stands for the text. "
		"Not set: the text itself.",
		.min = 1, .max = 8192, .example = "\"{\\\"challenge\\\":\\\"{{challenge}}\\\"}\"" },
	{ "webhook.challengeSuccessMediaType", FLD_ENUM, 0, "What that body is.",
		.values = "json|xml|plaintext", .def = "\"plaintext\"", .example = "\"json\"" },
	ROWS_ANSWER_HEADERS("webhook.challengeSuccessResponseHeaders", "the answer to a challenge"),
	{ NULL },
};

/* What each kind of proof takes: 'n' needed, 'm' may be. */
static const struct {
	const char *kind, *field;
	char use;
} uses[] = {
	{ "hmac", "algorithm", 'n' },
	{ "hmac", "encoding", 'n' },
	{ "hmac", "key", 'n' },
	{ "hmac", "header", 'n' },
	{ "hmac", "previousKey", 'm' },
	{ "token", "token", 'n' },
	{ "token", "path", 'm' },
	{ "token", "tokenLocation", 'm' },
	{ "token", "tokenHeaderName", 'm' },
	{ "token", "tokenHeaderScheme", 'm' },
	{ "token", "tokenQueryParamName", 'm' },
	{ "basic", "username", 'n' },
	{ "basic", "password", 'n' },
	{ "secret_url", "token", 'n' },
	{ "standard", "key", 'n' },
	{ "standard", "previousKey", 'm' },
	/* presets */
	{ "key", "key", 'n' },
	{ "key", "previousKey", 'm' },
	{ "key and token", "key", 'n' },
	{ "key and token", "token", 'n' },
	{ "key and token", "previousKey", 'm' },
	{ "only token", "token", 'n' },
};
static const char *const fields_of_proofs[] = { "algorithm", "encoding", "key", "header",
	"previousKey", "token", "path", "tokenLocation", "tokenHeaderName", "tokenHeaderScheme",
	"tokenQueryParamName", "username", "password" };

static const struct json *field_at(const struct json *doc, const char *field)
{
	return json_get(json_get(doc, STR("webhook")), str_z(field));
}

static const char *path_of(struct problems *p, const char *field)
{
	return str_fmt(p->arena, "webhook.%s", field).p;
}

static char use_of(struct str kind, const char *field)
{
	for (size_t i = 0; i < ARRAY_LEN(uses); i++)
		if (str_eq_z(kind, uses[i].kind) && strcmp(uses[i].field, field) == 0)
			return uses[i].use;
	return '-';
}

static void check_uses(const struct json *doc, struct str kind, const char *when,
	struct problems *p)
{
	for (size_t i = 0; i < ARRAY_LEN(uses); i++)
		if (str_eq_z(kind, uses[i].kind) && uses[i].use == 'n' &&
			field_at(doc, uses[i].field) == NULL)
			problems_add(p, ERR_MISSING, path_of(p, uses[i].field), NULL,
				"webhook.%s is required when %s", uses[i].field, when);
	for (size_t i = 0; i < ARRAY_LEN(fields_of_proofs); i++)
		if (field_at(doc, fields_of_proofs[i]) != NULL &&
			use_of(kind, fields_of_proofs[i]) == '-')
			problems_add(p, ERR_INVALID, path_of(p, fields_of_proofs[i]),
				"leave it out", "webhook.%s is not used when %s",
				fields_of_proofs[i], when);
}

/* Where a token stands says which of three fields names the place. */
static void check_token_place(const struct json *doc, struct problems *p)
{
	const char *field = "path", *when = "webhook.verify is token";

	if (res_is(doc, "webhook.tokenLocation", "header")) {
		field = "tokenHeaderName";
		when = "webhook.tokenLocation is header";
	} else if (res_is(doc, "webhook.tokenLocation", "queryParam")) {
		field = "tokenQueryParamName";
		when = "webhook.tokenLocation is queryParam";
	}
	if (field_at(doc, field) == NULL)
		problems_add(p, ERR_MISSING, path_of(p, field), NULL,
			"webhook.%s is required when %s", field, when);
}

/* It is the only proof, and anybody may try: as long as that a guess is hopeless. */
static void check_secret_url(const struct json *doc, struct problems *p)
{
	const struct json *token = field_at(doc, "token");

	/* a stored one that stays is sealed here, and was looked at when it was given */
	if (!json_is_str(token) || seal_is(json_str(token)) || token->n >= SECRET_URL_BYTES_MIN)
		return;
	problems_add(p, ERR_INVALID, "webhook.token",
		"take a random one, such as the 32 digits of `openssl rand -hex 16`",
		"webhook.token must have at least %d bytes when webhook.verify is secret_url, "
		"since "
		"whoever guesses it can post; found %u",
		SECRET_URL_BYTES_MIN, (unsigned)token->n);
}

static void check_preset(const struct json *doc, const struct webhook_scheme *s, struct problems *p)
{
	const struct json *verify = field_at(doc, "verify");
	const char *when = str_fmt(p->arena, "webhook.provider is %s", s->name).p;
	bool by_path = s->proof == WEBHOOK_PROOF_PATH ||
		       webhook_by_path(s, json_get(doc, STR("webhook")));
	struct str kind = s->proof == WEBHOOK_PROOF_TOKEN || by_path ? STR("only token")
			  : s->challenge_token_query != NULL         ? STR("key and token")
								     : STR("key");

	const char *kind_of_proof = by_path ? "secret_url" : s->verify;

	if (json_is_str(verify) && !str_eq_z(json_str(verify), kind_of_proof))
		problems_add(p, ERR_INVALID, "webhook.verify", "leave it out",
			"webhook.verify is %s when %s", kind_of_proof, when);
	check_uses(doc, kind, when, p);
}

static void check_proof(const struct json *doc, struct problems *p)
{
	const struct json *provider = field_at(doc, "provider"), *verify = field_at(doc, "verify");
	const struct webhook_scheme *s = NULL;

	if (provider != NULL && !json_is_str(provider))
		return; /* at fault already */
	if (provider != NULL)
		s = webhook_scheme_of(json_str(provider));
	if (s != NULL) {
		check_preset(doc, s, p);
	} else if (verify == NULL) {
		problems_add(p, ERR_MISSING, "webhook.verify", NULL,
			"webhook.verify is required when webhook.provider is not set");
	} else if (json_is_str(verify)) {
		check_uses(doc, json_str(verify),
			str_fmt(p->arena, "webhook.verify is %.*s", STR_ARG(json_str(verify))).p,
			p);
		if (str_eq_z(json_str(verify), "token"))
			check_token_place(doc, p);
		else if (str_eq_z(json_str(verify), "secret_url"))
			check_secret_url(doc, p);
	}
}

#define ANSWER_HEADERS_MAX 20

/* Those that the server writes itself would stand there twice. */
static void check_answer_headers(const struct json *doc, const char *name, struct problems *p)
{
	static const char *const ours[] = { "Content-Type", "Date", "Request-Id", "Traceparent",
		"X-Content-Type-Options", "Integrator-Event-Id" };
	const struct json *list = field_at(doc, name);
	size_t i = 0;

	res_check_headers(doc, path_of(p, name), p);
	if (!json_is_array(list))
		return;
	if (list->n > ANSWER_HEADERS_MAX)
		problems_add(p, ERR_LIMIT, path_of(p, name), NULL,
			"webhook.%s can have at most %d headers", name, ANSWER_HEADERS_MAX);
	for (json_each (it, list)) {
		const char *field = str_fmt(p->arena, "webhook.%s.%zu.name", name, i++).p;

		for (size_t k = 0; k < ARRAY_LEN(ours); k++)
			if (str_eq_ci(json_get_str(it, STR("name")), str_z(ours[k])))
				problems_add(p, ERR_INVALID, field, "leave it out",
					"%s is %s, which every answer gets by itself", field,
					ours[k]);
	}
}

static void check_answers(const struct json *doc, struct problems *p)
{
	int64_t status;

	if (field_at(doc, "successBody") != NULL &&
		json_to_i64(field_at(doc, "successStatusCode"), &status) &&
		(status == 204 || status == 205))
		problems_add(p, ERR_INVALID, "webhook.successBody", NULL,
			"webhook.successBody can't be sent with the status %lld",
			(long long)status);
}

/* What only shows when the listener is compiled: keys that are no base64. */
static void check_compiles(const struct json *doc, struct problems *p)
{
	const struct json *key = field_at(doc, "key"), *old = field_at(doc, "previousKey");
	const struct webhook *w;
	struct err err = ERR_INIT;

	/* a stored key that stays is sealed here, and was looked at when it was given */
	if ((json_is_str(key) && seal_is(json_str(key))) ||
		(json_is_str(old) && seal_is(json_str(old))))
		return;
	if (!webhook_compile(p->arena, json_get(doc, STR("webhook")), &w, &err))
		problems_add_err(p, &err);
}

void res_check_webhook(const struct json *doc, struct problems *p)
{
	const struct json *user = field_at(doc, "username");

	check_proof(doc, p);
	check_answers(doc, p);
	check_answer_headers(doc, "successResponseHeaders", p);
	check_answer_headers(doc, "challengeSuccessResponseHeaders", p);
	if (json_is_str(user) && str_find_char(json_str(user), ':') != STR_NPOS)
		problems_add(p, ERR_INVALID, "webhook.username", NULL,
			"webhook.username must not hold a colon: HTTP Basic authentication ends "
			"the name there");
	res_check_extract_at(doc, "webhook.path", p);
	res_check_extract_at(doc, "webhook.idPath", p);
	res_check_extract_at(doc, "webhook.challengePath", p);
	if (p->count == 0)
		check_compiles(doc, p);
}

/*
 * oauth_handlers.c - giving a connection access in a browser: the URL to open, and the page behind it.
 *
 * The page is for people, so it is plain text: whatever an application or a stranger puts into the URL is shown
 * as it is and can do nothing. Neither code nor state is logged: access logs have no query.
 */
#include "api/calls_priv.h"
#include "engine/grants.h"

#define CALLBACK  "/connection/oauth2callback"
#define SHOWN_MAX 300
#define CODE_MAX  4096

/* As users reach this server: --public-url, else by what this request was sent to. */
static struct str redirect_uri(const struct api_request *rq)
{
	const struct api_config *cfg = &rq->api->cfg;

	if (cfg->public_url.n > 0)
		return str_fmt(rq->x->arena, "%.*s" CALLBACK, STR_ARG(cfg->public_url));
	return str_fmt(rq->x->arena, "%s://%.*s" CALLBACK,
		cfg->tls_cert_file != NULL ? "https" : "http",
		STR_ARG(http_request_header(rq->x, STR("Host"))));
}

void handle_connection_oauth2(struct api_request *rq)
{
	struct invocation *v DEFER(call_endp) = call_begin(rq);
	struct err err = ERR_INIT;
	struct json_build b;
	struct str url;

	if (v == NULL)
		return;
	if (!invoke_connection(v, rq->match.params[0], &err) ||
		!invoke_grant_url(v, redirect_uri(rq), &url, &err)) {
		api_fail(rq, &err);
		return;
	}
	json_build_init(&b, rq->x->arena);
	json_build_object(&b);
	json_add_str(&b, STR("url"), url);
	json_build_end(&b);
	api_answer(rq, 200, json_print_arena(rq->x->arena, json_build_done(&b)));
}

static void page(struct api_request *rq, int status, struct str text)
{
	rq->x->status = status;
	rq->x->res_body = text;
	api_header(rq, "Content-Type", STR("text/plain; charset=utf-8"));
	api_header(rq, "X-Content-Type-Options", STR("nosniff"));
	api_header(rq, "Referrer-Policy", STR("no-referrer"));
	api_header(rq, "Cache-Control", STR("no-store"));
}

static void page_failed(struct api_request *rq, const struct err *err)
{
	page(rq, err_info(err->code)->status,
		str_fmt(rq->x->arena, "Access was not given: %s.%s%s%s\n", err->message,
			err->hint[0] != '\0' ? " What to do: " : "", err->hint,
			err->hint[0] != '\0' ? "." : ""));
}

/* The user said no, or the application did (RFC 6749, 4.1.2.1). */
static bool check_error(const struct api_request *rq, struct err *err)
{
	struct str error = http_request_query(rq->x, STR("error"));
	struct str words = http_request_query(rq->x, STR("error_description"));

	if (error.n == 0)
		return true;
	return err_set(err, ERR_FORBIDDEN, "the application says %.*s%s%.*s",
		STR_ARG(str_sub(error, 0, SHOWN_MAX)), words.n > 0 ? ": " : "",
		STR_ARG(str_sub(words, 0, SHOWN_MAX)));
}

static bool take_code(struct api_request *rq, struct invocation *v, const struct grant_claim *claim,
	struct err *err)
{
	struct str code = http_request_query(rq->x, STR("code"));

	if (code.n == 0 || code.n > CODE_MAX)
		return err_set(err, ERR_QUERY, "the application sent no code of 1 to %d bytes",
			CODE_MAX);
	return invoke_connection(v, str_z(claim->connection_id), err) &&
	       invoke_grant(v, claim, code, err);
}

static void take(struct api_request *rq, const struct grant_claim *claim, struct err *err)
{
	struct buf pong DEFER(buf_free) = BUF_INIT(0);
	struct err unpinged = ERR_INIT;

	memcpy(rq->caller.account_id, claim->account_id, sizeof(claim->account_id));
	memcpy(rq->caller.connector_id, claim->connector_id, sizeof(claim->connector_id));
	struct invocation *v DEFER(call_endp) = call_begin(rq);

	if (v == NULL)
		return;
	if (!take_code(rq, v, claim, err)) {
		page_failed(rq, err);
		return;
	}
	/* one that went offline for want of a token is online again when it answers */
	bool ok = invoke_ping(v, &pong, &unpinged);

	page(rq, 200,
		str_fmt(rq->x->arena,
			"Access was given, and the connection has its tokens. You can close this "
			"page.\nPing: %.*s\n",
			STR_ARG(ok ? buf_str(&pong) : str_z(unpinged.message))));
}

void handle_oauth2_callback(struct api_request *rq)
{
	struct grant_claim claim;
	struct err err = ERR_INIT;

	if (!grant_claim(rq->api->cfg.engine, http_request_query(rq->x, STR("state")), &claim,
		    &err) ||
		!check_error(rq, &err))
		page_failed(rq, &err);
	else
		take(rq, &claim, &err);
	explicit_bzero(&claim, sizeof(claim));
}

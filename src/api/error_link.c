/*
 * error_link.c - links to error files, for spreadsheets and mails: they carry no token, but the account, when
 * they end, and a signature of both and the job by a key that this process made. So they end with the
 * process too, and nothing has to remember them.
 */
#include "api/error_handlers.h"

#include "crypt/digest.h"

#define LINK_MS ((int64_t)15 * 60 * 1000)

static struct str sign(struct api_request *rq, struct str account, struct str job, int64_t expires)
{
	struct arena *a = rq->x->arena;
	struct str text = str_fmt(a, "error-file/%.*s/%.*s/%lld", STR_ARG(account), STR_ARG(job),
		(long long)expires);
	unsigned char mac[HMAC_BYTES_MAX];
	char *hex = arena_alloc(a, SHA256_BYTES * 2);

	(void)hmac(HMAC_SHA256, str_of((const char *)rq->api->link_key, sizeof(rq->api->link_key)),
		text, mac);
	str_hex_put(hex, mac, SHA256_BYTES);
	return str_of(hex, SHA256_BYTES * 2);
}

/* {"signedURL"} */
void handle_job_error_link(struct api_request *rq)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct arena *a = rq->x->arena;
	struct str account = caller_account(&rq->caller), host;
	int64_t expires = clock_wall_ms(rq->api->cfg.clock) + LINK_MS;
	struct store_job job;
	struct json_build b;
	struct err err = ERR_INIT;

	if (!store_read_begin(rq->api->cfg.store, &c, &err) ||
		!store_job_get(c, a, account, rq->match.params[0], &job, &err)) {
		api_fail(rq, &err);
		return;
	}
	host = http_request_header(rq->x, STR("Host"));
	if (host.n > 0)
		host = str_fmt(a, "%s://%.*s",
			rq->api->cfg.tls_cert_file != NULL ? "https" : "http", STR_ARG(host));
	json_build_init(&b, a);
	json_build_object(&b);
	json_add_str(&b, STR("signedURL"),
		str_fmt(a, "%.*s/v1/jobs/%.*s/errorFile?account=%.*s&expires=%lld&signature=%.*s",
			STR_ARG(host), STR_ARG(job.id), STR_ARG(account), (long long)expires,
			STR_ARG(sign(rq, account, job.id, expires))));
	json_build_end(&b);
	api_answer(rq, 200, json_print_arena(a, json_build_done(&b)));
}

static bool read_link(struct api_request *rq, struct error_query *q, struct err *err)
{
	struct str job = rq->match.params[0], want;
	struct str account = http_request_query(rq->x, STR("account"));
	struct str signature = http_request_query(rq->x, STR("signature"));
	int64_t expires = 0;

	if (!id_valid(account) || !id_valid(job) || signature.n != SHA256_BYTES * 2 ||
		!str_to_i64(http_request_query(rq->x, STR("expires")), &expires))
		return err_set(err, ERR_FORBIDDEN, "the link is not whole");
	want = sign(rq, account, job, expires);
	if (!crypt_equal(signature.p, want.p, want.n))
		return err_set(err, ERR_FORBIDDEN,
			"the link was changed, or the server was started anew");
	if (expires < clock_wall_ms(rq->api->cfg.clock))
		return err_set(err, ERR_FORBIDDEN, "the link has expired");
	memcpy(rq->caller.account_id, account.p, ID_LEN);
	*q = (struct error_query){ .format = STR_INIT("csv"),
		.after = http_request_query(rq->x, STR("after")) };
	q->filter.job_id = job;
	q->filter.state = ERRORS_ALL;
	return true;
}

/* The file, to whoever has the link. */
void handle_job_error_file(struct api_request *rq)
{
	struct error_query q;
	struct err err = ERR_INIT;

	if (read_link(rq, &q, &err)) {
		error_list(rq, &q);
	} else {
		err_hint(&err, "GET /v1/jobs/{_id}/errorFile/signedURL gives a new one");
		api_fail(rq, &err);
	}
}

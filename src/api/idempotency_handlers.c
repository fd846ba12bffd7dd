/*
 * idempotency_handlers.c - requests that may be sent twice and must be done once.
 *
 * A mark goes to the disk before the work begins, the answer behind it. So a repeat finds the answer,
 * or the mark alone: then the first is under way, or the server ended in between and nobody can say
 * how far it came. It is refused, since to guess could do it twice. A request that failed did nothing
 * that a repeat could double: its mark goes.
 */
#include "api/handlers_priv.h"

#include "api/kept_answer.h"
#include "core/log.h"

#define KEY_BYTES_MAX 255

struct once {
	struct api_request *rq;
	struct store_idempotency row; /* of this request */
	struct store_idempotency kept;
	bool found;
};

static bool key_valid(struct str key)
{
	for (size_t i = 0; i < key.n; i++)
		if (key.p[i] < 0x21 || key.p[i] > 0x7E)
			return false;
	return key.n > 0 && key.n <= KEY_BYTES_MAX;
}

/* Where the kept answer belongs: sealed, since it may hold what is shown only once. */
static struct str place_of(struct arena *a, const struct store_idempotency *row)
{
	return str_fmt(a, "%.*s/idempotency/%.*s/response", STR_ARG(row->account_id),
		STR_ARG(row->key));
}

static bool begin_write(struct store_conn *c, void *arg, struct err *err)
{
	struct once *o = arg;
	struct err none = ERR_INIT;

	o->found = store_idempotency_get(c, o->rq->x->arena, o->row.account_id, o->row.key,
		o->row.created_ms, &o->kept, &none);
	if (o->found)
		return true;
	if (none.code != ERR_NOT_FOUND) {
		*err = none;
		return false;
	}
	return store_idempotency_put(c, &o->row, err);
}

static bool finish_write(struct store_conn *c, void *arg, struct err *err)
{
	struct once *o = arg;

	if (o->row.status >= 400)
		o->row.created_ms = 0;
	return store_idempotency_finish(c, &o->row, err);
}

static void refuse(struct api_request *rq, const struct once *o)
{
	struct err err = ERR_INIT;

	if (crypt_equal(o->kept.request_hash, o->row.request_hash, SHA256_BYTES)) {
		err_set_field(&err, ERR_CONFLICT, "Idempotency-Key",
			"the first request with this key, of %.*s, has no answer yet: it is under "
			"way, or the server stopped while it was",
			STR_ARG(time_iso(rq->x->arena, o->kept.created_ms)));
		err_hint(&err, "ask again in a moment; if this stays, look whether it was done "
			       "before you use another key");
		err.retry_after_s = 1;
	} else {
		err_set_field(&err, ERR_INVALID, "Idempotency-Key",
			"another request was sent with this key, at %.*s",
			STR_ARG(time_iso(rq->x->arena, o->kept.created_ms)));
		err_hint(&err, "a key stands for one request: take a new one for each");
	}
	api_fail(rq, &err);
}

/* It was done, but what was answered can't be told any more: its key is gone, or it was damaged. */
static void fail_unread(struct api_request *rq, const struct once *o)
{
	struct err err = ERR_INIT;

	err_set_field(&err, ERR_CONFLICT, "Idempotency-Key",
		"the request with this key was done, at %.*s, but its answer can't be opened any "
		"more",
		STR_ARG(time_iso(rq->x->arena, o->kept.created_ms)));
	err_hint(&err, "look for what it made; do not send it again under another key");
	api_fail(rq, &err);
}

static void replay(struct api_request *rq, const struct once *o)
{
	struct arena *a = rq->x->arena;
	struct str text;
	struct err err = ERR_INIT;

	if (resource_unseal(rq->api->cfg.resources, a, o->kept.response, place_of(a, &o->row),
		    &text, &err) &&
		(kept_answer_read(text, rq->x) ||
			err_set(&err, ERR_STORE, "a kept answer is damaged"))) {
		rq->x->status = (int)o->kept.status;
		api_header(rq, "Idempotency-Replayed", STR("true"));
	} else {
		log_err(LOG_WARN, "idempotency.not_opened", &err);
		fail_unread(rq, o);
	}
}

/* Kept behind the work. When that fails, the mark stays, and a repeat is refused. */
static void keep(struct api_request *rq, struct once *o)
{
	struct arena *a DEFER(arena_freep) = arena_new("kept answer", 0);
	struct err err = ERR_INIT;

	o->row.status = (uint32_t)rq->x->status;
	if (o->row.status < 400)
		o->row.response = resource_seal(rq->api->cfg.resources, a,
			kept_answer_print(a, rq->x), place_of(a, &o->row));
	if (!store_write(rq->api->cfg.store, finish_write, o, &err))
		log_err(LOG_ERROR, "idempotency.not_kept", &err);
	arena_wipe(a);
}

void api_once(struct api_request *rq, route_fn fn)
{
	struct str key = str_trim(http_request_header(rq->x, STR("Idempotency-Key")));
	struct once o = { .rq = rq };
	struct err err = ERR_INIT;

	if (http_request_header(rq->x, STR("Idempotency-Key")).p == NULL) {
		fn(rq);
		return;
	}
	if (!key_valid(key)) {
		err_set_field(&err, ERR_BAD_REQUEST, "Idempotency-Key",
			"Idempotency-Key must be 1 to %d printable ASCII characters without "
			"spaces",
			KEY_BYTES_MAX);
		api_fail(rq, &err);
		return;
	}
	o.row.account_id = caller_account(&rq->caller);
	o.row.key = key;
	o.row.created_ms = clock_wall_ms(rq->api->cfg.clock);
	kept_answer_fingerprint(rq->x, str_z(rq->caller.connector_id), o.row.request_hash);
	if (!store_write(rq->api->cfg.store, begin_write, &o, &err))
		api_fail(rq, &err);
	else if (!o.found) {
		fn(rq);
		keep(rq, &o);
	} else if (o.kept.status != 0 &&
		   crypt_equal(o.kept.request_hash, o.row.request_hash, SHA256_BYTES))
		replay(rq, &o);
	else
		refuse(rq, &o);
}

/*
 * rest_submit.c - sends what was prepared: each record's request, or several records of equal
 * requests as one array, and deals with those whose outcome is unknown.
 *
 * A request is in doubt when it, or some of it, was sent and no answer came that says what became of
 * it. One that may be repeated (PUT, DELETE ...) simply is. One that would make a second record is
 * settled: when the import has a lookup that decides existence, and it said that the record was not
 * there, the lookup is asked again before the request is sent again; what it finds now is the record.
 * Without such a lookup the request is repeated with the same key and the same bytes. A batch is not
 * settled: its records' requests went as one.
 */
#include "adaptor/rest/rest_sink_priv.h"
#include "crypt/digest.h"

#define KEY_HEX   (2 * SHA256_BYTES)
#define SETTLE_MS 1000 /* behind the last attempt: the application may still be at work */

/* One request: a record, or a batch of them. */
struct parcel {
	struct task task;
	struct delivery **records;
	size_t count;
	struct request request; /* of the first record */
	bool settles;           /* the deciding lookup can settle a doubt */
	bool doubt;             /* an attempt may have arrived */
	bool asking;            /* what is in the air is the lookup that settles */
	bool last_asked;        /* it is asked behind the last attempt */
	unsigned sends;         /* attempts to send, while it is asked */
	char *key;              /* of a batch, KEY_HEX bytes; NULL: the record's own */
	struct err sent_err;    /* how the last attempt to send ended, while it is asked about */
	int sent_status;
};

/* ---- fill ---- */

static bool takes_key(enum http_method m)
{
	return m == HTTP_POST || m == HTTP_PUT || m == HTTP_PATCH || m == HTTP_DELETE;
}

static void add_key(const struct sink *s, struct slot *slot, const struct parcel *p)
{
	struct rest_call *c = &slot->call;
	struct str key = p->key != NULL ? str_of(p->key, KEY_HEX) : p->records[0]->key;

	if (key.p == NULL || s->key_header.n == 0 || !takes_key(c->method))
		return;
	for (size_t i = 0; i < c->own_count; i++)
		if (str_eq_ci(slot->own[i].name, s->key_header))
			return; /* the import makes its own */
	slot->own[c->own_count++] = (struct http_header){ s->key_header, key };
}

/* The bodies of a batch as one array. */
static bool join_bodies(struct slot *slot, const struct parcel *p, struct err *err)
{
	struct buf *b = &slot->body;
	struct request rq;

	buf_reset(b);
	for (size_t i = 0; i < p->count; i++) {
		if (!rest_prepare_parse(p->records[i]->request, &rq, err))
			return false;
		buf_add_char(b, i == 0 ? '[' : ',');
		buf_add_str(b, rq.body);
	}
	buf_add_char(b, ']');
	return !b->over || err_set(err, ERR_LIMIT, "the batch is larger than %zu bytes", b->max);
}

static bool fill_lookup(struct sink *s, struct slot *slot, const struct parcel *p, struct err *err)
{
	struct rest_call *c = &slot->call;

	if (!rest_lookup_render(s, s->decider, p->records[0]->source, &slot->uri, &slot->body, err))
		return false;
	c->purpose = "lookup";
	c->method = s->decider->method;
	c->uri = buf_str(&slot->uri);
	c->own_count = 0;
	c->body = buf_str(&slot->body);
	return true;
}

static bool fill(struct sink *s, struct slot *slot, struct task *t, struct err *err)
{
	const struct parcel *p = (const struct parcel *)t;
	struct rest_call *c = &slot->call;

	if (p->asking)
		return fill_lookup(s, slot, p, err);
	struct str lines = p->request.headers;

	c->purpose = "import";
	c->method = p->request.method;
	c->uri = p->request.uri;
	c->body = p->request.body;
	c->own_count = 0;
	while (c->own_count < REST_HEADERS_MAX &&
		rest_prepare_header(&lines, &slot->own[c->own_count]))
		c->own_count++;
	add_key(s, slot, p);
	if (p->count == 1 && s->batch_size == 1)
		return true;
	if (!join_bodies(slot, p, err))
		return false;
	c->body = buf_str(&slot->body);
	return true;
}

/* ---- how it ended ---- */

/* The lookup that settles has attempts of its own. */
static unsigned sends_of(const struct parcel *p)
{
	return p->asking ? p->sends : p->task.attempts;
}

static void end_with(struct parcel *p, const struct err *err)
{
	for (size_t i = 0; i < p->count; i++) {
		struct delivery *d = p->records[i];

		d->err = *err;
		d->stage = "submit";
		d->unknown = p->doubt;
		d->attempts = sends_of(p);
	}
}

static void add_evidence(struct sink *s, const struct slot *slot, struct parcel *p)
{
	struct arena *a = p->task.arena;
	struct str sent = rest_evidence_request(s->session, &slot->call, a), response = STR_NULL;

	if (slot->call.http.status != 0)
		response = rest_evidence_response(s->session, &slot->call, a);
	for (size_t i = 0; i < p->count; i++) {
		if (p->records[i]->err.code == ERR_NONE)
			continue;
		if (p->records[i]->status == 0)
			p->records[i]->status = slot->call.http.status;
		p->records[i]->sent = sent;
		p->records[i]->response = response;
	}
}

static void end_failed(struct sink *s, const struct slot *slot, struct parcel *p, struct err *err)
{
	if (p->doubt)
		err_wrap(err, "the outcome is unknown, the application may have taken the record");
	end_with(p, err);
	add_evidence(s, slot, p);
}

static void end_answered(struct sink *s, const struct slot *slot, struct parcel *p)
{
	bool failed = false;

	for (size_t i = 0; i < p->count; i++) {
		p->records[i]->attempts = p->task.attempts;
		p->records[i]->status = slot->call.http.status;
	}
	rest_result_judge(s, &slot->call, p->records, p->count, p->task.arena);
	for (size_t i = 0; i < p->count; i++) {
		if (LIKELY(p->records[i]->err.code == ERR_NONE))
			continue;
		p->records[i]->stage = "submit";
		failed = true;
	}
	if (failed)
		add_evidence(s, slot, p);
}

/* Ends the records, or puts them aside for WAIT_MS. */
static void end_deferred(struct parcel *p, struct err *err, int64_t wait_ms)
{
	err->retry_after_s = (uint32_t)((wait_ms + 999) / 1000);
	end_with(p, err);
	for (size_t i = 0; i < p->count; i++)
		p->records[i]->deferred = true;
}

static void call_error(const struct sink *s, const struct rest_call *c, struct err *err)
{
	if (c->http.err.code != ERR_NONE)
		*err = c->http.err;
	else
		(void)rest_status_error(s->session, &c->http, err);
}

/* ---- land ---- */

static void stop_asking(struct parcel *p)
{
	p->asking = false;
	p->task.attempts = p->sends;
	p->task.wait_ms = 0;
}

/* The lookup that settles a doubt has answered. False: the parcel goes on. */
static bool land_lookup(struct sink *s, struct slot *slot, struct parcel *p)
{
	const struct rest_call *c = &slot->call;
	struct delivery *d = p->records[0];
	const struct json *found = NULL;
	struct err err = ERR_INIT;

	if (c->http.err.code != ERR_NONE ||
		!rest_lookup_read(s, s->decider, c, p->task.arena, &found, &err)) {
		if (err.code == ERR_NONE)
			err = c->http.err;
		err_wrap(&err, "lookup \"%.*s\", asked whether the record arrived",
			STR_ARG(s->decider->name));
		end_failed(s, slot, p, &err);
		return true;
	}
	stop_asking(p);
	if (found != NULL) {
		d->id = found;
		d->stage = "settled";
		d->attempts = p->sends;
		d->status = p->sent_status;
		d->sent = d->response = STR_NULL;
		d->unknown = false;
		return true;
	}
	if (p->last_asked)
		end_with(p, &p->sent_err);
	else
		p->doubt = false;
	return p->last_asked;
}

/* Behind an attempt of unknown outcome: the next to be sent is the lookup, where there is one. */
static void note_doubt(struct parcel *p, const struct rest_call *c)
{
	const struct http_call *h = &c->http;
	bool refused = h->err.code == ERR_NONE && h->status >= 400 && h->status < 500 &&
		       h->status != 408 && h->status != 429;

	/* a doubt of an earlier attempt ends with an answer that is about the record */
	p->doubt = !refused && (p->doubt || rest_send_in_doubt(c));
}

static void start_asking(struct parcel *p, const struct rest_call *c)
{
	p->asking = true;
	p->sends = p->task.attempts;
	p->task.attempts = 0;
	p->sent_status = c->http.status;
}

/* Behind the last attempt. False: the lookup is to say whether the record arrived. */
static bool land_last(struct sink *s, struct slot *slot, struct parcel *p)
{
	struct err err = ERR_INIT;

	call_error(s, &slot->call, &err);
	end_failed(s, slot, p, &err);
	if (!p->doubt || !p->settles || err.code == ERR_CANCELED)
		return true;
	start_asking(p, &slot->call);
	p->sent_err = err;
	p->last_asked = true;
	p->task.wait_ms = SETTLE_MS;
	p->records[0]->err = (struct err)ERR_INIT;
	return false;
}

static bool land_failed(struct sink *s, struct slot *slot, struct parcel *p)
{
	struct err err = ERR_INIT;
	int64_t wait_ms;
	bool again = rest_send_again(s, slot, &p->task, &wait_ms);

	if (p->asking && !again)
		return land_lookup(s, slot, p);
	if (!p->asking)
		note_doubt(p, &slot->call);
	if (!again)
		return land_last(s, slot, p);
	p->task.wait_ms = wait_ms;
	if (wait_ms > (int64_t)LIMIT_INLINE_WAIT_S * 1000) {
		call_error(s, &slot->call, &err);
		end_deferred(p, &err, wait_ms);
		add_evidence(s, slot, p);
		return true;
	}
	if (!p->asking && p->doubt && p->settles)
		start_asking(p, &slot->call);
	return false;
}

static bool land(struct sink *s, struct slot *slot, struct task *t)
{
	struct parcel *p = (struct parcel *)t;
	const struct http_call *h = &slot->call.http;

	if (UNLIKELY(p->asking || h->err.code != ERR_NONE || h->status < 200 || h->status > 299))
		return land_failed(s, slot, p);
	end_answered(s, slot, p);
	return true;
}

static void fail(struct sink *s UNUSED, struct task *t, const struct err *err)
{
	end_with((struct parcel *)t, err);
}

static void defer(struct sink *s UNUSED, struct task *t, int64_t wait_ms)
{
	struct err err = ERR_INIT;

	err_set(&err, ERR_RATE, "not sent: the application wants a pause of %lld s",
		(long long)((wait_ms + 999) / 1000));
	end_deferred((struct parcel *)t, &err, wait_ms);
}

static const struct task_ops submit_ops = { fill, land, fail, defer };

/* ---- parcels ---- */

/* Settling needs a lookup that said before that the record was not there. */
static bool can_settle(const struct sink *s, const struct request *rq)
{
	return s->decider != NULL && s->batch_size == 1 && rq->existed == EXISTS_NO &&
	       (rq->method == HTTP_POST || rq->method == HTTP_PATCH);
}

/* A batch's key: made of its records' keys, so that the same batch has the same. */
static char *batch_key(const struct parcel *p, struct arena *a)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	unsigned char digest[SHA256_BYTES];

	for (size_t i = 0; i < p->count; i++) {
		if (p->records[i]->key.p == NULL)
			return NULL;
		buf_add_str(&b, p->records[i]->key);
		buf_add_char(&b, '\n');
	}
	digest_sha256(buf_str(&b), digest);
	char *hex = arena_alloc(a, KEY_HEX);

	str_hex_put(hex, digest, sizeof(digest));
	return hex;
}

static bool is_ready(const struct delivery *d)
{
	return d->err.code == ERR_NONE && !d->ignored;
}

/* Takes records from *NEXT on into P as long as they go together. */
static void gather(struct sink *s, struct parcel *p, struct delivery *records, size_t n,
	size_t *next)
{
	size_t bytes = p->request.body.n;
	struct request rq;

	for (; *next < n && p->count < s->batch_size; (*next)++) {
		struct delivery *d = &records[*next];
		struct err ignored = ERR_INIT;

		if (!is_ready(d))
			continue;
		if (!rest_prepare_parse(d->request, &rq, &ignored) ||
			!str_eq(rq.head, p->request.head) ||
			bytes + rq.body.n > LIMIT_PAGE_BYTES / 2)
			break;
		bytes += rq.body.n + 1;
		p->records[p->count++] = d;
		p->doubt |= d->in_doubt;
	}
}

/* Parcels of all records that are ready, in order. */
static struct task *pack(struct sink *s, struct delivery *records, size_t n, struct arena *a)
{
	struct delivery **order = arena_array_of(a, struct delivery *, n);
	struct parcel *parcels = arena_array_of(a, struct parcel, n);
	struct task *first = NULL, **last = &first;
	size_t used = 0, parcel_count = 0;

	for (size_t i = 0; i < n;) {
		struct delivery *d = &records[i++];
		struct parcel *p = &parcels[parcel_count];

		if (!is_ready(d))
			continue;
		if (!rest_prepare_parse(d->request, &p->request, &d->err)) {
			d->stage = "submit";
			continue;
		}
		parcel_count++;
		p->task.arena = a;
		p->records = order + used;
		p->records[p->count++] = d;
		p->doubt = d->in_doubt;
		p->settles = can_settle(s, &p->request);
		p->asking = p->doubt && p->settles;
		if (s->batch_size > 1) {
			gather(s, p, records, n, &i);
			p->key = batch_key(p, a);
		}
		used += p->count;
		*last = &p->task;
		last = &p->task.next;
	}
	return first;
}

bool rest_submit(struct sink *s, struct delivery *records, size_t n, struct arena *a,
	struct err *err)
{
	s->keep_left = LIMIT_RESPONSE_BODY;
	rest_send_run(s, pack(s, records, n, a), &submit_ops);
	return !rest_send_canceled(s) || err_set(err, ERR_CANCELED, "the job was canceled");
}

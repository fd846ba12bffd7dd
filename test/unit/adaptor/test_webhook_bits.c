/*
 * test_webhook_bits.c - signed bodies are taken, and none of which one bit was changed: of the body, the
 * signature, the key, the timestamp or the id, under each of the ways in which senders sign.
 *
 * Each change of one bit is tried for bodies of chosen lengths up to 4 KB and for one random body in
 * STRIDE (environment); 1 is all 10,000 of them.
 */
#include "webhook_rig.h"

#include "data/base64.h"

#define SIGNED_BODIES 10000
#define STRIDE        40
#define KEY_BYTES     24
#define BODY_MAX      4096
#define TIME          "1700000000"

/* %i is the id, %t the timestamp, %k the key. The body follows TEXT, the digest VALUE. */
static const struct sender {
	const char *listener;
	const char *id_header, *time_header, *header, *text, *value;
	bool base64, key_base64;
} senders[] = {
	{ "{\"provider\":\"github\",\"key\":\"%k\"}", NULL, NULL, "X-Hub-Signature-256", "",
		"sha256=", false, false },
	{ "{\"provider\":\"shopify\",\"key\":\"%k\"}", NULL, NULL, "X-Shopify-Hmac-SHA256", "", "",
		true, false },
	{ "{\"provider\":\"stripe\",\"key\":\"%k\"}", NULL, NULL, "Stripe-Signature", "%t.",
		"t=%t,v1=", false, false },
	{ "{\"provider\":\"slack\",\"key\":\"%k\"}", NULL, "X-Slack-Request-Timestamp",
		"X-Slack-Signature", "v0:%t:", "v0=", false, false },
	{ "{\"verify\":\"standard\",\"key\":\"whsec_%k\"}", "webhook-id", "webhook-timestamp",
		"webhook-signature", "%i.%t.", "v1,", true, true },
};

/* A part of a request that a bit can be changed in. */
struct part {
	const char *what;
	char *p;
	size_t n;
};

struct signed_request {
	const struct webhook *w;
	struct http_exchange x;
	struct http_header headers[3];
	struct part parts[5];
	size_t count;
};

struct numbers {
	uint64_t s;
};

static uint64_t next(struct numbers *r)
{
	r->s ^= r->s << 13;
	r->s ^= r->s >> 7;
	r->s ^= r->s << 17;
	return r->s;
}

struct names {
	struct str id, key;
};

static struct str filled(struct arena *a, const char *pattern, const struct names *n)
{
	struct str out = STR("");

	for (const char *p = pattern; *p != '\0'; p++) {
		struct str more = str_of(p, 1);

		if (*p == '%')
			more = *++p == 't' ? STR(TIME) : *p == 'i' ? n->id : n->key;
		out = str_fmt(a, "%.*s%.*s", STR_ARG(out), STR_ARG(more));
	}
	return out;
}

static void add_part(struct signed_request *q, const char *what, const char *p, size_t n)
{
	q->parts[q->count++] = (struct part){ what, (char *)(uintptr_t)p, n };
}

static void add_header(struct signed_request *q, const char *what, const char *name,
	struct str value)
{
	if (name == NULL)
		return;
	q->headers[q->x.header_count++] = (struct http_header){ str_z(name), value };
	add_part(q, what, value.p, value.n);
}

static struct str signature_of(struct arena *a, const struct sender *s, struct str key,
	const struct names *names, struct str body)
{
	struct str text = filled(a, s->text, names), value = filled(a, s->value, names), digits;
	unsigned char digest[HMAC_BYTES_MAX];
	char *all = arena_alloc(a, text.n + body.n), hex[64];

	memcpy(all, text.p, text.n);
	memcpy(all + text.n, body.p, body.n);
	hmac(HMAC_SHA256, key, str_of(all, text.n + body.n), digest);
	str_hex_put(hex, digest, 32);
	digits = s->base64 ? base64_encode(a, str_of((char *)digest, 32)) : str_of(hex, 64);
	return str_fmt(a, "%.*s%.*s", STR_ARG(value), STR_ARG(digits));
}

/* A request of N random bytes, signed with a random key of its own. */
static struct signed_request *sign(struct arena *a, const struct sender *s, struct numbers *r,
	size_t n)
{
	struct signed_request *q = arena_new_of(a, struct signed_request);
	struct names names = { .id = str_fmt(a, "msg_%llu", (unsigned long long)next(r)) };
	char *key = arena_alloc(a, KEY_BYTES), *body = arena_alloc(a, n);

	for (size_t k = 0; k < KEY_BYTES; k++)
		key[k] = (char)(s->key_base64 ? next(r) : 'A' + next(r) % 26);
	for (size_t k = 0; k < n; k++)
		body[k] = (char)next(r);
	struct str secret = str_of(key, KEY_BYTES);

	names.key = s->key_base64 ? base64_encode(a, secret) : secret;
	q->w = webhook_of(a, str_to_z(a, filled(a, s->listener, &names)));
	q->x = (struct http_exchange){ .arena = a, .method = HTTP_POST, .headers = q->headers };
	q->x.body = body;
	q->x.body_bytes = n;
	add_part(q, "body", body, n);
	add_part(q, "key", q->w->keys[0].p, q->w->keys[0].n);
	add_header(q, "id", s->id_header, names.id);
	add_header(q, "timestamp", s->time_header, str_dup(a, STR(TIME)));
	add_header(q, "signature", s->header, signature_of(a, s, secret, &names, str_of(body, n)));
	return q;
}

static bool holds(const struct signed_request *q)
{
	struct err err = ERR_INIT;
	struct arena_mark m = arena_mark(q->x.arena);
	bool ok = webhook_verify(q->w, &q->x, STR_NULL, NULL, NOW_MS, &err);

	arena_rewind(q->x.arena, m);
	return ok;
}

static void flip(struct part *p, size_t bit)
{
	p->p[bit / 8] = (char)(p->p[bit / 8] ^ 1 << bit % 8);
}

static void refuses_without(struct signed_request *q, struct part *p, size_t bit)
{
	flip(p, bit);
	if (holds(q))
		fail_msg("%.*s, %zu bytes: bit %zu of the %s does not matter",
			STR_ARG(q->headers[0].name), q->x.body_bytes, bit, p->what);
	flip(p, bit);
}

static void refuses_each_bit(struct signed_request *q)
{
	for (size_t k = 0; k < q->count; k++)
		for (size_t bit = 0; bit < q->parts[k].n * 8; bit++)
			refuses_without(q, &q->parts[k], bit);
	assert_true(holds(q)); /* as it was */
}

static unsigned stride(void)
{
	const char *text = getenv("STRIDE");
	uint64_t n;

	return text != NULL && str_to_u64(str_z(text), &n) && n > 0 ? (unsigned)n : STRIDE;
}

/* One bit of each part of each; every bit of some. */
static void signed_bodies_and_no_other(void **state)
{
	struct arena *a = *state;
	struct numbers r = { 88172645463325252u };
	unsigned every = stride();

	for (unsigned i = 0; i < SIGNED_BODIES; i++) {
		arena_reset(a);
		struct signed_request *q = sign(a, &senders[i % ARRAY_LEN(senders)], &r,
			1 + next(&r) % 200);

		assert_true(holds(q));
		for (size_t k = 0; k < q->count; k++)
			refuses_without(q, &q->parts[k], next(&r) % (q->parts[k].n * 8));
		if (i / ARRAY_LEN(senders) % every == 0)
			refuses_each_bit(q);
	}
}

/* Around the blocks of the digest, and up to what events mostly have. */
static void every_bit_of_bodies_of_all_lengths(void **state)
{
	static const size_t lengths[] = { 1, 2, 31, 32, 44, 45, 55, 56, 63, 64, 65, 119, 120, 127,
		128, 129, 500, 1000, 2000, BODY_MAX };
	struct arena *a = *state;
	struct numbers r = { 362436069 };

	for (size_t i = 0; i < ARRAY_LEN(senders); i++)
		for (size_t k = 0; k < ARRAY_LEN(lengths); k++) {
			arena_reset(a);
			struct signed_request *q = sign(a, &senders[i], &r, lengths[k]);

			assert_true(holds(q));
			refuses_each_bit(q);
		}
}

/* A digest is read in capitals too, and its bits matter there as well. */
static void every_bit_of_capitals(void **state)
{
	struct arena *a = *state;
	struct numbers r = { 521288629 };

	for (size_t i = 0; i < ARRAY_LEN(senders); i++) {
		if (senders[i].base64)
			continue;
		struct signed_request *q = sign(a, &senders[i], &r, 100);
		struct part *signature = &q->parts[q->count - 1];

		for (size_t k = signature->n - 64; k < signature->n; k++)
			if (signature->p[k] >= 'a')
				signature->p[k] = (char)(signature->p[k] ^ 0x20);
		assert_true(holds(q));
		refuses_each_bit(q);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(signed_bodies_and_no_other),
		TEST(every_bit_of_bodies_of_all_lengths),
		TEST(every_bit_of_capitals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

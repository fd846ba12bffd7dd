/*
 * test_error_link.c - links to error files: good for one job of one account for 15 minutes, and for nobody who
 * changes a letter of them.
 */
#include "api_world.h"

#include "exchange.h"

#include "api/error_handlers.h"

#define JOB    "5e03061cda207400223000a1"
#define LINK_S (15 * 60)

struct fixture {
	struct world *w;
	struct api api;
	struct str url; /* of the link, without its host */
};

static bool add_job(struct store_conn *c, void *arg, struct err *err)
{
	const struct store_job j = { .id = STR(JOB),
		.account_id = STR(ACCOUNT),
		.type = JOB_FLOW,
		.status = JOB_COMPLETED,
		.created_ms = 1 };

	(void)arg;
	return store_job_add(c, &j, err);
}

static struct api_request *request(struct fixture *f, struct str target, const char *const *headers)
{
	struct api_request *rq = arena_new_of(f->w->a, struct api_request);

	rq->api = &f->api;
	rq->x = exchange_new(f->w->a, HTTP_GET, str_to_z(f->w->a, target), headers);
	route_find(f->w->r, f->w->a, HTTP_GET, rq->x->path, &rq->match);
	assert_non_null(rq->match.route);
	return rq;
}

static struct str make_link(struct fixture *f, const char *const *headers)
{
	struct api_request *rq = request(f, STR("/v1/jobs/" JOB "/errorFile/signedURL"), headers);

	memcpy(rq->caller.account_id, ACCOUNT, ID_LEN);
	rq->match.route->fn(rq);
	assert_int_equal(rq->x->status, 200);
	return json_get_str(parse(f->w, rq->x->res_body), STR("signedURL"));
}

/* The answer's status; MESSAGE stands in it. */
static int follow(struct fixture *f, struct str url, const char *message)
{
	struct api_request *rq = request(f, url, NULL);

	rq->in_pool = true; /* where files are made */
	rq->match.route->fn(rq);
	if (str_find(rq->x->res_body, str_z(message)) == STR_NPOS)
		fail_msg("%.*s", STR_ARG(rq->x->res_body));
	return rq->x->status;
}

static int setup_links(void **state)
{
	static struct fixture f;
	struct err err;

	setup(state);
	memset(&f, 0, sizeof(f));
	f.w = *state;
	f.api.cfg = api_config_of(f.w);
	memset(f.api.link_key, 7, sizeof(f.api.link_key));
	assert_ok(store_write(f.w->store, add_job, NULL, &err));
	f.url = make_link(&f, NULL);
	*state = &f;
	return 0;
}

static int teardown_links(void **state)
{
	*state = ((struct fixture *)*state)->w;
	return teardown(state);
}

static void test_a_link_gives_the_file(void **state)
{
	static const char *const host[] = { "Host", "me.example:8080", NULL };
	struct fixture *f = *state;

	assert_true(str_starts(f->url, STR("/v1/jobs/" JOB "/errorFile?account=" ACCOUNT)));
	assert_int_equal(follow(f, f->url, "_id"), 200);
	assert_true(str_starts(make_link(f, host), STR("http://me.example:8080/v1/jobs/")));
	f->api.cfg.tls_cert_file = "cert.pem";
	assert_true(str_starts(make_link(f, host), STR("https://me.example:8080/v1/jobs/")));
}

static void test_it_ends(void **state)
{
	struct fixture *f = *state;

	clock_test_advance(&f->w->clock, LINK_S * 1000);
	assert_int_equal(follow(f, f->url, "_id"), 200);
	clock_test_advance(&f->w->clock, 1);
	assert_int_equal(follow(f, f->url, "the link has expired"), 403);
}

static void test_it_ends_with_the_process(void **state)
{
	struct fixture *f = *state;

	f->api.link_key[31] ^= 1;
	assert_int_equal(follow(f, f->url, "the server was started anew"), 403);
}

/* Of whatever letter of job, account, end or signature. */
static void test_no_letter_of_it_can_be_changed(void **state)
{
	struct fixture *f = *state;
	size_t changed = 0;

	for (size_t i = 0; i < f->url.n; i++) {
		char *p = arena_strndup(f->w->a, f->url.p, f->url.n);

		if (p[i] < '0' || p[i] > '9' || i < strlen("/v1/jobs/"))
			continue;
		p[i] = p[i] == '9' ? '8' : (char)(p[i] + 1);
		assert_int_equal(follow(f, str_of(p, f->url.n), "the link was changed"), 403);
		changed++;
	}
	assert_true(changed > 50);
}

static void test_a_part_of_it_is_none(void **state)
{
	static const char *const parts[] = { "account=", "expires=", "signature=" };
	struct fixture *f = *state;

	assert_int_equal(follow(f, str_sub(f->url, 0, f->url.n - 1), "the link is not whole"), 403);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		char *p = arena_strndup(f->w->a, f->url.p, f->url.n);

		*strstr(p, parts[i]) = 'X';
		assert_int_equal(follow(f, str_of(p, f->url.n), "the link is not whole"), 403);
	}
}

#define LINK_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup_links, teardown_links)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LINK_TEST(test_a_link_gives_the_file),
		LINK_TEST(test_it_ends),
		LINK_TEST(test_it_ends_with_the_process),
		LINK_TEST(test_no_letter_of_it_can_be_changed),
		LINK_TEST(test_a_part_of_it_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

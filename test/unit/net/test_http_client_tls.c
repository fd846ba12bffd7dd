/*
 * test_http_client_tls.c - whose certificates the client accepts, against our own server.
 */
#include "test.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "http_rig.h"
#include "net/http_client.h"

static char cert_file[] = "/tmp/test-tls-cert-XXXXXX", key_file[] = "/tmp/test-tls-key-XXXXXX";
static char late_file[] = "/tmp/test-tls-late-XXXXXX";
static struct arena *arena;
static struct egress *loopback;

/* A certificate for localhost, signed by itself, that ends END_S from now. */
static void cert_write(char *path, EVP_PKEY *key, long end_s)
{
	X509 *x = X509_new();
	FILE *f = fdopen(mkstemp(path), "w");
	X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name,
		"DNS:localhost");

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -7200);
	X509_gmtime_adj(X509_getm_notAfter(x), end_s);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
		(const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	assert_int_equal(X509_add_ext(x, san, -1), 1);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_X509(f, x), 1);
	X509_EXTENSION_free(san);
	X509_free(x);
	fclose(f);
}

static int set_up(void **state UNUSED)
{
	struct err err = ERR_INIT;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	FILE *f = fdopen(mkstemp(key_file), "w");

	assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(f);
	cert_write(cert_file, key, 3600);
	cert_write(late_file, key, -3600);
	EVP_PKEY_free(key);
	http_client_global_init();
	arena = arena_new("test", 0);
	return egress_new(arena, STR("127.0.0.0/8,::1"), &loopback, &err) ? 0 : 1;
}

static int tear_down(void **state UNUSED)
{
	unlink(cert_file);
	unlink(key_file);
	unlink(late_file);
	arena_free(arena);
	http_client_global_cleanup();
	return 0;
}

/* One POST to SCHEME://HOST of a server with CERT, by a client that trusts CA. */
static void attempt(const char *cert, const char *scheme, const char *host, const char *ca,
	bool insecure, enum err_code code, const char *why)
{
	struct http_pool_config cfg = { .egress = loopback, .ca_file = ca };
	struct http_pool *pool = http_pool_new(&cfg);
	struct http_call c;
	struct rig rig;

	rig_start(&rig,
		(struct http_server_config){ .tls_cert_file = cert, .tls_key_file = key_file });
	http_call_init(&c);
	c.method = HTTP_POST;
	c.url = str_fmt(arena, "%s://%s:%u/echo", scheme, host, http_server_port(rig.server));
	c.body = STR("secret");
	c.insecure_tls = insecure;
	c.timeout_ms = 60000;
	bool ok = http_pool_run(pool, &c);

	if (c.err.code != code || (why != NULL && strstr(c.err.message, why) == NULL))
		fail_msg("%s %s: %s", host, ca == NULL ? "-" : ca, c.err.message);
	assert_int_equal(ok, code == ERR_NONE);
	/* a refused server has seen nothing of the request */
	assert_int_equal(c.sent, ok);
	assert_int_equal(rig_stats(&rig).requests, ok);
	if (ok)
		assert_str(buf_str(&c.res_body), "secret");
	http_call_free(&c);
	http_pool_free(pool);
	rig_stop(&rig);
}

static void verifies(void **state UNUSED)
{
	const char *unverified = "the server's certificate can't be verified";

	attempt(cert_file, "https", "localhost", cert_file, false, ERR_NONE, NULL);
	/* nobody we know */
	attempt(cert_file, "https", "localhost", NULL, false, ERR_TLS, unverified);
	/* another name, and an address that the certificate does not list */
	attempt(cert_file, "https", "127.0.0.1", cert_file, false, ERR_TLS, unverified);
	attempt(late_file, "https", "localhost", late_file, false, ERR_TLS, unverified);
	attempt(cert_file, "https", "localhost", "/no/such/file", false, ERR_TLS,
		"the file of trusted certificates can't be read");
}

static void insecure_by_wish(void **state UNUSED)
{
	attempt(cert_file, "https", "127.0.0.1", NULL, true, ERR_NONE, NULL);
	attempt(late_file, "https", "localhost", NULL, true, ERR_NONE, NULL);
}

/* The wish of one call is not that of the next on the same handle and connection. */
static void insecure_is_of_a_call(void **state UNUSED)
{
	struct http_pool_config cfg = { .egress = loopback };
	struct http_pool *pool = http_pool_new(&cfg);
	struct http_call c;
	struct rig rig;

	rig_start(&rig, (struct http_server_config){ .tls_cert_file = cert_file,
				.tls_key_file = key_file });
	http_call_init(&c);
	c.url = str_fmt(arena, "https://localhost:%u/info", http_server_port(rig.server));
	c.insecure_tls = true;
	c.timeout_ms = 60000;
	assert_true(http_pool_run(pool, &c));
	c.insecure_tls = false;
	assert_false(http_pool_run(pool, &c));
	assert_int_equal(c.err.code, ERR_TLS);
	assert_false(c.sent);
	http_call_free(&c);
	http_pool_free(pool);
	rig_stop(&rig);
}

static void schemes_that_do_not_match(void **state UNUSED)
{
	attempt(NULL, "https", "localhost", cert_file, false, ERR_TLS, "the TLS handshake failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verifies),
		cmocka_unit_test(insecure_by_wish),
		cmocka_unit_test(insecure_is_of_a_call),
		cmocka_unit_test(schemes_that_do_not_match),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/*
 * The server over TLS: versions, ALPN, big messages in both directions, and clients that do not
 * speak TLS. The certificate is made here.
 */
#include "test.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sched.h>
#include <unistd.h>

#include "http_rig.h"
#include "net/http_stream.h"

static char cert_file[] = "/tmp/test-http-cert-XXXXXX", key_file[] = "/tmp/test-http-key-XXXXXX";
static char other_key_file[] = "/tmp/test-http-key-XXXXXX";
static struct rig rig;

static EVP_PKEY *key_write(char *path)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	FILE *f = fdopen(mkstemp(path), "w");

	assert_non_null(key);
	assert_non_null(f);
	assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(f);
	return key;
}

static void cert_write(char *path, EVP_PKEY *key)
{
	X509 *x = X509_new();
	FILE *f = fdopen(mkstemp(path), "w");

	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
		(const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_X509(f, x), 1);
	fclose(f);
	X509_free(x);
}

static int set_up(void **state UNUSED)
{
	EVP_PKEY *key = key_write(key_file);

	cert_write(cert_file, key);
	EVP_PKEY_free(key);
	EVP_PKEY_free(key_write(other_key_file));
	rig_start(&rig, (struct http_server_config){ .tls_cert_file = cert_file,
				.tls_key_file = key_file });
	return 0;
}

static int tear_down(void **state UNUSED)
{
	rig_stop(&rig);
	unlink(cert_file);
	unlink(key_file);
	unlink(other_key_file);
	return 0;
}

/* A client with ALPN list ALPN ("" for none); false when the handshake fails. */
static bool tls_open(struct client *c, int min, int max, struct str alpn)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, min);
	SSL_CTX_set_max_proto_version(ctx, max);
	*c = client_open(&rig);
	c->ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	SSL_set_fd(c->ssl, c->fd);
	if (alpn.n > 0)
		SSL_set_alpn_protos(c->ssl, (const unsigned char *)alpn.p, (unsigned)alpn.n);
	return SSL_connect(c->ssl) == 1;
}

static void test_versions(void **state UNUSED)
{
	static const int good[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct client c;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(tls_open(&c, good[i], good[i], STR("")));
		for (int k = 0; k < 3; k++) {
			SEND(&c, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
			client_expect(&c, 200, "abc");
		}
		SEND(&c, "GET / HTTP/1.0\r\n\r\n");
		client_expect(&c, 200, "");
		client_expect_end(&c);
		client_close(&c);
	}
	assert_false(tls_open(&c, TLS1_VERSION, TLS1_1_VERSION, STR("")));
	client_close(&c);
}

static void test_alpn(void **state UNUSED)
{
	const unsigned char *chosen;
	unsigned n;
	struct client c;

	assert_true(tls_open(&c, TLS1_2_VERSION, 0, STR("\x02h2\x08http/1.1")));
	SSL_get0_alpn_selected(c.ssl, &chosen, &n);
	assert_str(str_of((const char *)chosen, n), "http/1.1");
	client_close(&c);
	assert_false(tls_open(&c, TLS1_2_VERSION, 0, STR("\x02h2")));
	client_close(&c);
}

static void test_big(void **state UNUSED)
{
	struct arena *a = arena_new("test", 0);
	size_t n = (size_t)4 << 20;
	char *body = memset(arena_alloc(a, n), 'x', n);
	struct client c;

	assert_true(tls_open(&c, TLS1_2_VERSION, 0, STR("")));
	client_send(&c,
		str_fmt(a, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n", n));
	client_send(&c, str_of(body, n));
	assert_true(str_eq(client_read(&c, false).body, str_of(body, n)));
	SEND(&c, "GET /big HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_int_equal(client_read(&c, false).body.n, RIG_BIG);
	client_expect(&c, 200, "GET 0 /|");
	client_close(&c);
	arena_free(a);
}

static void test_suspended(void **state UNUSED)
{
	struct client c;

	assert_true(tls_open(&c, TLS1_2_VERSION, 0, STR("")));
	SEND(&c, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
	struct http_exchange *x = rig_held(&rig);

	SEND(&c, "GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
	x->res_body = STR("woken");
	http_exchange_finish(x);
	client_expect(&c, 200, "woken");
	client_expect(&c, 200, "/next");
	client_close(&c);
}

#define STREAM_BLOCK  ((size_t)30000)
#define STREAM_BLOCKS 100

static void *send_blocks(void *arg)
{
	static char block[STREAM_BLOCK];
	struct http_exchange *x = arg;

	memset(block, 'x', sizeof(block));
	for (int i = 0; i < STREAM_BLOCKS;) {
		switch (http_exchange_stream_send(x, str_of(block, sizeof(block)))) {
		case HTTP_STREAM_TAKEN:
			i++;
			break;
		case HTTP_STREAM_FULL:
			sched_yield();
			break;
		case HTTP_STREAM_GONE:
			i = STREAM_BLOCKS;
			break;
		}
	}
	http_exchange_stream_end(x);
	return NULL;
}

/* More than fits into the socket and a record, while the client reads. */
static void test_stream(void **state UNUSED)
{
	struct thread sender = { .running = false };
	struct client c;
	size_t n = 0;

	assert_true(tls_open(&c, TLS1_2_VERSION, 0, STR("")));
	SEND(&c, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
	struct http_exchange *x = rig_held(&rig);

	http_exchange_stream_begin(x, 65536);
	thread_start(&sender, "sender", send_blocks, x);
	struct str all = client_until(&c, "\r\n0\r\n\r\n");

	for (size_t i = 0; i < all.n; i++)
		n += all.p[i] == 'x';
	assert_int_equal(n, STREAM_BLOCK * STREAM_BLOCKS);
	thread_join(&sender);
	SEND(&c, "GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
	client_expect(&c, 200, "/next");
	client_close(&c);
}

static void test_refusal(void **state UNUSED)
{
	struct client c;

	assert_true(tls_open(&c, TLS1_2_VERSION, 0, STR("")));
	SEND(&c, "GET / HTTP/1.1\r\n\r\n");
	client_expect(&c, 400, "Host is missing");
	client_expect_end(&c);
	/* The end is TLS's own, so that nobody can cut an answer short unseen. */
	assert_int_equal(SSL_get_shutdown(c.ssl) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
	client_close(&c);
}

static void test_not_tls(void **state UNUSED)
{
	struct client c = client_open(&rig);
	char byte;

	SEND(&c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	while (recv(c.fd, &byte, 1, 0) == 1)
		assert_int_not_equal(byte, 'H');
	client_close(&c);
}

static void test_handshake_deadline(void **state UNUSED)
{
	struct rig quick;
	char byte;

	rig_start(&quick, (struct http_server_config){ .tls_cert_file = cert_file,
				  .tls_key_file = key_file,
				  .header_timeout_ms = 200 });
	struct client c = client_open(&quick);

	SEND(&c, "\x16");
	assert_int_equal(recv(c.fd, &byte, 1, 0), 0);
	client_close(&c);
	rig_stop(&quick);
}

static enum http_verdict never(void *ctx UNUSED, struct http_exchange *x UNUSED)
{
	return HTTP_DONE;
}

static void fails(const char *cert, const char *key, const char *why)
{
	struct http_server_config cfg = { .listen = STR("127.0.0.1:0"),
		.tls_cert_file = cert,
		.tls_key_file = key,
		.handlers = { .request = never } };
	struct http_server *s;
	struct err err;

	assert_fails(http_server_start(&cfg, &s, &err), ERR_TLS, why);
}

static void test_wrong_files(void **state UNUSED)
{
	fails("/nonexistent/cert.pem", key_file,
		"can't use the certificate file /nonexistent/cert.pem");
	fails(cert_file, "/nonexistent/key.pem", "can't use the key file /nonexistent/key.pem");
	fails(cert_file, NULL, "can't use the key file (none given)");
	fails(cert_file, other_key_file, "key");
	fails(key_file, key_file, "can't use the certificate file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_alpn),
		cmocka_unit_test(test_big),
		cmocka_unit_test(test_suspended),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_refusal),
		cmocka_unit_test(test_not_tls),
		cmocka_unit_test(test_handshake_deadline),
		cmocka_unit_test(test_wrong_files),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/*
 * http_tls.c - TLS 1.2 and 1.3 by OpenSSL on the loop's non-blocking sockets. OpenSSL keeps decoded
 * bytes of its own, so a short read says nothing about the socket: only SSL_ERROR_WANT_READ does.
 * A response is copied into runs of one record, which keeps head and body together on the wire.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "net/http_server_priv.h"

#define RECORD_BYTES ((size_t)16384)

/* http/1.1 or a client without ALPN; RFC 7301, 3.2 wants an alert for anything else. */
static int choose_protocol(SSL *ssl UNUSED, const unsigned char **out, unsigned char *out_n,
	const unsigned char *in, unsigned in_n, void *arg UNUSED)
{
	static const unsigned char ours[] = "\x08http/1.1";

	if (SSL_select_next_proto((unsigned char **)(uintptr_t)out, out_n, ours, sizeof(ours) - 1,
		    in, in_n) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	return SSL_TLSEXT_ERR_OK;
}

static bool tls_error(struct err *err, const char *what, const char *file)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return err_set(err, ERR_TLS, "%s %s: %s", what, file, reason == NULL ? "unknown" : reason);
}

static bool load(SSL_CTX *t, const char *cert, const char *key, struct err *err)
{
	if (SSL_CTX_use_certificate_chain_file(t, cert) != 1)
		return tls_error(err, "can't use the certificate file", cert);
	if (key == NULL || SSL_CTX_use_PrivateKey_file(t, key, SSL_FILETYPE_PEM) != 1)
		return tls_error(err, "can't use the key file", key == NULL ? "(none given)" : key);
	if (SSL_CTX_check_private_key(t) != 1)
		return tls_error(err, "the key does not belong to the certificate: key file", key);
	return true;
}

bool http_tls_open(const char *cert, const char *key, struct ssl_ctx_st **out, struct err *err)
{
	SSL_CTX *t = SSL_CTX_new(TLS_server_method());

	CHECK(t != NULL);
	ERR_clear_error();
	CHECK(SSL_CTX_set_min_proto_version(t, TLS1_2_VERSION) == 1);
	CHECK(SSL_CTX_set_cipher_list(t, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1);
	SSL_CTX_set_options(t, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
				       SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(t, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				    SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_alpn_select_cb(t, choose_protocol, NULL);
	if (!load(t, cert, key, err)) {
		SSL_CTX_free(t);
		return false;
	}
	*out = t;
	return true;
}

void http_tls_close(struct ssl_ctx_st *tls)
{
	SSL_CTX_free(tls);
}

bool http_tls_attach(struct http_conn *c)
{
	c->ssl = SSL_new(c->loop->server->tls);
	if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1)
		return false;
	SSL_set_accept_state(c->ssl);
	return true;
}

void http_tls_detach(struct http_conn *c)
{
	SSL_free(c->ssl);
	c->ssl = NULL;
}

/* What SSL_get_error() says about a call that failed; 0: the peer closed in order. */
static ssize_t failed(struct http_conn *c, int result)
{
	switch (SSL_get_error(c->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		c->readable = false;
		return HTTP_IO_BLOCKED;
	case SSL_ERROR_WANT_WRITE:
		http_conn_watch_out(c);
		return HTTP_IO_BLOCKED;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	default:
		return HTTP_IO_BROKEN;
	}
}

ssize_t http_tls_handshake(struct http_conn *c)
{
	ERR_clear_error();
	int k = SSL_do_handshake(c->ssl);

	ssize_t r = k == 1 ? 1 : failed(c, k);

	return r == 0 ? HTTP_IO_BROKEN : r;
}

void http_tls_end(struct http_conn *c)
{
	ERR_clear_error();
	SSL_shutdown(c->ssl);
}

ssize_t http_tls_recv(struct http_conn *c, void *p, size_t n)
{
	size_t got = 0;

	ERR_clear_error();
	int k = SSL_read_ex(c->ssl, p, n, &got);

	return k == 1 ? (ssize_t)got : failed(c, k);
}

ssize_t http_tls_send(struct http_conn *c, const struct iovec *v, int count)
{
	char record[RECORD_BYTES];
	size_t n = 0, sent = 0;

	for (int i = 0; i < count && n < sizeof(record); i++) {
		size_t k = MIN(v[i].iov_len, sizeof(record) - n);

		if (k > 0)
			memcpy(record + n, v[i].iov_base, k);
		n += k;
	}
	ERR_clear_error();
	int k = SSL_write_ex(c->ssl, record, n, &sent);

	if (k == 1)
		return (ssize_t)sent;
	ssize_t r = failed(c, k);

	return r == 0 ? HTTP_IO_BROKEN : r;
}

/*
 * seal.c - AES-256-GCM by EVP, one context per call; the key ring is an array in the order of its
 * file. A new key file is written under another name, synced, renamed into place without replacing
 * one that another process made meanwhile, and its directory is synced.
 */
#include "crypt/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "core/buf.h"
#include "data/base64.h"

#define PREFIX         "sealed:v1:"
#define NONCE_BYTES    12
#define TAG_BYTES      16
#define KEY_ID_MAX     32
#define KEY_COUNT_MAX  64
#define FILE_BYTES_MAX 16384

struct key {
	char id[KEY_ID_MAX + 1];
	unsigned char bytes[SEAL_KEY_BYTES];
};

struct key_ring {
	size_t count;
	struct key keys[KEY_COUNT_MAX];
};

static bool key_id_valid(struct str id)
{
	for (size_t i = 0; i < id.n; i++) {
		char c = id.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    c == '-' || c == '_'))
			return false;
	}
	return id.n > 0 && id.n <= KEY_ID_MAX;
}

static const struct key *ring_find(const struct key_ring *k, struct str id)
{
	for (size_t i = 0; i < k->count; i++)
		if (str_eq_z(id, k->keys[i].id))
			return &k->keys[i];
	return NULL;
}

static bool ring_parse(struct key_ring *k, struct str text, const char *path, struct err *err)
{
	struct str rest = text;

	for (unsigned line_no = 1; rest.p != NULL; line_no++) {
		struct str line = str_trim(str_cut(&rest, '\n'));

		if (line.n == 0 || line.p[0] == '#')
			continue;

		struct str hex = line, id = str_cut(&hex, ' ');
		struct key *key = &k->keys[k->count];

		if (k->count == KEY_COUNT_MAX)
			return err_set(err, ERR_CONFIG, "%s: more than %d keys", path,
				KEY_COUNT_MAX);
		if (!key_id_valid(id) || !str_hex_get(str_trim(hex), key->bytes, SEAL_KEY_BYTES))
			return err_set(err, ERR_CONFIG,
				"%s, line %u: expected a key id, a space and 64 hexadecimal digits",
				path, line_no);
		if (ring_find(k, id) != NULL)
			return err_set(err, ERR_CONFIG, "%s, line %u: this key id was there before",
				path, line_no);
		memcpy(key->id, id.p, id.n);
		k->count++;
	}
	if (k->count == 0)
		return err_set(err, ERR_CONFIG, "%s holds no key", path);
	return true;
}

/*
 * Nobody but its owner may read the file. One exception: systemd hands a credential to a service's
 * user by an access list on a file of root's, and the list shows as the group's read bit.
 */
static bool mode_is_private(const struct stat *st)
{
	mode_t open_bits = st->st_mode & 077;

	return open_bits == 0 || (open_bits == 040 && st->st_uid == 0 && geteuid() != 0);
}

static bool file_read(int fd, const char *path, struct buf *text, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_set_errno(err, ERR_CONFIG, errno, "%s can't be read", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_CONFIG, "%s is not a file", path);
	if (!mode_is_private(&st)) {
		err_set(err, ERR_CONFIG, "%s can be read by other users", path);
		return err_hint(err, "chmod 600 it; if others may have read it, change the key");
	}
	for (;;) {
		ssize_t k = read(fd, text->p + text->n, text->cap - text->n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_set_errno(err, ERR_CONFIG, errno, "%s can't be read", path);
		if (k == 0)
			return true;
		text->n += (size_t)k;
		if (text->n == text->cap)
			return err_set(err, ERR_CONFIG, "%s is larger than %d bytes", path,
				FILE_BYTES_MAX);
	}
}

static void buf_wipe(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->cap);
	buf_free(b);
}

static bool write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = write(fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return true;
}

static bool dir_sync(struct arena *a, const char *path)
{
	int fd DEFER(fd_close) = open(dirname(arena_strndup(a, path, strlen(path))),
		O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && fsync(fd) == 0;
}

/* Makes PATH with one fresh key. When somebody else made it first, theirs stands. */
static bool file_create(struct arena *a, const char *path, struct rng *rng, struct err *err)
{
	const char *temp = str_fmt(a, "%s.new", path).p;
	unsigned char raw[SEAL_KEY_BYTES], id[4];
	char text[2 + sizeof(id) * 2 + sizeof(raw) * 2 + 1];

	unlink(temp); /* what a crash left: nothing was sealed with it */

	int fd DEFER(
		fd_close) = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	rng_fill(rng, raw, sizeof(raw));
	rng_fill(rng, id, sizeof(id));
	text[0] = 'k';
	str_hex_put(text + 1, id, sizeof(id));
	text[1 + sizeof(id) * 2] = ' ';
	str_hex_put(text + 2 + sizeof(id) * 2, raw, sizeof(raw));
	text[sizeof(text) - 1] = '\n';

	bool ok = fd >= 0 && write_all(fd, text, sizeof(text)) && fsync(fd) == 0 &&
		  (renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE) == 0 ||
			  errno == EEXIST) &&
		  dir_sync(a, path);
	int e = errno;

	explicit_bzero(raw, sizeof(raw));
	explicit_bzero(text, sizeof(text));
	if (!ok) {
		unlink(temp);
		return err_set_errno(err, ERR_CONFIG, e, "the key file %s can't be made", path);
	}
	unlink(temp);
	return true;
}

bool key_ring_load(struct arena *a, const char *path, bool create, struct rng *rng,
	struct key_ring **out, struct err *err)
{
	int fd DEFER(fd_close) = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && create) {
		if (!file_create(a, path, rng, err))
			return false;
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0)
		return err_set_errno(err, ERR_CONFIG, errno, "the key file %s can't be opened",
			path);

	struct buf text DEFER(buf_wipe) = BUF_INIT(FILE_BYTES_MAX);

	/* All the room at once: growing would leave copies of the keys in freed memory. */
	CHECK(buf_room(&text, FILE_BYTES_MAX) != NULL);
	if (!file_read(fd, path, &text, err))
		return false;

	struct key_ring *k = arena_new_of(a, struct key_ring);

	if (!ring_parse(k, buf_str(&text), path, err)) {
		key_ring_wipe(k);
		return false;
	}
	*out = k;
	return true;
}

void key_ring_wipe(struct key_ring *k)
{
	explicit_bzero(k, sizeof(*k));
}

static const unsigned char *bytes_of(struct str s)
{
	return (const unsigned char *)(s.p == NULL ? "" : s.p);
}

static void ctx_free(EVP_CIPHER_CTX **ctx)
{
	EVP_CIPHER_CTX_free(*ctx);
}

struct str seal(const struct key_ring *k, struct rng *rng, struct arena *a, struct str plain,
	struct str aad)
{
	EVP_CIPHER_CTX *ctx DEFER(ctx_free) = EVP_CIPHER_CTX_new();
	const struct key *key = &k->keys[k->count - 1];
	unsigned char *blob = arena_alloc(a, NONCE_BYTES + plain.n + TAG_BYTES);
	unsigned char *text = blob + NONCE_BYTES;
	int n = 0;

	CHECK(ctx != NULL && k->count > 0 && plain.n < INT32_MAX && aad.n < INT32_MAX);
	rng_fill(rng, blob, NONCE_BYTES);
	CHECK(EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes, blob) == 1);
	CHECK(EVP_EncryptUpdate(ctx, NULL, &n, bytes_of(aad), (int)aad.n) == 1);
	CHECK(EVP_EncryptUpdate(ctx, text, &n, bytes_of(plain), (int)plain.n) == 1);
	CHECK((size_t)n == plain.n);
	CHECK(EVP_EncryptFinal_ex(ctx, text + n, &n) == 1 && n == 0);
	CHECK(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, text + plain.n) == 1);

	struct str b64 = base64_encode(a, str_of((char *)blob, NONCE_BYTES + plain.n + TAG_BYTES));

	return str_fmt(a, PREFIX "%s:%.*s", key->id, STR_ARG(b64));
}

bool seal_is(struct str s)
{
	return str_starts(s, STR(PREFIX));
}

static bool gcm_open(const struct key *key, unsigned char *blob, size_t n, struct str aad,
	unsigned char *plain)
{
	EVP_CIPHER_CTX *ctx DEFER(ctx_free) = EVP_CIPHER_CTX_new();
	size_t text_n = n - NONCE_BYTES - TAG_BYTES;
	unsigned char *text = blob + NONCE_BYTES;
	int k = 0;

	CHECK(ctx != NULL && n < INT32_MAX && aad.n < INT32_MAX);
	CHECK(EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes, blob) == 1);
	CHECK(EVP_DecryptUpdate(ctx, NULL, &k, bytes_of(aad), (int)aad.n) == 1);
	CHECK(EVP_DecryptUpdate(ctx, plain, &k, text, (int)text_n) == 1);
	CHECK(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, text + text_n) == 1);
	return EVP_DecryptFinal_ex(ctx, plain + text_n, &k) == 1;
}

bool seal_open(const struct key_ring *k, struct arena *a, struct str sealed, struct str aad,
	struct str *plain, struct err *err)
{
	if (!seal_is(sealed))
		return err_set(err, ERR_CRYPT, "the value is not sealed");

	struct str b64 = str_from(sealed, sizeof(PREFIX) - 1), id = str_cut(&b64, ':'), blob;
	const struct key *key = ring_find(k, id);

	if (key == NULL) {
		err_set(err, ERR_CRYPT,
			"the value is sealed with key \"%.*s\", which is not in the key file",
			(int)MIN(id.n, KEY_ID_MAX), id.p);
		return err_hint(err, "put the old key's line back, above the newest");
	}
	if (b64.p == NULL || !base64_decode(a, b64, &blob, NULL) ||
		blob.n < NONCE_BYTES + TAG_BYTES)
		return err_set(err, ERR_CRYPT, "the sealed value is damaged");

	size_t n = blob.n - NONCE_BYTES - TAG_BYTES;
	unsigned char *out = arena_alloc(a, n + 1);

	if (!gcm_open(key, (unsigned char *)(uintptr_t)blob.p, blob.n, aad, out)) {
		explicit_bzero(out, n); /* the text is not to be trusted, nor to be left lying */
		return err_set(err, ERR_CRYPT,
			"the sealed value does not open: it, its place or its key was changed");
	}
	out[n] = '\0';
	*plain = str_of((char *)out, n);
	return true;
}

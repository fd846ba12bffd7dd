/*
 * test_seal.c - what is sealed opens in its own place only, and key files are made and read safely.
 */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypt/seal.h"

#define KEY_A "a1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define KEY_B "b2 ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100\n"

struct fix {
	struct arena *a;
	char dir[64];
	const char *path;
};

static int setup(void **state)
{
	struct arena *a = arena_new("test", 0);
	struct fix *f = arena_new_of(a, struct fix);

	f->a = a;
	snprintf(f->dir, sizeof(f->dir), "/tmp/test_seal_XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->path = str_fmt(a, "%s/key", f->dir).p;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	unlink(f->path);
	assert_int_equal(rmdir(f->dir), 0); /* nothing else was left there */
	arena_free(f->a);
	return 0;
}

static void key_file(struct fix *f, const char *text, mode_t mode)
{
	int fd;

	unlink(f->path);
	fd = open(f->path, O_WRONLY | O_CREAT | O_EXCL, mode);
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static struct key_ring *ring(struct fix *f)
{
	struct key_ring *k = NULL;
	struct err err;

	assert_ok(key_ring_load(f->a, f->path, false, rng_system(), &k, &err));
	return k;
}

static void round_trip(void **state)
{
	struct fix *f = *state;
	struct str aad = STR("acc/connection/id/rest.password"), plain;
	char big[5000];
	struct err err;

	key_file(f, KEY_A, 0600);

	const struct key_ring *k = ring(f);

	memset(big, 'x', sizeof(big));
	for (size_t n = 0; n <= sizeof(big); n = n * 2 + 1) {
		struct str s = seal(k, rng_system(), f->a, str_of(big, n), aad);

		assert_true(seal_is(s));
		assert_true(str_starts(s, STR("sealed:v1:a1:")));
		assert_ok(seal_open(k, f->a, s, aad, &plain, &err));
		assert_true(str_eq(plain, str_of(big, n)));
	}
	/* Sealed twice it looks different: equal secrets don't show. */
	assert_false(str_eq(seal(k, rng_system(), f->a, STR("s"), aad),
		seal(k, rng_system(), f->a, STR("s"), aad)));
	assert_false(seal_is(STR("hunter2")));
	assert_false(seal_is(STR("sealed:v2:x")));
}

/* Made once by another program: the format may never change under a stored value. */
static void known_answer(void **state)
{
	struct fix *f = *state;
	struct str plain;
	struct err err;

	key_file(f, KEY_A, 0600);
	assert_ok(seal_open(ring(f), f->a,
		STR("sealed:v1:a1:yv66vvrO263eyviI6czSVM8ZOzsuZC+uHj3rXnlUpSOmORkAL69oFLP8qHIoOuuC"
		    "QBFcXHXJb1U="),
		STR("acc/connection/id/field"), &plain, &err));
	assert_str(plain, "correct horse battery staple");
}

static void tampered_anywhere(void **state)
{
	struct fix *f = *state;
	struct str aad = STR("acc/connection/id/f"), plain = STR("untouched");
	struct err err;

	key_file(f, KEY_A, 0600);

	const struct key_ring *k = ring(f);
	struct str s = seal(k, rng_system(), f->a, STR("the secret"), aad);

	for (size_t i = 0; i < s.n; i++) {
		for (int bit = 0; bit < 8; bit++) {
			char *t = arena_strndup(f->a, s.p, s.n);

			t[i] = (char)(t[i] ^ (1 << bit));
			assert_fails(seal_open(k, f->a, str_of(t, s.n), aad, &plain, &err),
				ERR_CRYPT, "");
		}
		assert_fails(seal_open(k, f->a, str_of(s.p, i), aad, &plain, &err), ERR_CRYPT, "");
	}
	assert_str(plain, "untouched");
}

static void wrong_place(void **state)
{
	struct fix *f = *state;
	struct str plain;
	struct err err;

	key_file(f, KEY_A, 0600);

	const struct key_ring *k = ring(f);
	struct str s = seal(k, rng_system(), f->a, STR("secret"), STR("acc/connection/1/f"));

	assert_fails(seal_open(k, f->a, s, STR("acc/connection/2/f"), &plain, &err), ERR_CRYPT,
		"its place");
	assert_fails(seal_open(k, f->a, s, STR("acc/connection/1/"), &plain, &err), ERR_CRYPT,
		"its place");
	assert_fails(seal_open(k, f->a, s, STR_NULL, &plain, &err), ERR_CRYPT, "its place");
}

static void rotation(void **state)
{
	struct fix *f = *state;
	struct str aad = STR("place"), old, new, plain;
	struct err err;

	key_file(f, KEY_A, 0600);
	old = seal(ring(f), rng_system(), f->a, STR("old"), aad);
	key_file(f, "# ours\n\n" KEY_A "  " KEY_B, 0600);

	struct key_ring *both = ring(f);

	new = seal(both, rng_system(), f->a, STR("new"), aad);
	assert_true(str_starts(new, STR("sealed:v1:b2:")));
	assert_ok(seal_open(both, f->a, old, aad, &plain, &err));
	assert_str(plain, "old");
	assert_ok(seal_open(both, f->a, new, aad, &plain, &err));
	assert_str(plain, "new");
	key_file(f, KEY_B, 0600);
	assert_fails(seal_open(ring(f), f->a, old, aad, &plain, &err), ERR_CRYPT, "key \"a1\"");
	key_ring_wipe(both);
	assert_fails(seal_open(both, f->a, new, aad, &plain, &err), ERR_CRYPT, "key \"b2\"");
}

static void creates(void **state)
{
	struct fix *f = *state;
	struct key_ring *k = NULL, *again = NULL;
	struct str s, plain;
	struct stat st;
	struct err err;

	assert_fails(key_ring_load(f->a, f->path, false, rng_system(), &k, &err), ERR_CONFIG,
		"can't be opened");
	/* What a crash in the middle left is not taken for a key. */
	int fd = open(str_fmt(f->a, "%s.new", f->path).p, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	close(fd);
	assert_ok(key_ring_load(f->a, f->path, true, rng_system(), &k, &err));
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	s = seal(k, rng_system(), f->a, STR("x"), STR("y"));
	assert_ok(key_ring_load(f->a, f->path, true, rng_system(), &again, &err));
	assert_ok(seal_open(again, f->a, s, STR("y"), &plain, &err));
	assert_str(plain, "x");
}

static void bad_files(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "holds no key" },
		{ "# nothing\n", "holds no key" },
		{ "a1\n", "line 1" },
		{ KEY_A "b2 00\n", "line 2" },
		{ KEY_A KEY_A, "was there before" },
		{ "a:1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
			"line 1" },
		{ "a1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1g", "line 1" },
		{ "a1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f00",
			"line 1" },
	};
	struct fix *f = *state;
	struct key_ring *k = NULL;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		key_file(f, rows[i].text, 0600);
		assert_fails(key_ring_load(f->a, f->path, true, rng_system(), &k, &err), ERR_CONFIG,
			rows[i].why);
		/* The message may end in a log: no part of a key is in it. */
		assert_null(strstr(err.message, "0001"));
	}

	char *big = arena_alloc(f->a, 20001);

	memset(big, '#', 20000);
	big[20000] = '\0';
	key_file(f, big, 0600);
	assert_fails(key_ring_load(f->a, f->path, true, rng_system(), &k, &err), ERR_CONFIG,
		"is larger");
	assert_fails(key_ring_load(f->a, f->dir, true, rng_system(), &k, &err), ERR_CONFIG,
		"is not a file");

	const char *nowhere = str_fmt(f->a, "%s/no/key", f->dir).p;

	assert_fails(key_ring_load(f->a, nowhere, true, rng_system(), &k, &err), ERR_CONFIG,
		"can't be made");
	assert_null(k);
}

static void readable_by_others(void **state)
{
	static const mode_t modes[] = { 0604, 0640, 0620, 0602, 0644, 0660, 0666 };
	struct fix *f = *state;
	struct key_ring *k = NULL;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		key_file(f, KEY_A, modes[i]);
		assert_fails(key_ring_load(f->a, f->path, false, rng_system(), &k, &err),
			ERR_CONFIG, "by other users");
		assert_non_null(strstr(err.hint, "chmod 600"));
	}
	key_file(f, KEY_A, 0400);
	assert_non_null(ring(f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(known_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(tampered_anywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_place, setup, teardown),
		cmocka_unit_test_setup_teardown(rotation, setup, teardown),
		cmocka_unit_test_setup_teardown(creates, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_files, setup, teardown),
		cmocka_unit_test_setup_teardown(readable_by_others, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

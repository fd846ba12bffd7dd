/*
 * setup.c - the first run is ordered so that a crash leaves nothing half done: the token's file is
 * written first, and the account and the token's hash are added in one transaction; a file without
 * them is overwritten by the next start.
 */
#include "cli/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "crypt/digest.h"
#include "crypt/token.h"

bool setup_store(struct arena *a UNUSED, const struct options *o, bool create, struct store **out,
	struct err *err)
{
	struct store_config cfg = { .dir = option_z(o, OPT_DATA),
		.clock = clock_system(),
		.rng = rng_system(),
		.create = create };

	return store_open(&cfg, out, err);
}

static bool is_first_run(struct arena *a, struct store *store, bool *first, struct err *err)
{
	struct store_conn *c = NULL;
	struct store_account *accounts;
	size_t n = 0;
	bool ok = store_read_begin(store, &c, err) && store_account_list(c, a, &accounts, &n, err);

	store_read_end(c);
	*first = n == 0;
	return ok;
}

/* A key is only made with the data: a fresh one beside older data would hide that theirs is missing. */
bool setup_keys(struct arena *a, const struct options *o, struct store *store,
	struct key_ring **out, struct err *err)
{
	const char *path = cli_key_path(a, o);
	bool first;

	if (!is_first_run(a, store, &first, err))
		return false;
	if (!first && access(path, F_OK) != 0 && errno == ENOENT) {
		err_set(err, ERR_CONFIG,
			"the key file %s is missing, and %s has data that may be sealed with it",
			path, option_z(o, OPT_DATA));
		return err_hint(err, "put it back, or say where it is with --key; if it is lost "
				     "for good, make a "
				     "new one (a line of a key id such as k1, a space and 64 "
				     "hexadecimal digits, "
				     "chmod 600) and set the secrets of the connections again");
	}
	return key_ring_load(a, path, first, rng_system(), out, err);
}

struct first_run {
	struct store_account account;
	struct store_token token;
	unsigned char hash[SHA256_BYTES];
	bool add_account;
};

static bool first_run_write(struct store_conn *c, void *arg, struct err *err)
{
	const struct first_run *f = arg;

	return (!f->add_account || store_account_add(c, &f->account, err)) &&
	       store_token_add(c, &f->token, f->hash, err);
}

static bool write_token_file(const char *path, const char *token, struct err *err)
{
	int fd DEFER(fd_close) = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char line[TOKEN_LEN + 2];

	memcpy(line, token, TOKEN_LEN);
	line[TOKEN_LEN] = '\n';
	if (fd < 0 || fchmod(fd, 0600) != 0 || write(fd, line, TOKEN_LEN + 1) != TOKEN_LEN + 1 ||
		fsync(fd) != 0)
		return err_set_errno(err, ERR_IO, errno, "can't write %s", path);
	return true;
}

static void make_token(struct first_run *f, struct str account_id, struct str name, struct id *id,
	char *token)
{
	int64_t now = clock_wall_ms(clock_system());

	id_new(id, now, rng_system());
	token_new(token, rng_system());
	digest_sha256(str_of(token, TOKEN_LEN), f->hash);
	f->token = (struct store_token){ .id = id_str(id),
		.account_id = account_id,
		.name = name,
		.scope = STR("*"),
		.created_ms = now };
}

bool setup_token_add(struct store *store, struct str account_id, struct str name, char *token,
	struct err *err)
{
	struct first_run f = { .add_account = false };
	struct id id;

	make_token(&f, account_id, name, &id, token);
	return store_write(store, first_run_write, &f, err);
}

bool setup_first_run(struct arena *a, const struct options *o, struct store *store, struct err *err)
{
	struct first_run f = { .add_account = true };
	struct id account_id, token_id;
	char token[TOKEN_LEN + 1];
	bool first;

	if (!is_first_run(a, store, &first, err))
		return false;
	if (!first)
		return true;

	const char *path = str_fmt(a, "%s/token", option_z(o, OPT_DATA)).p;

	id_new(&account_id, clock_wall_ms(clock_system()), rng_system());
	f.account = (struct store_account){ .id = id_str(&account_id),
		.name = STR("default"),
		.created_ms = clock_wall_ms(clock_system()) };
	make_token(&f, id_str(&account_id), STR("first token"), &token_id, token);
	if (!write_token_file(path, token, err) || !store_write(store, first_run_write, &f, err))
		return false;
	printf("account \"default\" was made; its token, also in %s:\n  %s\n", path, token);
	explicit_bzero(token, sizeof(token));
	return true;
}

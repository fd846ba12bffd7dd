/*
 * admin.c - account, token, verify, backup: on a data directory whose server is stopped. The store's
 * lock refuses them while it runs.
 */
#include "cli/cli.h"
#include "cli/setup.h"

#include "crypt/token.h"

static int usage(const char *text)
{
	fprintf(stderr, "usage: integrator %s\n", text);
	return EXIT_USAGE;
}

/* Opens the store for one piece of work, closes it, and turns its result into an exit code. */
static int with_store(struct arena *a, const struct options *o,
	bool (*work)(struct arena *a, const struct options *o, struct store *s, struct err *err))
{
	struct store *store;
	struct err err = ERR_INIT;

	if (!setup_store(a, o, false, &store, &err))
		return cli_fail(&err);
	bool ok = work(a, o, store, &err);

	store_close(store);
	return ok ? EXIT_DONE : cli_fail(&err);
}

static bool list_accounts(struct arena *a, const struct options *o UNUSED, struct store *s,
	struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_account *list;
	size_t n;

	if (!store_read_begin(s, &c, err) || !store_account_list(c, a, &list, &n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		printf("%.*s  %.*s\n", STR_ARG(list[i].id), STR_ARG(list[i].name));
	return true;
}

static bool write_account(struct store_conn *c, void *arg, struct err *err)
{
	return store_account_add(c, arg, err);
}

static bool add_account(struct arena *a UNUSED, const struct options *o, struct store *s,
	struct err *err)
{
	struct store_account account = { .name = o->rest[1],
		.created_ms = clock_wall_ms(clock_system()) };
	char token[TOKEN_LEN + 1];
	struct id id;

	id_new(&id, account.created_ms, rng_system());
	account.id = id_str(&id);
	if (!store_write(s, write_account, &account, err) ||
		!setup_token_add(s, account.id, STR("first token"), token, err))
		return false;
	printf("%s\n", token);
	return true;
}

static bool update_account(struct store_conn *c, void *arg, struct err *err)
{
	return store_account_update(c, arg, err);
}

/* Its own rate limit, or with the word "default" the server's --rate-limit again. */
static bool rate_account(struct arena *a, const struct options *o, struct store *s, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_account account;

	if (!store_read_begin(s, &c, err) || !store_account_get(c, a, o->rest[1], &account, err))
		return false;
	account.rate_bucket = account.rate_refill = 0;
	if (!str_eq_z(o->rest[2], "default") &&
		!option_rate(o->rest[2], "rate-limit", &account.rate_bucket, &account.rate_refill,
			err))
		return false;
	return store_write(s, update_account, &account, err);
}

int command_account(struct arena *a, const struct options *o)
{
	if (o->rest_count == 1 && str_eq_z(o->rest[0], "list"))
		return with_store(a, o, list_accounts);
	if (o->rest_count == 2 && str_eq_z(o->rest[0], "add"))
		return with_store(a, o, add_account);
	if (o->rest_count == 3 && str_eq_z(o->rest[0], "rate"))
		return with_store(a, o, rate_account);
	return usage("account list | account add NAME | account rate NAME BUCKET,REFILL|default "
		     "[--data DIR]");
}

static bool find_account(struct arena *a, const struct options *o, struct store *s,
	struct store_account *out, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;

	return store_read_begin(s, &c, err) && store_account_get(c, a, o->account, out, err);
}

static bool list_tokens(struct arena *a, const struct options *o, struct store *s, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_account account;
	struct store_token *list;
	size_t n;

	if (!find_account(a, o, s, &account, err) || !store_read_begin(s, &c, err) ||
		!store_token_list(c, a, account.id, &list, &n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		printf("%.*s  %.*s  %.*s\n", STR_ARG(list[i].id),
			STR_ARG(time_iso(a, list[i].created_ms)), STR_ARG(list[i].name));
	return true;
}

static bool add_token(struct arena *a, const struct options *o, struct store *s, struct err *err)
{
	struct store_account account;
	char token[TOKEN_LEN + 1];

	if (o->rest[1].n == 0 || o->rest[1].n > 200)
		return err_set(err, ERR_QUERY, "a token needs a name of 1 to 200 bytes");
	if (!find_account(a, o, s, &account, err) ||
		!setup_token_add(s, account.id, o->rest[1], token, err))
		return false;
	printf("%s\n", token);
	return true;
}

static bool write_remove(struct store_conn *c, void *arg, struct err *err)
{
	const struct store_token *t = arg;

	return store_token_remove(c, t->account_id, t->id, err);
}

static bool remove_token(struct arena *a, const struct options *o, struct store *s, struct err *err)
{
	struct store_account account;

	if (!find_account(a, o, s, &account, err))
		return false;
	struct store_token t = { .account_id = account.id, .id = o->rest[1] };

	return store_write(s, write_remove, &t, err);
}

int command_token(struct arena *a, const struct options *o)
{
	if (o->rest_count == 1 && str_eq_z(o->rest[0], "list"))
		return with_store(a, o, list_tokens);
	if (o->rest_count == 2 && str_eq_z(o->rest[0], "add"))
		return with_store(a, o, add_token);
	if (o->rest_count == 2 && str_eq_z(o->rest[0], "remove"))
		return with_store(a, o, remove_token);
	return usage("token list | token add NAME | token remove ID [--account NAME] [--data DIR]");
}

int command_verify(struct arena *a UNUSED, const struct options *o)
{
	struct err err = ERR_INIT;

	if (!store_verify(option_z(o, OPT_DATA), &err))
		return cli_fail(&err);
	printf("%s is whole\n", option_z(o, OPT_DATA));
	return EXIT_DONE;
}

static bool backup(struct arena *a UNUSED, const struct options *o, struct store *s,
	struct err *err)
{
	return store_backup(s, o->rest[0].p, err);
}

int command_backup(struct arena *a, const struct options *o)
{
	if (o->rest_count != 1)
		return usage("backup FILE [--data DIR]");
	return with_store(a, o, backup);
}

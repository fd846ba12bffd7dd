/*
 * account.c - accounts and their tokens.
 */
#include "core/buf.h"
#include "store/row.h"
#include "store/store_priv.h"

#define TOKEN_OWN_COLUMNS 7 /* the rest are of its account */

static bool account_failed(const struct sql_stmt *st, const struct store_account *a,
	struct err *err)
{
	if (st->failure == SQL_UNIQUE)
		return err_set(err, ERR_CONFLICT, "there is an account named \"%.*s\" already",
			STR_ARG(a->name));
	return sql_error(st->conn, err);
}

bool store_account_add(struct store_conn *c, const struct store_account *a, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_ACCOUNT_ADD);

	row_bind(st, 1, &row_account, 0, row_account.count, a);
	c->changed |= CHANGED_TOKENS;
	return sql_run(st) || account_failed(st, a, err);
}

bool store_account_update(struct store_conn *c, const struct store_account *a, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_ACCOUNT_UPDATE);

	sql_bind_str(st, 1, a->id);
	sql_bind_str(st, 2, a->name);
	sql_bind_i64(st, 3, a->rate_bucket);
	sql_bind_i64(st, 4, a->rate_refill);
	c->changed |= CHANGED_TOKENS;
	if (!sql_run(st))
		return account_failed(st, a, err);
	return sql_changes(st) == 1 || err_set(err, ERR_NOT_FOUND, "there is no such account");
}

bool store_account_get(struct store_conn *c, struct arena *a, struct str name_or_id,
	struct store_account *out, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_ACCOUNT_GET);

	sql_bind_str(st, 1, name_or_id);

	enum sql_result r = row_read_one(st, &row_account, a, out, err);

	if (r == SQL_DONE)
		err_set(err, ERR_NOT_FOUND, "there is no account \"%.*s\"", STR_ARG(name_or_id));
	return r == SQL_ROW;
}

bool store_account_list(struct store_conn *c, struct arena *a, struct store_account **out,
	size_t *count, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_ACCOUNT_LIST);
	struct row_list l = { .arena = a, .row_bytes = sizeof(struct store_account) };

	if (!row_read_all(st, &row_account, &l, err))
		return false;
	*out = (struct store_account *)(void *)l.p;
	*count = l.count;
	return true;
}

/* Settings are texts: the instant, then the name. */
static void timezone_key(struct str account_id, char out[48])
{
	snprintf(out, 48, "timezone/%.*s", STR_ARG(account_id));
}

bool store_timezone_get(struct store_conn *c, struct arena *a, struct str account_id,
	struct store_timezone *out, struct err *err)
{
	struct err none = ERR_INIT;
	struct str text;
	char key[48];

	timezone_key(account_id, key);
	*out = (struct store_timezone){ .name = STR_NULL };
	if (!store_setting_get(c, a, str_z(key), &text, &none)) {
		if (none.code != ERR_NOT_FOUND)
			*err = none;
		return none.code == ERR_NOT_FOUND;
	}
	if (!str_to_i64(str_cut(&text, ' '), &out->since_ms))
		return err_set(err, ERR_STORE, "the setting %s is damaged", key);
	if (text.n > 0)
		out->name = text;
	return true;
}

bool store_timezone_put(struct store_conn *c, struct str account_id, const struct store_timezone *z,
	struct err *err)
{
	struct buf text DEFER(buf_free) = BUF_INIT(0);
	char key[48];

	timezone_key(account_id, key);
	buf_add_fmt(&text, "%lld %.*s", (long long)z->since_ms, STR_ARG(z->name));
	return store_setting_put(c, str_z(key), buf_str(&text), err);
}

bool store_token_add(struct store_conn *c, const struct store_token *t,
	const unsigned char hash[32], struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_TOKEN_ADD);

	row_bind(st, 1, &row_token, 0, TOKEN_OWN_COLUMNS, t);
	sql_bind_blob(st, TOKEN_OWN_COLUMNS + 1, hash, 32);
	c->changed |= CHANGED_TOKENS;
	return sql_run(st) || sql_error(st->conn, err);
}

bool store_token_find(struct store_conn *c, struct arena *a, const unsigned char hash[32],
	struct store_token *out, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_TOKEN_FIND);
	struct store_token t;

	sql_bind_blob(st, 1, hash, 32);
	switch (row_read_one(st, &row_token, a, &t, err)) {
	case SQL_FAILED:
		return false;
	case SQL_DONE:
		return err_set(err, ERR_UNAUTHORIZED, "the token is not known, or was revoked");
	case SQL_ROW:
		break;
	}
	if (t.expires_ms != 0 && t.expires_ms <= clock_wall_ms(c->store->clock))
		return err_set(err, ERR_UNAUTHORIZED, "the token has expired");
	*out = t;
	return true;
}

bool store_token_list(struct store_conn *c, struct arena *a, struct str account_id,
	struct store_token **out, size_t *count, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_TOKEN_LIST);
	struct row_list l = { .arena = a, .row_bytes = sizeof(struct store_token) };

	sql_bind_str(st, 1, account_id);
	if (!row_read_all(st, &row_token, &l, err))
		return false;
	*out = (struct store_token *)(void *)l.p;
	*count = l.count;
	return true;
}

bool store_token_remove(struct store_conn *c, struct str account_id, struct str id, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_TOKEN_REMOVE);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, id);
	c->changed |= CHANGED_TOKENS;
	if (!sql_run(st))
		return sql_error(st->conn, err);
	return sql_changes(st) == 1 || err_set(err, ERR_NOT_FOUND, "there is no such token");
}

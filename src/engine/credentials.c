/*
 * credentials.c - reads documents as they are stored now, which a job may have begun without, and writes
 * new tokens into connections.
 */
#include "engine/credentials.h"

#include "core/log.h"

static bool open_doc(void *ctx, struct str account_id, const char *type, struct str id,
	struct arena *a, const struct json **doc, struct err *err)
{
	const struct engine *e = ctx;
	struct store_conn *c DEFER(store_read_endp) = NULL;

	return store_read_begin(e->cfg.store, &c, err) &&
	       resource_open(e->cfg.resources, c, a, account_id, str_z(type), id, doc, err);
}

static bool save(void *ctx, struct str account_id, struct str connection_id, struct str used,
	const struct json *patch, struct arena *a, struct err *err)
{
	const struct engine *e = ctx;

	if (!resource_renew(e->cfg.resources, account_id, connection_id, used, patch, a, err))
		return false;
	LOG(LOG_INFO, "connection.token_renewed", LOG_S("connection", connection_id));
	return true;
}

const struct vault_ops credentials_ops = { open_doc, save };

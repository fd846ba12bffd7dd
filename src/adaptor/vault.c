/*
 * vault.c - one list of turns, those that are had and those that are waited for. It is short: as many
 * as there are threads that want new credentials at this moment.
 */
#include "adaptor/vault.h"

#include "core/thread.h"

struct vault {
	const struct vault_ops *ops;
	void *ctx;
	struct mutex lock;
	struct cond left;
	struct vault_turn *turns; /* under lock */
};

struct vault *vault_new(struct arena *a, const struct vault_ops *ops, void *ctx)
{
	struct vault *v = arena_new_of(a, struct vault);

	v->ops = ops;
	v->ctx = ctx;
	mutex_init(&v->lock);
	cond_init(&v->left);
	return v;
}

void vault_destroy(struct vault *v)
{
	CHECK(v->turns == NULL);
	mutex_destroy(&v->lock);
	cond_destroy(&v->left);
}

bool vault_open(const struct vault *v, struct str account_id, const char *type, struct str id,
	struct arena *a, const struct json **doc, struct err *err)
{
	return v->ops->open(v->ctx, account_id, type, id, a, doc, err);
}

bool vault_save(const struct vault *v, struct str account_id, struct str connection_id,
	struct str used, const struct json *patch, struct arena *a, struct err *err)
{
	return v->ops->save(v->ctx, account_id, connection_id, used, patch, a, err);
}

static bool is_had(const struct vault *v, struct str connection_id)
{
	for (const struct vault_turn *t = v->turns; t != NULL; t = t->next)
		if (t->state == VAULT_MINE && str_eq(t->connection_id, connection_id))
			return true;
	return false;
}

enum vault_state vault_enter(struct vault *v, struct vault_turn *t, int64_t until_ms)
{
	WITH_LOCK(&v->lock);
	if (t->state == VAULT_OUT) {
		t->state = VAULT_WAITS;
		t->next = v->turns;
		v->turns = t;
	}
	while (t->state == VAULT_WAITS && is_had(v, t->connection_id))
		if (!cond_wait_until(&v->left, &v->lock, until_ms))
			break;
	if (t->state == VAULT_WAITS && !is_had(v, t->connection_id))
		t->state = VAULT_MINE;
	return t->state;
}

void vault_leave(struct vault *v, struct vault_turn *t, const struct err *failed)
{
	WITH_LOCK(&v->lock);
	struct vault_turn **at = &v->turns;
	bool mine = t->state == VAULT_MINE;

	if (t->state == VAULT_OUT)
		return;
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	t->state = VAULT_OUT;
	if (!mine)
		return;
	for (struct vault_turn *w = v->turns; failed->code != ERR_NONE && w != NULL; w = w->next)
		if (w->state == VAULT_WAITS && str_eq(w->connection_id, t->connection_id)) {
			w->state = VAULT_FAILED;
			w->err = *failed;
		}
	cond_broadcast(&v->left);
}

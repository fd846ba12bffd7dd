/*
 * rest_send_priv.h - the sender of the REST import: many requests at once, each in several attempts.
 */
#ifndef ADAPTOR_REST_REST_SEND_PRIV_H
#define ADAPTOR_REST_REST_SEND_PRIV_H

#include "adaptor/rest/rest_priv.h"

struct sink;

/* A request that may take several attempts; the first member of what a user of the sender keeps. */
struct task {
	struct task *next;   /* in the list of those not begun */
	int64_t due_ms;      /* while it waits; of env->clock */
	int64_t wait_ms;     /* out of land(): until the next attempt */
	unsigned attempts;   /* that landed */
	struct arena *arena; /* for what lasts */
};

struct slot {
	struct rest_call call;
	struct http_header own[REST_HEADERS_MAX + 1]; /* the key beside the import's */
	struct buf uri, body;                         /* where the call's do not stand elsewhere */
	struct task *task;
	struct slot *next_free;
};

struct task_ops {
	/* Fills slot->call. False: it can't be sent; fail() is called. */
	bool (*fill)(struct sink *s, struct slot *slot, struct task *t, struct err *err);
	/* An attempt is over. False: the task goes on in t->wait_ms. */
	bool (*land)(struct sink *s, struct slot *slot, struct task *t);
	/* Ends a task that is not in the air: it can't be sent, or the job was canceled. */
	void (*fail)(struct sink *s, struct task *t, const struct err *err);
	/* Puts it aside: the application wants a longer pause than a worker waits. */
	void (*defer)(struct sink *s, struct task *t, int64_t wait_ms);
};

void rest_send_init(struct sink *s);
void rest_send_free(struct sink *s);
/* Runs all tasks of the list to their end; begins them in order. */
void rest_send_run(struct sink *s, struct task *first, const struct task_ops *ops);
/*
 * May the task of a landed call be tried again? *WAIT_MS: when; it may be longer than a worker waits.
 * Also notes a pause that the answer asks of everybody.
 */
bool rest_send_again(struct sink *s, const struct slot *slot, const struct task *t,
	int64_t *wait_ms);
/* Is it unknown whether the application acted on the landed call? */
bool rest_send_in_doubt(const struct rest_call *c);
bool rest_send_canceled(const struct sink *s);

#endif

/*
 * webhook_scheme.c - the presets: how well-known senders sign what they post, one row each, as their
 * documentation says.
 */
#include "adaptor/webhook/webhook_priv.h"

#define HMAC_OF(signs_, header_, algorithm_, encoding_, label_)                                    \
	.verify = "hmac", .proof = WEBHOOK_PROOF_HMAC, .header = header_, .algorithm = algorithm_, \
	.encoding = encoding_, .label = label_, .signs = signs_
#define HMAC_OF_BODY(...) HMAC_OF("b", __VA_ARGS__)

/* "t=1492774577,v1=5257...,v1=6ffb..." */
#define HMAC_WITH_TIME(header_, separator_, time_label_, label_, signs_)            \
	.verify = "hmac", .proof = WEBHOOK_PROOF_HMAC, .header = header_,           \
	.algorithm = HMAC_SHA256, .encoding = WEBHOOK_HEX, .separator = separator_, \
	.time_label = time_label_, .label = label_, .signs = signs_

#define STANDARD(prefix)                                                                        \
	.verify = "standard", .proof = WEBHOOK_PROOF_HMAC, .header = prefix "-signature",       \
	.algorithm = HMAC_SHA256, .encoding = WEBHOOK_BASE64, .key_is_base64 = true,            \
	.separator = ' ', .label = "v1,", .signs = "i.t.b", .time_header = prefix "-timestamp", \
	.id_header = prefix "-id"

#define SECRET_URL .verify = "secret_url", .proof = WEBHOOK_PROOF_PATH

const struct webhook_scheme webhook_schemes[] = {
	{ "standard", STANDARD("webhook") },
	{ "svix", STANDARD("svix") },
	{ "github", HMAC_OF_BODY("X-Hub-Signature-256", HMAC_SHA256, WEBHOOK_HEX, "sha256="),
		.id_header = "X-GitHub-Delivery" },
	{ "gitlab", .verify = "token", .proof = WEBHOOK_PROOF_TOKEN, .header = "X-Gitlab-Token",
		.id_header = "Idempotency-Key" },
	{ "shopify", HMAC_OF_BODY("X-Shopify-Hmac-Sha256", HMAC_SHA256, WEBHOOK_BASE64, ""),
		/* the event's id is shared by the topics of one action, this one is not */
		.id_header = "X-Shopify-Webhook-Id" },
	{ "woocommerce", HMAC_OF_BODY("X-WC-Webhook-Signature", HMAC_SHA256, WEBHOOK_BASE64, ""),
		.id_header = "X-WC-Webhook-Delivery-ID" },
	{ "stripe", HMAC_WITH_TIME("Stripe-Signature", ',', "t=", "v1=", "t.b"), .id_path = "id",
		.or_path = true },
	{ "calendly", HMAC_WITH_TIME("Calendly-Webhook-Signature", ',', "t=", "v1=", "t.b") },
	{ "paddle", HMAC_WITH_TIME("Paddle-Signature", ';', "ts=", "h1=", "t:b"),
		.id_path = "event_id" },
	{ "slack", HMAC_WITH_TIME("X-Slack-Signature", 0, NULL, "v0=", "v0:t:b"),
		.time_header = "X-Slack-Request-Timestamp", .id_path = "event_id",
		.challenge_type = "url_verification" },
	{ "zendesk", HMAC_OF("tb", "X-Zendesk-Webhook-Signature", HMAC_SHA256, WEBHOOK_BASE64, ""),
		.time_header = "X-Zendesk-Webhook-Signature-Timestamp", .time_is_iso = true,
		.id_header = "X-Zendesk-Webhook-Invocation-Id" },
	{ "typeform", HMAC_OF_BODY("Typeform-Signature", HMAC_SHA256, WEBHOOK_BASE64, "sha256="),
		.id_path = "event_id" },
	{ "intercom", HMAC_OF_BODY("X-Hub-Signature", HMAC_SHA1, WEBHOOK_HEX, "sha1="),
		.id_path = "id", .or_path = true },
	{ "pagerduty", HMAC_OF_BODY("X-PagerDuty-Signature", HMAC_SHA256, WEBHOOK_HEX, "v1="),
		.separator = ',', .id_path = "event.id", .or_path = true },
	{ "dropbox", HMAC_OF_BODY("X-Dropbox-Signature", HMAC_SHA256, WEBHOOK_HEX, ""),
		.challenge_query = "challenge" },
	{ "meta", HMAC_OF_BODY("X-Hub-Signature-256", HMAC_SHA256, WEBHOOK_HEX, "sha256="),
		.challenge_query = "hub.challenge", .challenge_token_query = "hub.verify_token" },
	/* They sign nothing that can be checked alone, or nothing at all: the secret stands in the URL. */
	{ "activecampaign", SECRET_URL },
	{ "aha", SECRET_URL },
	{ "box", SECRET_URL },
	{ "jira", SECRET_URL },
	{ "mailchimp", SECRET_URL },
	{ "mailparser", SECRET_URL },
	{ "mailparser-io", SECRET_URL },
	{ "parseur", SECRET_URL },
	{ "postmark", SECRET_URL },
	{ "recurly", SECRET_URL },
	{ "sapariba", SECRET_URL },
	{ "segment", SECRET_URL },
	{ NULL },
};

const struct webhook_scheme *webhook_scheme_of(struct str name)
{
	for (const struct webhook_scheme *s = webhook_schemes; s->name != NULL; s++)
		if (str_eq_z(name, s->name))
			return s;
	return NULL;
}

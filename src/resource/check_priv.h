/*
 * check_priv.h - checks that several types need. Each adds to P what is wrong, and does nothing when the value
 * is absent or at fault already.
 */
#ifndef RESOURCE_CHECK_PRIV_H
#define RESOURCE_CHECK_PRIV_H

#include "resource/resource.h"

/* A fault that a compiler of ours found, under the field's name. */
void res_add_fault(struct problems *p, const char *field, const struct err *err);
/*
 * Texts with placeholders at PATH: one, or all that an array or object holds. DOUBLES_ONLY: `{x}` is none
 * there. A body that is one string has double ones only; the values of the headers at PATH.
 */
void res_check_text_at(const struct json *doc, const char *path, bool doubles_only,
	struct problems *p);
void res_check_body_at(const struct json *doc, const char *path, bool doubles_only,
	struct problems *p);
void res_check_header_texts(const struct json *doc, const char *path, bool doubles_only,
	struct problems *p);
/* A body or header of an import, or a body of one of its lookups. */
void res_check_import_text(const struct json *value, const char *field, struct problems *p);
/* An import's mapping, with the lookups that it names. */
void res_check_mapping(const struct json *doc, struct problems *p);
/* Header names that requests get from the transfer itself. */
void res_check_headers(const struct json *doc, const char *path, struct problems *p);
/* Extract path. FIELD is the value's path as errors name it. */
void res_check_extract(const struct json *value, const char *field, struct problems *p);
/* Relative URI with placeholders. */
void res_check_uri(const struct json *value, const char *field, struct problems *p);
/* Both at a path of names in DOC. */
void res_check_extract_at(const struct json *doc, const char *path, struct problems *p);
void res_check_uri_at(const struct json *doc, const char *path, struct problems *p);
/* The rules of the filter, and of the transform, at PATH. */
void res_check_filter(const struct json *doc, const char *path, struct problems *p);
void res_check_transform(const struct json *doc, const char *path, struct problems *p);
/* Which fields of `webhook` are needed, and which can't be, follows from how it verifies. */
void res_check_webhook(const struct json *doc, struct problems *p);
/* Exactly one of _stackId and _scriptId at PATH ("" for the document itself). */
void res_check_target(const struct json *doc, const char *path, struct problems *p);
/*
 * Beside other problems of DOC, which may be a body that is not valid: references that lead nowhere. For
 * people only: what is written is checked by its transaction.
 */
void res_check_refs(const struct resources *r, struct str account_id, const struct schema *s,
	const struct json *doc, struct problems *p);

#endif

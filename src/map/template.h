/*
 * template.h - texts with placeholders: `{first_name} {last_name}`, `/customers/{idLookup}`,
 * `/orders/{{record.id}}?since={{dateFormat "YYYY-MM-DD" lastExportDateTime}}`.
 *
 * A text without `{{` holds placeholders: `{path}` stands for the value of an extract path. Strings
 * render as they are, numbers by their lexeme, booleans as words, null and missing as nothing,
 * arrays and objects as compact JSON; `\{` is a brace. A text with `{{` is a Handlebars template as a
 * whole (data/handlebars.h), single braces in it are text. Of both, values in a URI are
 * percent-encoded as a component (but not in `{{{...}}}`), and a placeholder without a value is an
 * error there; in text they are raw, and one without a value renders empty. A lookup's name wins over
 * a field's. Compiled once into the arena, then read-only: any thread.
 */
#ifndef MAP_TEMPLATE_H
#define MAP_TEMPLATE_H

#include "core/clock.h"
#include "core/rng.h"
#include "map/path.h"

enum template_use { TEMPLATE_TEXT, TEMPLATE_URI };

struct template;

/* What placeholders may stand for besides the record's own fields. Any member may be NULL. */
struct template_env {
	/*
	 * The value of a lookup or variable of this name; *FOUND false: not such a name. A NULL *VALUE
	 * with *FOUND is "no value". For a path in double braces that begins with `lookup.` asked for
	 * "lookup.<name>" first, then for the path's first name.
	 */
	bool (*value)(void *ctx, struct str name, bool *found, const struct json **value,
		struct err *err);
	void *ctx;
	/* For templates in double braces; NULL: the system's, and an arena for the one rendering. */
	const struct clock *clock;
	struct rng *rng;
	struct arena *scratch;
	struct str timezone; /* of dates that name none; p NULL: UTC */
};

/* ERR_INVALID with the position (from 1) of the fault. */
MUST_CHECK bool template_compile(struct arena *a, struct str text, enum template_use use,
	struct template **out, struct err *err);
bool template_is_constant(const struct template *t); /* no placeholder */
/* The I-th placeholder's path text; p NULL behind the last. */
struct str template_placeholder(const struct template *t, size_t i);
/*
 * The I-th part of a template of single braces: literal text (*PATH NULL) or a placeholder. False
 * behind the last, and for a Handlebars template.
 */
bool template_part(const struct template *t, size_t i, struct str *literal,
	const struct path **path);
/*
 * Adds to OUT. *VALUES (may be NULL): how many placeholders had a value. ERR_MISSING_VALUE names
 * the placeholder (URI use only). ENV may be NULL.
 */
MUST_CHECK bool template_render(const struct template *t, const struct json *record,
	const struct template_env *env, struct buf *out, size_t *values, struct err *err);

#endif

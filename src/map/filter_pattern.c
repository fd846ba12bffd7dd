/*
 * filter_pattern.c - the one place of this folder that speaks to PCRE2 for filters.
 *
 * The compiled pattern lives in the filter's arena, the memory of a match in the scratch arena, through
 * PCRE2's own seam for allocators. No JIT: it would need memory that is writable and executable.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/limits.h"
#include "map/filter_priv.h"

#define HEAP_KB_MAX 4096

struct pattern {
	pcre2_code *code;
};

static void *take(PCRE2_SIZE n, void *arena)
{
	return arena_alloc(arena, n);
}

/* The arena's end frees. */
static void give(void *p UNUSED, void *arena UNUSED)
{
}

bool filter_pattern_compile(struct arena *a, struct str text, struct pattern **out, struct err *err)
{
	/* as in JavaScript: \uXXXX, [] matches nothing, $ is the very end, unset groups match */
	const uint32_t options = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_ALT_BSUX |
				 PCRE2_ALLOW_EMPTY_CLASS | PCRE2_DOLLAR_ENDONLY |
				 PCRE2_MATCH_UNSET_BACKREF;
	pcre2_compile_context *cc = pcre2_compile_context_create(
		pcre2_general_context_create(take, give, a));
	struct pattern *p = arena_new_of(a, struct pattern);
	unsigned char words[200];
	PCRE2_SIZE at;
	int code;

	if (text.n > LIMIT_FILTER_PATTERN_BYTES)
		return err_set(err, ERR_LIMIT, "the pattern is longer than %d bytes",
			LIMIT_FILTER_PATTERN_BYTES);
	p->code = pcre2_compile((PCRE2_SPTR)text.p, text.n, options, &code, &at, cc);
	if (p->code == NULL) {
		pcre2_get_error_message(code, words, sizeof(words));
		return err_set(err, ERR_INVALID, "the pattern is wrong at position %zu: %s", at + 1,
			(const char *)words);
	}
	*out = p;
	return true;
}

bool filter_pattern_matches(const struct pattern *p, struct str text, struct arena *scratch,
	bool *matches, struct err *err)
{
	struct arena_mark mark = arena_mark(scratch);
	pcre2_general_context *gc = pcre2_general_context_create(take, give, scratch);
	pcre2_match_context *mc = pcre2_match_context_create(gc);
	pcre2_match_data *md = pcre2_match_data_create_from_pattern(p->code, gc);

	pcre2_set_match_limit(mc, LIMIT_FILTER_PATTERN_STEPS);
	pcre2_set_depth_limit(mc, LIMIT_FILTER_PATTERN_STEPS);
	pcre2_set_heap_limit(mc, HEAP_KB_MAX);
	int rc = pcre2_match(p->code, (PCRE2_SPTR)text.p, text.n, 0, PCRE2_NO_UTF_CHECK, md, mc);

	arena_rewind(scratch, mark);
	if (rc < 0 && rc != PCRE2_ERROR_NOMATCH)
		return err_set(err, ERR_LIMIT,
			"the pattern needs too many steps on a text of %zu bytes", text.n);
	*matches = rc >= 0;
	return true;
}

/*
 * handlebars_tree_priv.h - tokens of a template and the tree that they are compiled to.
 */
#ifndef DATA_HANDLEBARS_TREE_PRIV_H
#define DATA_HANDLEBARS_TREE_PRIV_H

#include "data/handlebars_helper.h"

/* ---- tokens ---- */

enum token_kind {
	T_EOF,
	T_CONTENT,
	T_COMMENT,
	T_OPEN,          /* {{ and {{& */
	T_OPEN_RAW,      /* {{{ */
	T_OPEN_BLOCK,    /* {{# */
	T_OPEN_INVERSE,  /* {{^name */
	T_OPEN_CHAIN,    /* {{else name */
	T_OPEN_END,      /* {{/ */
	T_INVERSE,       /* {{^}} and {{else}} */
	T_OPEN_RAWBLOCK, /* {{{{ */
	T_CLOSE_RAWBLOCK,
	T_END_RAWBLOCK, /* text is the name */
	T_CLOSE,
	T_CLOSE_RAW,
	T_OPEN_SEXPR,
	T_CLOSE_SEXPR,
	T_ID, /* text as written, brackets kept, escapes undone */
	T_SEP,
	T_EQUALS,
	T_DATA,
	T_STRING,
	T_NUMBER,
	T_TRUE,
	T_FALSE,
	T_UNDEFINED,
	T_NULL,
	T_PARAMS, /* as | */
	T_BAR,
};

struct token {
	enum token_kind kind;
	struct str
		text; /* value of CONTENT, ID, STRING, NUMBER; the source of openings and closings */
	size_t at;    /* offset in the source */
};

enum lex_mode { LEX_TEXT, LEX_MUSTACHE, LEX_ESCAPED, LEX_COMMENT };

struct lexer {
	struct arena *arena;
	struct str s;
	size_t at;
	enum lex_mode mode;
	unsigned raw; /* raw blocks that are open */
	enum token_kind last;
};

MUST_CHECK bool lex_next(struct lexer *l, struct token *t, struct err *err);
bool lex_fail(size_t at, struct err *err, const char *fmt, ...) PRINTF(3, 4);

/* ---- the tree ---- */

struct hbs_path {
	struct str original; /* as written, brackets taken off */
	struct str *parts;
	uint32_t count, depth;
	bool data;        /* @name */
	bool scoped;      /* ./name, this.name: not a helper, block parameter or variable */
	int block, param; /* the block parameter it begins with; -1: none */
};

enum expr_kind { EXPR_LITERAL, EXPR_PATH, EXPR_CALL };

struct expr {
	enum expr_kind kind;
	size_t at;
	struct str text;             /* of a literal: its name when it is used as one */
	const struct json *literal;  /* NULL: undefined */
	struct hbs_path *path;       /* of a path; of a call: its name */
	const struct hbs_helper *fn; /* of a call */
	struct expr **args;
	uint32_t args_count, hash_count;
	struct str *hash_names;
	struct expr **hash;
};

struct strip {
	bool open, close;
};

enum node_kind { NODE_CONTENT, NODE_COMMENT, NODE_MUSTACHE, NODE_BLOCK };

struct program;

struct node {
	enum node_kind kind;
	size_t at;
	struct str original, value; /* of content; value is what whitespace control leaves */
	bool right_stripped, left_stripped;
	struct expr *expr;
	bool escaped;                      /* of a mustache */
	struct program *program, *inverse; /* of a block */
	struct strip strip; /* of a mustache or comment; of a block: of its opening */
	struct strip inverse_strip, close_strip;
};

struct program {
	struct node **body;
	size_t count, cap;
	struct str *params;
	uint32_t params_count;
	bool chained; /* holds nothing but the block of an {{else name}} */
};

struct hbs {
	struct str text;
	struct program *main;
	struct str *paths;
	size_t paths_count, paths_cap;
	bool constant;
};

MUST_CHECK bool hbs_parse(struct arena *a, struct str text, const struct hbs_options *options,
	struct hbs *t, struct err *err);
void hbs_strip_whitespace(struct program *main);

#endif

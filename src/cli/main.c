/*
 * main.c - finds the command and hands it its options.
 */
#include "cli/cli.h"

static int command_version(struct arena *a UNUSED, const struct options *o UNUSED)
{
	puts("integrator " INTEGRATOR_VERSION);
	return EXIT_DONE;
}

static const struct command {
	const char *name, *usage, *words;
	int (*fn)(struct arena *a, const struct options *o);
	size_t arguments;                      /* at most so many, besides options */
	enum { NO_DATA, ON_DATA, SERVES } use; /* which options it heeds */
} commands[] = {
	{ "serve", "", "run the server", command_serve, 0, SERVES },
	{ "account", "list | add NAME | rate NAME BUCKET,REFILL|default",
		"accounts of a data directory whose server is stopped", command_account, 3,
		ON_DATA },
	{ "token", "list | add NAME | remove ID [--account NAME]",
		"tokens of an account; while the server runs use /v1/accesstokens", command_token,
		2, ON_DATA },
	{ "verify", "", "prove a data directory whole (server stopped)", command_verify, 0,
		ON_DATA },
	{ "backup", "FILE", "copy the database of a data directory (server stopped)",
		command_backup, 1, ON_DATA },
	{ "meta", "docs DIR | openapi", "write the reference pages, print the OpenAPI document",
		command_meta, 2, NO_DATA },
	{ "version", "", "print the version", command_version, 0, NO_DATA },
};

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

static void add_usage(struct buf *b, const struct command *c)
{
	buf_add_fmt(b, "%s%s%s%s", c->name, c->usage[0] == '\0' ? "" : " ", c->usage,
		c->use == NO_DATA ? "" : " [OPTIONS]");
}

/* Of one command; NULL: of the program. */
static void help(FILE *to, const struct command *c)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	if (c == NULL) {
		BUF_ADD_LIT(&b, "integrator - a self-hosted integration platform\n\nUsage: "
				"integrator COMMAND [ARGUMENTS] [OPTIONS]\n\n");
		for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
			BUF_ADD_LIT(&b, "  ");
			add_usage(&b, &commands[i]);
			buf_add_fmt(&b, "\n      %s\n", commands[i].words);
		}
	} else {
		BUF_ADD_LIT(&b, "Usage: integrator ");
		add_usage(&b, c);
		buf_add_fmt(&b, "\n\n%s\n", c->words);
	}
	if (c == NULL || c->use != NO_DATA) {
		BUF_ADD_LIT(&b, "\nOptions:\n");
		options_help(&b, c == NULL || c->use == SERVES);
	}
	BUF_ADD_LIT(&b, "\nExit codes: 0 done, 1 failed, 2 usage, 3 configuration, 4 store.\n");
	fwrite(b.p, 1, b.n, to);
}

int cli_fail(const struct err *err)
{
	fprintf(stderr, "integrator: %s\n", err->message);
	if (err->hint[0] != '\0')
		fprintf(stderr, "  hint: %s\n", err->hint);
	switch (err->code) {
	case ERR_QUERY:
		return EXIT_USAGE;
	case ERR_CONFIG:
	case ERR_TLS:
		return EXIT_CONFIG;
	case ERR_STORE:
		return EXIT_STORE;
	default:
		return EXIT_FAILED;
	}
}

const char *cli_key_path(struct arena *a, const struct options *o)
{
	struct str dir = o->value[OPT_DATA];

	if (o->value[OPT_KEY].n > 0)
		return option_z(o, OPT_KEY);
	while (dir.n > 1 && dir.p[dir.n - 1] == '/')
		dir.n--;
	return str_fmt(a, "%.*s.key", STR_ARG(dir)).p;
}

static bool is_one_of(const char *word, const char *a, const char *b)
{
	return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (is_one_of(argv[i], "--help", "-h"))
			return true;
	return argc > 1 && strcmp(argv[1], "help") == 0;
}

static int unknown(const char *name)
{
	fprintf(stderr, "integrator: there is no command \"%s\"\n  hint: integrator help\n", name);
	return EXIT_USAGE;
}

static int run(const struct command *c, int argc, char **argv)
{
	struct arena *a DEFER(arena_freep) = arena_new("process", 0);
	struct options o;
	struct err err = ERR_INIT;

	if (!options_read(a, argc, argv, &o, &err))
		return cli_fail(&err);
	if (o.rest_count > c->arguments) {
		err_set(&err, ERR_QUERY, "%s does not take \"%.*s\"", c->name,
			STR_ARG(o.rest[c->arguments]));
		err_hint(&err, "integrator help %s", c->name);
		return cli_fail(&err);
	}
	return c->fn(a, &o);
}

int main(int argc, char **argv)
{
	const struct command *c = argc > 1 ? find(argv[1]) : NULL;

	if (argc < 2) {
		help(stderr, NULL);
		return EXIT_USAGE;
	}
	if (asks_for_help(argc, argv)) {
		bool about = argc > 2 && strcmp(argv[1], "help") == 0;

		if (about && argv[2][0] != '-' && (c = find(argv[2])) == NULL)
			return unknown(argv[2]);
		help(stdout, c);
		return EXIT_DONE;
	}
	if (is_one_of(argv[1], "--version", "-V"))
		c = find("version");
	return c == NULL ? unknown(argv[1]) : run(c, argc - 2, argv + 2);
}

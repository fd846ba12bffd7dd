/*
 * main.c - finds the command and hands it its options.
 */
#include "cli/cli.h"

static int command_version(struct arena *a UNUSED, const struct options *o UNUSED)
{
	puts("integrator " INTEGRATOR_VERSION);
	return EXIT_DONE;
}

static const struct {
	const char *name, *usage, *words;
	int (*fn)(struct arena *a, const struct options *o);
} commands[] = {
	{ "serve", "[OPTIONS]", "run the server", command_serve },
	{ "account", "list | add NAME | rate NAME BUCKET,REFILL|default",
		"accounts of a data directory whose server is stopped", command_account },
	{ "token", "list | add NAME | remove ID [--account NAME]",
		"tokens of an account; while the server runs use /v1/accesstokens", command_token },
	{ "verify", "", "prove a data directory whole (server stopped)", command_verify },
	{ "backup", "FILE", "copy the database of a data directory (server stopped)",
		command_backup },
	{ "meta", "docs DIR | openapi", "write the reference pages, print the OpenAPI document",
		command_meta },
	{ "version", "", "print the version", command_version },
};

static void help(FILE *to)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	BUF_ADD_LIT(&b,
		"integrator - a self-hosted integration platform\n\nUsage: integrator COMMAND "
		"[ARGUMENTS] [OPTIONS]\n\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		buf_add_fmt(&b, "  %s %s\n      %s\n", commands[i].name, commands[i].usage,
			commands[i].words);
	BUF_ADD_LIT(&b, "\nOptions:\n");
	options_help(&b);
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

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return argc > 1 && strcmp(argv[1], "help") == 0;
}

int main(int argc, char **argv)
{
	struct arena *a DEFER(arena_freep) = arena_new("process", 0);
	struct options o;
	struct err err = ERR_INIT;

	if (asks_for_help(argc, argv)) {
		help(stdout);
		return EXIT_DONE;
	}
	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(commands); i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		if (!options_read(a, argc - 2, argv + 2, &o, &err))
			return cli_fail(&err);
		return commands[i].fn(a, &o);
	}
	if (argc > 1)
		fprintf(stderr, "integrator: there is no command \"%s\"\n\n", argv[1]);
	help(stderr);
	return EXIT_USAGE;
}

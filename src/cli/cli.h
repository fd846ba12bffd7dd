/*
 * cli.h - the commands of the program: one file each, one row each in main.c.
 *
 * Exit codes: 0 done, 1 failed, 2 usage, 3 configuration, 4 store.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "cli/options.h"

enum exit_code { EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_CONFIG, EXIT_STORE };

/* Prints ERR with its hint to standard error and returns the exit code for it. */
int cli_fail(const struct err *err);
/* The key file's path: --key, or DIR.key. */
const char *cli_key_path(struct arena *a, const struct options *o);

int command_serve(struct arena *a, const struct options *o);
int command_account(struct arena *a, const struct options *o);
int command_token(struct arena *a, const struct options *o);
int command_verify(struct arena *a, const struct options *o);
int command_backup(struct arena *a, const struct options *o);
int command_meta(struct arena *a, const struct options *o);

#endif

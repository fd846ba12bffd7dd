/*
 * options.c - reads options from the file, the environment and the command line.
 */
#include "cli/options.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define CONFIG_FILE      "integrator.conf"
#define CONFIG_BYTES_MAX 65536
#define RATE_MAX         1000000

static const struct {
	const char *name, *placeholder, *def, *words;
} table[OPT_COUNT] = {
#define X(sym, name, placeholder, def, words) [sym] = { name, placeholder, def, words },
	OPTION_TABLE(X)
#undef X
};

static bool find(struct str name, enum option *out)
{
	for (size_t i = 0; i < OPT_COUNT; i++) {
		if (str_eq_z(name, table[i].name)) {
			*out = (enum option)i;
			return true;
		}
	}
	return false;
}

static bool unknown(struct str name, enum err_code code, struct err *err)
{
	unsigned best = 3;
	const char *nearest = NULL;

	for (size_t i = 0; i < OPT_COUNT; i++) {
		unsigned d = str_distance(name, str_z(table[i].name), best);

		if (d < best) {
			best = d;
			nearest = table[i].name;
		}
	}
	err_set(err, code, "there is no option \"%.*s\"", STR_ARG(name));
	if (nearest != NULL)
		err_hint(err, "did you mean \"%s\"?", nearest);
	return false;
}

static void set(struct arena *a, struct options *o, enum option i, struct str value,
	const char *origin)
{
	o->value[i] = str_dup(a, value);
	o->origin[i] = origin;
}

static bool read_line(struct arena *a, struct options *o, struct str line, struct err *err)
{
	enum option i;

	line = str_trim(str_sub(line, 0, str_find_char(line, '#')));
	if (line.n == 0)
		return true;
	struct str value = line, name = str_trim(str_cut(&value, '='));

	if (value.p == NULL)
		return err_set(err, ERR_CONFIG, "expected \"name = value\"");
	if (!find(name, &i))
		return unknown(name, ERR_CONFIG, err);
	set(a, o, i, str_trim(value), "file");
	return true;
}

static bool read_file(struct arena *a, struct options *o, const char *path, bool must_exist,
	struct err *err)
{
	int fd DEFER(fd_close) = open(path, O_RDONLY | O_CLOEXEC);
	char *text = arena_alloc(a, CONFIG_BYTES_MAX);

	if (fd < 0 && errno == ENOENT && !must_exist)
		return true;
	if (fd < 0)
		return err_set_errno(err, ERR_CONFIG, errno, "can't read %s", path);
	ssize_t n = read(fd, text, CONFIG_BYTES_MAX);

	if (n < 0 || n == CONFIG_BYTES_MAX)
		return err_set(err, ERR_CONFIG, "%s can't be read, or is larger than %d bytes",
			path, CONFIG_BYTES_MAX);
	struct str rest = str_of(text, (size_t)n);

	for (unsigned line = 1; rest.p != NULL; line++)
		if (!read_line(a, o, str_cut(&rest, '\n'), err))
			return err_wrap(err, "%s, line %u", path, line);
	return true;
}

/* INTEGRATOR_EGRESS_ALLOW for egress-allow. */
static void read_environment(struct arena *a, struct options *o)
{
	for (size_t i = 0; i < OPT_COUNT; i++) {
		struct str name = str_fmt(a, "INTEGRATOR_%s", table[i].name);
		char *p = arena_strndup(a, name.p, name.n);

		for (size_t k = 11; k < name.n; k++)
			p[k] = p[k] == '-' ? '_' : (char)(p[k] & ~0x20);
		const char *value = getenv(p);

		if (value != NULL)
			set(a, o, (enum option)i, str_z(value), "environment");
	}
}

static struct str option_name(const char *argument)
{
	struct str text = str_from(str_z(argument), 2);

	return str_sub(text, 0, str_find_char(text, '='));
}

/* Of `--name value` or `--name=value`; the value's place in ARGV is passed over. */
static bool read_value(char **argv, int argc, int *at, struct str *value, struct err *err)
{
	struct str text = str_from(str_z(argv[*at]), 2);
	size_t eq = str_find_char(text, '=');

	if (eq != STR_NPOS) {
		*value = str_from(text, eq + 1);
		return true;
	}
	if (*at + 1 >= argc)
		return err_set(err, ERR_QUERY, "--%.*s needs a value", STR_ARG(text));
	*value = str_z(argv[++*at]);
	return true;
}

static bool read_arguments(struct arena *a, int argc, char **argv, struct options *o,
	const char **config, bool apply, struct err *err)
{
	o->rest_count = 0;
	for (int at = 0; at < argc; at++) {
		struct str name, value;
		enum option i;

		if (strncmp(argv[at], "--", 2) != 0) {
			if (o->rest_count == ARRAY_LEN(o->rest))
				return err_set(err, ERR_QUERY, "too many arguments");
			o->rest[o->rest_count++] = str_z(argv[at]);
			continue;
		}
		name = option_name(argv[at]);
		bool other = str_eq_z(name, "config") || str_eq_z(name, "account");

		if (!other && !find(name, &i))
			return unknown(name, ERR_QUERY, err);
		if (!read_value(argv, argc, &at, &value, err))
			return false;
		if (str_eq_z(name, "config"))
			*config = str_to_z(a, value);
		else if (str_eq_z(name, "account"))
			o->account = value;
		else if (apply)
			set(a, o, i, value, "command line");
	}
	return true;
}

bool options_read(struct arena *a, int argc, char **argv, struct options *out, struct err *err)
{
	const char *config = NULL;

	*out = (struct options){ .account = STR("default") };
	for (size_t i = 0; i < OPT_COUNT; i++)
		set(a, out, (enum option)i, str_z(table[i].def), "default");
	if (!read_arguments(a, argc, argv, out, &config, false, err) ||
		!read_file(a, out, config == NULL ? CONFIG_FILE : config, config != NULL, err))
		return false;
	read_environment(a, out);
	return read_arguments(a, argc, argv, out, &config, true, err);
}

bool option_number(struct str s, const char *name, uint32_t min, uint32_t max, uint32_t *out,
	struct err *err)
{
	uint64_t n;

	if (!str_to_u64(str_trim(s), &n) || n < min || n > max)
		return err_set(err, ERR_CONFIG, "--%s: \"%.*s\" is no number from %u to %u", name,
			STR_ARG(s), min, max);
	*out = (uint32_t)n;
	return true;
}

bool option_rate(struct str s, const char *name, uint32_t *bucket, uint32_t *refill,
	struct err *err)
{
	struct str second = s, first = str_cut(&second, ',');
	uint32_t size = 0;

	if (second.p == NULL)
		return err_set(err, ERR_CONFIG,
			"--%s is BUCKET,REFILL, such as 100,30, not \"%.*s\"", name, STR_ARG(s));
	if (!option_number(first, name, 1, RATE_MAX, &size, err) ||
		!option_number(second, name, 1, RATE_MAX, refill, err))
		return false;
	*bucket = size;
	return true;
}

void options_help(struct buf *out, bool all)
{
	for (size_t i = 0; i < OPT_COUNT; i++) {
		if (!all && i != OPT_DATA && i != OPT_KEY)
			continue;
		buf_add_fmt(out, "  --%s %s\n      %s", table[i].name, table[i].placeholder,
			table[i].words);
		if (table[i].def[0] != '\0')
			buf_add_fmt(out, " Default: %s.", table[i].def);
		buf_add_char(out, '\n');
	}
	BUF_ADD_LIT(out, "  --config FILE\n      Options as lines \"name = value\". Default: "
			 "integrator.conf, if "
			 "it is there.\n");
}

void options_markdown(struct buf *out)
{
	BUF_ADD_LIT(out,
		"# Options of `integrator serve`\n\nIn rising precedence: the default, the file "
		"`integrator.conf` (lines `name = value`, `#` comments; another file with "
		"`--config FILE`), "
		"the environment (`INTEGRATOR_EGRESS_ALLOW` for `--egress-allow`), the command "
		"line.\n\n"
		"| Option | Default | |\n| :-- | :-- | :-- |\n");
	for (size_t i = 0; i < OPT_COUNT; i++)
		buf_add_fmt(out, "| `--%s %s` | %s%s%s | %s |\n", table[i].name,
			table[i].placeholder, table[i].def[0] ? "`" : "", table[i].def,
			table[i].def[0] ? "`" : "", table[i].words);
}

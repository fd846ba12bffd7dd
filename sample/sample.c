/*
 * sample.c - the sample application that `make run` connects: two small business APIs in one program.
 *
 * "Atlas" is a source: countries and subdivisions of Debian's iso-codes, paged, behind a bearer
 * token. "Directory" is a target: it keeps places in memory by key, answers 201 for a new one and
 * 200 for one it has, and refuses labels of more than 40 characters, as real systems do, so that a
 * run shows what becomes of a refused record.
 *
 *   integrator-sample ADDR:PORT [FOLDER of iso_3166-1.json and iso_3166-2.json]
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "core/map.h"
#include "data/json.h"
#include "net/http_server.h"

#define TOKEN          "sample-token"
#define ATLAS_PAGE     250
#define LABEL_CHARS    40
#define DATA_FOLDER    "/usr/share/iso-codes/json"
#define PLACES_DEFAULT 20

struct sample {
	struct arena *arena;
	const struct json *countries, *subdivisions; /* arrays */
	struct map *places;                          /* key to the JSON text of a place */
};

static void answer(struct http_exchange *x, int status, const struct buf *b)
{
	x->status = status;
	x->res_body = str_dup(x->arena, buf_str(b));
	http_response_header(x, STR("Content-Type"), STR("application/json"));
}

static void refuse(struct http_exchange *x, int status, const char *field, const char *message)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	buf_add_fmt(&b, "{\"message\":\"%s\"", message);
	if (field != NULL)
		buf_add_fmt(&b, ",\"field\":\"%s\"", field);
	buf_add_char(&b, '}');
	answer(x, status, &b);
}

/* ---- Atlas ---- */

static void add_member(struct buf *b, const char *name, const struct json *v)
{
	if (v == NULL)
		return;
	buf_add_fmt(b, "%s\"%s\":", b->p[b->n - 1] == '{' ? "" : ",", name);
	json_print(b, v, JSON_COMPACT);
}

static void add_country(struct buf *b, const struct json *c)
{
	buf_add_char(b, '{');
	add_member(b, "code", json_get(c, STR("alpha_2")));
	add_member(b, "name", json_get(c, STR("name")));
	add_member(b, "officialName", json_get(c, STR("official_name")));
	add_member(b, "flag", json_get(c, STR("flag")));
	BUF_ADD_LIT(b, ",\"codes\":{");
	add_member(b, "alpha3", json_get(c, STR("alpha_3")));
	add_member(b, "numeric", json_get(c, STR("numeric")));
	BUF_ADD_LIT(b, "}}");
}

static void add_subdivision(struct buf *b, const struct json *s)
{
	struct str code = json_get_str(s, STR("code")), country = str_cut(&code, '-');

	buf_add_char(b, '{');
	add_member(b, "code", json_get(s, STR("code")));
	add_member(b, "name", json_get(s, STR("name")));
	add_member(b, "type", json_get(s, STR("type")));
	buf_add_fmt(b, ",\"country\":{\"code\":\"%.*s\"}}", STR_ARG(country));
}

static void atlas_page(struct http_exchange *x, const char *name, const struct json *all,
	void (*add)(struct buf *b, const struct json *v))
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	struct str text = http_request_query(x, STR("page"));
	uint64_t page = 1, at = 0, first;

	if (!str_eq_z(http_request_header(x, STR("Authorization")), "Bearer " TOKEN)) {
		refuse(x, 401, NULL, "Atlas needs its token");
		return;
	}
	if (text.p != NULL && (!str_to_u64(text, &page) || page == 0 || page > 1000)) {
		refuse(x, 400, "page", "page must be a number from 1");
		return;
	}
	first = (page - 1) * ATLAS_PAGE;
	buf_add_fmt(&b, "{\"total\":%u,\"data\":{\"%s\":[", all->n, name);
	for (json_each (v, all)) {
		if (at >= first && at < first + ATLAS_PAGE) {
			if (at > first)
				buf_add_char(&b, ',');
			add(&b, v);
		}
		at++;
	}
	BUF_ADD_LIT(&b, "]},\"next_page\":");
	if (first + ATLAS_PAGE < all->n)
		buf_add_fmt(&b, "\"/atlas/%s?page=%llu\"}", name, (unsigned long long)page + 1);
	else
		BUF_ADD_LIT(&b, "null}");
	answer(x, 200, &b);
}

/* ---- Directory ---- */

static size_t characters(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
	return n;
}

static void directory_put(struct sample *s, struct http_exchange *x)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	struct err err = ERR_INIT;
	const struct json *doc;

	if (x->body_bytes == 0 || !json_parse(x->arena, x->body, x->body_bytes, NULL, &doc, &err)) {
		refuse(x, 400, NULL, "the body is not JSON");
		return;
	}
	struct str key = json_get_str(doc, STR("key")), label = json_get_str(doc, STR("label"));

	if (key.n == 0 || label.n == 0) {
		refuse(x, 422, key.n == 0 ? "key" : "label", "a place needs a key and a label");
		return;
	}
	if (characters(label) > LABEL_CHARS) {
		refuse(x, 422, "label",
			str_fmt(x->arena, "label has %zu characters, the limit is %d",
				characters(label), LABEL_CHARS)
				.p);
		return;
	}
	struct str *text = arena_new_of(s->arena, struct str);

	json_print(&b, doc, JSON_COMPACT);
	*text = str_dup(s->arena, buf_str(&b));
	bool there = map_put(s->places, str_dup(s->arena, key), text) != NULL;

	buf_reset(&b);
	buf_add_fmt(&b, "{\"id\":\"place-%.*s\",\"created\":%s}", STR_ARG(key),
		there ? "false" : "true");
	answer(x, there ? 200 : 201, &b);
}

static void directory_list(struct sample *s, struct http_exchange *x)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	struct str text = http_request_query(x, STR("limit"));
	uint64_t limit = PLACES_DEFAULT;
	size_t n = map_count(s->places);

	if (text.p != NULL && !str_to_u64(text, &limit))
		limit = PLACES_DEFAULT;
	buf_add_fmt(&b, "{\"total\":%zu,\"places\":[", n);
	for (size_t i = 0; i < n && i < limit; i++) {
		if (i > 0)
			buf_add_char(&b, ',');
		buf_add_str(&b, *(struct str *)map_value_at(s->places, n - 1 - i));
	}
	BUF_ADD_LIT(&b, "]}");
	answer(x, 200, &b);
}

static void directory_get(struct sample *s, struct http_exchange *x, struct str key)
{
	const struct str *text = map_get(s->places, key);

	if (text == NULL) {
		refuse(x, 404, "key", "there is no such place");
		return;
	}
	x->status = 200;
	x->res_body = *text;
	http_response_header(x, STR("Content-Type"), STR("application/json"));
}

static enum http_verdict on_request(void *ctx, struct http_exchange *x)
{
	struct sample *s = ctx;
	struct str place = STR("/directory/places/");

	if (x->method == HTTP_GET && str_eq_z(x->path, "/atlas/countries"))
		atlas_page(x, "countries", s->countries, add_country);
	else if (x->method == HTTP_GET && str_eq_z(x->path, "/atlas/subdivisions"))
		atlas_page(x, "subdivisions", s->subdivisions, add_subdivision);
	else if (x->method == HTTP_POST && str_eq_z(x->path, "/directory/places"))
		directory_put(s, x);
	else if (x->method == HTTP_GET && str_eq_z(x->path, "/directory/places"))
		directory_list(s, x);
	else if (x->method == HTTP_GET && str_starts(x->path, place))
		directory_get(s, x, str_from(x->path, place.n));
	else
		refuse(x, 404, NULL, "there is no such route");
	return HTTP_DONE;
}

/* The array named MEMBER of the JSON file FOLDER/NAME. */
static const struct json *read_list(struct arena *a, const char *folder, const char *name,
	const char *member)
{
	const char *path = str_fmt(a, "%s/%s", folder, name).p;
	int fd DEFER(fd_close) = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	const struct json *doc, *list = NULL;
	struct err err = ERR_INIT;

	if (fd >= 0 && fstat(fd, &st) == 0) {
		char *text = arena_alloc(a, (size_t)st.st_size);

		if (read(fd, text, (size_t)st.st_size) == st.st_size &&
			json_parse(a, text, (size_t)st.st_size, NULL, &doc, &err))
			list = json_get(doc, str_z(member));
	}
	if (!json_is_array(list))
		fprintf(stderr,
			"integrator-sample: can't read %s (Debian's package iso-codes): %s\n", path,
			err.message);
	return list;
}

int main(int argc, char **argv)
{
	struct arena *a DEFER(arena_freep) = arena_new("process", 0);
	struct sample s = { .arena = a, .places = map_new(a) };
	const char *folder = argc > 2 ? argv[2] : DATA_FOLDER;
	struct http_server *server;
	struct err err = ERR_INIT;
	sigset_t signals;
	int sig;

	if (argc < 2) {
		fprintf(stderr, "usage: integrator-sample ADDR:PORT [FOLDER]\n");
		return 2;
	}
	s.countries = read_list(a, folder, "iso_3166-1.json", "3166-1");
	s.subdivisions = read_list(a, folder, "iso_3166-2.json", "3166-2");
	if (!json_is_array(s.countries) || !json_is_array(s.subdivisions))
		return 1;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);

	/* one loop: the places need no lock */
	struct http_server_config cfg = { .listen = str_z(argv[1]),
		.loops = 1,
		.handlers = { .request = on_request, .ctx = &s } };

	if (!http_server_start(&cfg, &server, &err)) {
		fprintf(stderr, "integrator-sample: %s\n", err.message);
		return 1;
	}
	printf("sample application listening on port %u\n", http_server_port(server));
	fflush(stdout);
	sigwait(&signals, &sig);
	http_server_free(server);
	return 0;
}

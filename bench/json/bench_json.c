/*
 * bench_json.c - pages of 1,000 orders through three JSON libraries, in interleaved rounds.
 *
 *   bench_json [ROUNDS [PAGES]]
 *
 * First the three results are compared: same members in the same order, strings equal, numbers
 * equal as doubles (the libraries do not keep lexemes, so theirs may be spelt otherwise). Then each
 * round gives each library PAGES pages and takes its CPU time. Prints one line of JSON.
 */
#include "bench_json.h"

#include "data/json.h"

#define RECORDS    1000
#define ROUNDS     9
#define PAGES      100
#define ROUNDS_MAX 100
#define WORKERS    ARRAY_LEN(workers)

static const struct bench_worker *const workers[] = { &by_integrator, &by_jansson, &by_cjson };

static void add_record(struct buf *b, int i)
{
	static const char *const names[] = { "J\xC3\xBCrgen M\xC3\xBCller", "Ann Smith",
		"\xE6\x9D\x8E\xE5\xB0\x8F\xE9\xBE\x99", "Zo\xC3\xAB O'Brien" };
	static const char *const cities[] = { "K\xC3\xB6ln", "Portland", "S\xC3\xA3o Paulo",
		"Leeds" };
	static const char *const notes[] = { "leave at the back door",
		"ring \\\"twice\\\"\\nthen call", "path C:\\\\orders\\\\in", "caf\\u00e9 \\u4e2d" };

	buf_add_fmt(b,
		"{\"id\":%d,\"number\":\"SO-%d\",\"customer\":{\"name\":\"%s\","
		"\"email\":\"user%d@example.com\"},\"shipping\":{\"city\":\"%s\",\"zip\":\"%05d\"},"
		"\"currency\":\"EUR\",\"total\":%d.%02d,\"note\":\"%s\",\"lines\":[",
		100000 + i, 100000 + i, names[i & 3], i, cities[i & 3], i * 37 % 100000,
		i * 13 % 2000, i % 100, notes[i & 3]);
	for (int k = 0; k < 3; k++)
		buf_add_fmt(b, "%s{\"sku\":\"A-%04d\",\"qty\":%d,\"price\":%d.%02d}",
			k == 0 ? "" : ",", (i * 7 + k) % 10000, k + 1, i * k % 90, (i + k) % 100);
	BUF_ADD_LIT(b, "]}");
}

static void make_page(struct buf *b)
{
	buf_add_char(b, '[');
	for (int i = 0; i < RECORDS; i++) {
		if (i > 0)
			buf_add_char(b, ',');
		add_record(b, i);
	}
	buf_add_char(b, ']');
}

static bool same(const struct json *a, const struct json *b)
{
	uint64_t span = json_span(a);
	double x, y;

	if (span != json_span(b))
		return false;
	for (uint64_t i = 0; i < span; i++) {
		if (a[i].type != b[i].type)
			return false;
		if (a[i].type == JSON_STRING && !str_eq(json_str(&a[i]), json_str(&b[i])))
			return false;
		if (a[i].type == JSON_NUMBER &&
			(!json_to_double(&a[i], &x) || !json_to_double(&b[i], &y) || x < y ||
				x > y))
			return false;
	}
	return true;
}

/* Compares the lines of two results; returns their number, 0 when they differ. */
static size_t lines_alike(struct str a, struct str b)
{
	struct arena *arena DEFER(arena_freep) = arena_new("line", 0);
	struct err err = ERR_INIT;
	size_t n = 0;

	while (a.n > 0 && b.n > 0) {
		const struct json *x, *y;

		if (!json_parse_copy(arena, str_cut(&a, '\n'), &x, &err) ||
			!json_parse_copy(arena, str_cut(&b, '\n'), &y, &err) || !same(x, y))
			return 0;
		n++;
	}
	return a.n == b.n ? n : 0;
}

static struct str run_page(size_t w, void *state, const struct buf *text)
{
	struct bench_text t = workers[w]->page(state, text->p, text->n);

	CHECK(t.p != NULL);
	return str_of(t.p, t.n);
}

static double cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int compare_results(void *const *states, const struct buf *text)
{
	struct str ours = run_page(0, states[0], text);

	for (size_t w = 1; w < WORKERS; w++) {
		if (lines_alike(ours, run_page(w, states[w], text)) != RECORDS) {
			fprintf(stderr, "%s makes something else of the page\n", workers[w]->name);
			return 1;
		}
	}
	return 0;
}

static void print_result(const struct buf *text, double us[][ROUNDS_MAX], uint64_t rounds)
{
	printf("{\"records\":%d,\"bytes\":%zu,\"us\":{", RECORDS, text->n);
	for (size_t w = 0; w < WORKERS; w++) {
		printf("%s\"%s\":[", w == 0 ? "" : ",", workers[w]->name);
		for (uint64_t r = 0; r < rounds; r++)
			printf("%s%.1f", r == 0 ? "" : ",", us[w][r]);
		printf("]");
	}
	printf("}}\n");
}

int main(int argc, char **argv)
{
	static double us[WORKERS][ROUNDS_MAX];
	struct buf text DEFER(buf_free) = BUF_INIT(0);
	uint64_t rounds = ROUNDS, pages = PAGES;
	void *states[WORKERS];

	CHECK(argc < 2 || (str_to_u64(str_z(argv[1]), &rounds) && rounds <= ROUNDS_MAX));
	CHECK(argc < 3 || str_to_u64(str_z(argv[2]), &pages));
	make_page(&text);
	for (size_t w = 0; w < WORKERS; w++)
		states[w] = workers[w]->open();
	if (compare_results(states, &text) != 0)
		return 1;
	for (uint64_t r = 0; r < rounds; r++) {
		for (size_t w = 0; w < WORKERS; w++) {
			double start = cpu_us();

			for (uint64_t i = 0; i < pages; i++)
				(void)run_page(w, states[w], &text);
			us[w][r] = (cpu_us() - start) / (double)pages;
		}
	}
	print_result(&text, us, rounds);
	for (size_t w = 0; w < WORKERS; w++)
		workers[w]->close(states[w]);
	return 0;
}

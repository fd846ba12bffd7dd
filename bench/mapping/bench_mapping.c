/*
 * bench_mapping.c - the product document's NetSuite order import: our mapping against the same one
 * written by hand with jansson, in one run, in turns.
 *
 *     bench_mapping [ROUNDS]
 *
 * A page of 1,000 orders, each with three order lines and two shipments; two lookups are static, the
 * third is answered from memory. Prints one JSON object: the medians of nanoseconds of CPU a record,
 * for mapping alone (from the parsed record to the target in memory) and for a page from text to text
 * (parse, map, print). Before anything is measured, both must have made the same targets.
 */
#include "bench_mapping.h"

#include "core/buf.h"

#define RECORDS    1000
#define PAGES      16 /* of one turn */
#define ROUNDS_MAX 1000

void bench_die(const char *what)
{
	fprintf(stderr, "bench_mapping: %s\n", what);
	exit(1);
}

static void add_record(struct buf *b, unsigned i)
{
	static const char *const countries[] = { "USA", "JAPAN", "UK" };

	buf_add_fmt(b,
		"{\"web_order_num\":\"W%u\",\"first_name\":\"Anna\",\"last_name\":\"Lee-%u\","
		"\"email\":\"anna%u@example.com\",\"city\":\"Boston\",\"zip\":\"%05u\","
		"\"country\":\"%s\",\"tax_percent\":6.25,\"is_taxable\":%s,\"order_lines\":[",
		i, i, i % BENCH_CUSTOMERS, i, countries[i % 3], i % 2 == 0 ? "true" : "false");
	for (unsigned k = 0; k < 3; k++)
		buf_add_fmt(b, "%s{\"sku\":\"sku-%u\",\"price\":%u.99,\"quantity\":%u}",
			k == 0 ? "" : ",", (i + k) % BENCH_ITEMS, i % 90, k + 1);
	buf_add_fmt(b,
		"],\"shipments\":[{\"ship_via\":\"UPS\",\"weight\":%u.5},"
		"{\"ship_via\":\"DHL\",\"weight\":2.0}]}",
		i % 7);
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Each turn begins with a page that is not timed: it finds the heap and the caches as the other left
 * them, and that is nobody's speed. */
static int64_t time_map(const struct bench_mapper *m)
{
	m->map();
	int64_t from = now_ns();

	for (int i = 0; i < PAGES; i++)
		m->map();
	return now_ns() - from;
}

static int64_t time_page(const struct bench_mapper *m, struct str page)
{
	size_t n;

	m->page(page.p, page.n, &n);
	int64_t from = now_ns();

	for (int i = 0; i < PAGES; i++)
		m->page(page.p, page.n, &n);
	return now_ns() - from;
}

static int order(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void print_pair(const char *name, int64_t *a, int64_t *b, size_t rounds)
{
	qsort(a, rounds, sizeof(*a), order);
	qsort(b, rounds, sizeof(*b), order);
	double x = (double)a[rounds / 2] / (RECORDS * PAGES),
	       y = (double)b[rounds / 2] / (RECORDS * PAGES);

	printf(",\"%s\":{\"ns\":%.0f,\"recordsPerSecond\":%.0f,\"janssonNs\":%.0f,\"times\":%.2f}",
		name, x, 1e9 / x, y, y / x);
}

int main(int argc, char **argv)
{
	static int64_t ns[4][ROUNDS_MAX];
	struct buf text DEFER(buf_free) = BUF_INIT(0);
	int64_t rounds = 31;
	size_t n;

	if (argc > 1 && (!str_to_i64(str_z(argv[1]), &rounds) || rounds < 1 || rounds > ROUNDS_MAX))
		bench_die("usage: bench_mapping [ROUNDS]");
	for (unsigned i = 0; i < RECORDS; i++) {
		buf_add_char(&text, i == 0 ? '[' : ',');
		add_record(&text, i);
	}
	buf_add_char(&text, ']');
	struct str page = buf_str(&text);

	by_integrator.start(page.p, page.n);
	by_jansson.start(page.p, page.n);
	if (!bench_same(by_integrator.page(page.p, page.n, &n),
		    by_jansson.page(page.p, page.n, &n)))
		bench_die("the two mappings made different targets");
	for (int64_t r = 0; r < rounds; r++) {
		ns[0][r] = time_map(&by_integrator);
		ns[1][r] = time_map(&by_jansson);
		ns[2][r] = time_page(&by_integrator, page);
		ns[3][r] = time_page(&by_jansson, page);
	}
	printf("{\"records\":%d,\"bytes\":%zu,\"rounds\":%d", RECORDS, page.n, (int)rounds);
	print_pair("map", ns[0], ns[1], (size_t)rounds);
	print_pair("page", ns[2], ns[3], (size_t)rounds);
	printf("}\n");
	return 0;
}

/*
 * by_integrator.c - our mapping, compiled once, with a page's arena and one scratch buffer.
 */
#include "bench_mapping.h"

#include "core/map.h"
#include "map/mapping.h"

static const char mapping_text[] =
	"{\"fields\":["
	"{\"extract\":\"city\",\"generate\":\"billcity\"},"
	"{\"extract\":\"zip\",\"generate\":\"billzip\"},"
	"{\"extract\":\"{first_name} {last_name}\",\"generate\":\"billaddressee\"},"
	"{\"generate\":\"ismultishipto\",\"hardCodedValue\":false},"
	"{\"generate\":\"custbody_source\",\"hardCodedValue\":\"webstore\"},"
	"{\"extract\":\"email\",\"generate\":\"entity\",\"lookupName\":\"customerLookup\"},"
	"{\"extract\":\"country\",\"generate\":\"currency\",\"lookupName\":\"currencyMap\"}],"
	"\"lists\":[{\"generate\":\"item\",\"fields\":["
	"{\"extract\":\"order_lines[*].sku\",\"generate\":\"item\",\"lookupName\":\"itemLookup\"},"
	"{\"extract\":\"order_lines[*].price\",\"generate\":\"rate\"},"
	"{\"extract\":\"order_lines[*].quantity\",\"generate\":\"quantity\"},"
	"{\"extract\":\"shipments[*].ship_via\",\"generate\":\"shipmethod\"},"
	"{\"extract\":\"shipments[*].weight\",\"generate\":\"custcolumn_weight\"},"
	"{\"extract\":\"tax_percent\",\"generate\":\"taxrate1\"},"
	"{\"extract\":\"is_taxable\",\"generate\":\"istaxable\"}]}]}";

static const char lookups_text[] =
	"[{\"name\":\"customerLookup\",\"allowFailures\":\"false\"},"
	"{\"name\":\"currencyMap\",\"map\":{\"USA\":\"USD\",\"JAPAN\":\"JPY\",\"UK\":\"GDP\"},"
	"\"allowFailures\":\"false\"},"
	"{\"name\":\"itemLookup\",\"map\":{\"sku-0\":\"100\",\"sku-1\":\"101\",\"sku-2\":\"102\","
	"\"sku-3\":\"103\",\"sku-4\":\"104\"},\"allowFailures\":\"false\"}]";

static struct {
	struct arena *kept, *page, *target;
	struct mapping *mapping;
	struct map *customers;
	const struct json *records;
	struct buf scratch, out;
} ours;

static bool our_customer(void *ctx UNUSED, struct str name UNUSED, const struct json *value,
	const struct json *record UNUSED, const struct json **result, struct err *err UNUSED)
{
	*result = map_get(ours.customers, json_str(value));
	return true;
}

static const struct mapping_env our_env = { .lookup = our_customer, .scratch = &ours.scratch };

static const struct json *our_map(const struct json *record, struct arena *a)
{
	struct json_build b;
	struct err err = ERR_INIT;

	json_build_init(&b, a);
	if (!mapping_apply(ours.mapping, record, &our_env, &b, &err))
		bench_die(err.message);
	return json_build_done(&b);
}

static const struct json *our_parse(struct arena *a, struct str page)
{
	const struct json *v;
	struct err err = ERR_INIT;

	if (!json_parse_copy(a, page, &v, &err))
		bench_die(err.message);
	return v;
}

/* As jansson's, a target lives until the next record. */
static void our_round(void)
{
	for (json_each (record, ours.records)) {
		our_map(record, ours.target);
		arena_reset(ours.target);
	}
}

/* As an import does that sends the mapped record: from the record to the text of the target. */
static const char *our_page(const char *page, size_t n, size_t *out_n)
{
	const struct json *records = our_parse(ours.page, str_of(page, n));
	struct err err = ERR_INIT;

	buf_reset(&ours.out);
	for (json_each (record, records)) {
		if (!mapping_print(ours.mapping, record, &our_env, ours.target, &ours.out, &err))
			bench_die(err.message);
		buf_add_char(&ours.out, '\n');
		arena_reset(ours.target);
	}
	arena_reset(ours.page);
	*out_n = ours.out.n;
	buf_add_char(&ours.out, '\0');
	return ours.out.p;
}

static void our_start(const char *page, size_t n)
{
	struct arena *a = ours.kept = arena_new("kept", 0);
	struct err err = ERR_INIT;

	if (!mapping_compile(a, our_parse(a, str_z(mapping_text)),
		    our_parse(a, str_z(lookups_text)), &ours.mapping, &err))
		bench_die(err.message);
	ours.page = arena_new("page", 0);
	ours.target = arena_new("target", 0);
	ours.records = our_parse(a, str_of(page, n));
	ours.customers = map_new(a);
	for (unsigned i = 0; i < BENCH_CUSTOMERS; i++) {
		struct str id = str_fmt(a, "%u", 8000 + i);
		struct json *v = arena_new_of(a, struct json);

		*v = (struct json){ .type = JSON_NUMBER, .n = (uint32_t)id.n, .s = id.p };
		map_put(ours.customers, str_fmt(a, "anna%u@example.com", i), v);
	}
}

const struct bench_mapper by_integrator = { our_start, our_round, our_page };

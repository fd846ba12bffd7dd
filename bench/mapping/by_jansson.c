/*
 * by_jansson.c - the same mapping written by hand with jansson, as its manual would have it: values
 * are shared between source and target, not copied, constants are made once, and targets are printed
 * straight into one buffer.
 *
 * Our library has names of its own for json_true, json_false, json_null and json_equal, so nothing
 * here may call those.
 */
#include "bench_mapping.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	json_t *customers, *currencies, *items, *constants, *records;
	char *out;
	size_t cap;
} theirs;

/* Copies a member under another name, when it is there. */
static void their_move(json_t *to, const char *name, const json_t *from, const char *member)
{
	json_t *v = json_object_get(from, member);

	if (v != NULL)
		json_object_set_nocheck(to, name, v);
}

static void their_look_up(json_t *to, const char *name, const json_t *from, const char *member,
	const json_t *table)
{
	json_t *v = json_object_get(from, member);

	if (v == NULL)
		return;
	json_t *found = json_object_get(table, json_string_value(v));

	if (found == NULL)
		bench_die("a lookup found nothing");
	json_object_set_nocheck(to, name, found);
}

static json_t *their_line(const json_t *record, const json_t *line, const json_t *shipment)
{
	json_t *to = json_object();

	if (line != NULL) {
		their_look_up(to, "item", line, "sku", theirs.items);
		their_move(to, "rate", line, "price");
		their_move(to, "quantity", line, "quantity");
	}
	if (shipment != NULL) {
		their_move(to, "shipmethod", shipment, "ship_via");
		their_move(to, "custcolumn_weight", shipment, "weight");
	}
	their_move(to, "taxrate1", record, "tax_percent");
	their_move(to, "istaxable", record, "is_taxable");
	return to;
}

static json_t *their_map(const json_t *record)
{
	json_t *to = json_object(), *list = json_array();
	const json_t *first = json_object_get(record, "first_name");
	const json_t *last = json_object_get(record, "last_name");
	const json_t *lines = json_object_get(record, "order_lines");
	const json_t *shipments = json_object_get(record, "shipments");
	size_t n = json_array_size(lines);
	char name[256];

	if (json_array_size(shipments) > n)
		n = json_array_size(shipments);

	their_move(to, "billcity", record, "city");
	their_move(to, "billzip", record, "zip");
	snprintf(name, sizeof(name), "%s %s", json_string_value(first), json_string_value(last));
	json_object_set_new_nocheck(to, "billaddressee", json_string(name));
	their_move(to, "ismultishipto", theirs.constants, "no");
	their_move(to, "custbody_source", theirs.constants, "source");
	their_look_up(to, "entity", record, "email", theirs.customers);
	their_look_up(to, "currency", record, "country", theirs.currencies);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list,
			their_line(record, json_array_get(lines, i), json_array_get(shipments, i)));
	json_object_set_new_nocheck(to, "item", list);
	return to;
}

static json_t *their_parse(const char *page, size_t n)
{
	json_error_t why;
	json_t *v = json_loadb(page, n, 0, &why);

	if (v == NULL)
		bench_die(why.text);
	return v;
}

static void their_round(void)
{
	for (size_t i = 0; i < json_array_size(theirs.records); i++)
		json_decref(their_map(json_array_get(theirs.records, i)));
}

static const char *their_page(const char *page, size_t n, size_t *out_n)
{
	json_t *records = their_parse(page, n);
	size_t used = 0;

	for (size_t i = 0; i < json_array_size(records); i++) {
		json_t *to = their_map(json_array_get(records, i));

		used += json_dumpb(to, theirs.out + used, theirs.cap - used, JSON_COMPACT);
		if (used + 2 > theirs.cap)
			bench_die("the buffer is too small");
		theirs.out[used++] = '\n';
		json_decref(to);
	}
	json_decref(records);
	theirs.out[used] = '\0';
	*out_n = used;
	return theirs.out;
}

static void their_start(const char *page, size_t n)
{
	theirs.records = their_parse(page, n);
	theirs.constants = json_pack("{s:b,s:s}", "no", 0, "source", "webstore");
	theirs.cap = 4 * n;
	theirs.out = malloc(theirs.cap);
	if (theirs.out == NULL)
		bench_die("no memory");
	theirs.customers = json_object();
	for (unsigned i = 0; i < BENCH_CUSTOMERS; i++) {
		char key[32];

		snprintf(key, sizeof(key), "anna%u@example.com", i);
		json_object_set_new(theirs.customers, key, json_integer(8000 + (json_int_t)i));
	}
	theirs.currencies = json_pack("{s:s,s:s,s:s}", "USA", "USD", "JAPAN", "JPY", "UK", "GDP");
	theirs.items = json_pack("{s:s,s:s,s:s,s:s,s:s}", "sku-0", "100", "sku-1", "101", "sku-2",
		"102", "sku-3", "103", "sku-4", "104");
}

const struct bench_mapper by_jansson = { their_start, their_round, their_page };

/* Reads the line at *TEXT, with its members in order, and moves behind it. */
static char *sorted_line(const char **text)
{
	size_t n = strcspn(*text, "\n");
	json_t *v = their_parse(*text, n);
	char *sorted = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS);

	if (sorted == NULL)
		bench_die("json_dumps failed");
	json_decref(v);
	*text += n + 1;
	return sorted;
}

bool bench_same(const char *a, const char *b)
{
	while (*a != '\0' && *b != '\0') {
		char *x = sorted_line(&a), *y = sorted_line(&b);
		bool same = strcmp(x, y) == 0;

		free(x);
		free(y);
		if (!same)
			return false;
	}
	return *a == *b;
}

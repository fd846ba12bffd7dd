/*
 * test_mapping_samples.c - the mappings of the product document, word for word, with records of the
 * kind that they are for and the targets they must make.
 */
#include "map_test.h"

/* Dynamic lookups are answered from here: by the lookup's name and the value's text. */
static bool answer(void *ctx UNUSED, struct str name, const struct json *value,
	const struct json *record, const struct json **result, struct err *err)
{
	static const struct json customer = { .type = JSON_NUMBER, .n = 4, .s = "8812" };
	static const struct json item = { .type = JSON_STRING, .n = 2, .s = "31" };

	assert_int_equal(err->code, ERR_NONE);
	assert_non_null(record);
	*result = NULL;
	if (str_eq_z(name, "customerLookup") && str_eq_z(json_str(value), "anna@example.com"))
		*result = &customer;
	if (str_eq_z(name, "itemLookup") && str_eq_z(json_str(value), "A-1"))
		*result = &item;
	if (str_eq_z(name, "orderLookup"))
		assert_null(value);
	return true;
}

static const struct mapping_env env = { .lookup = answer };

static void test_rest_simple(void **state UNUSED)
{
	static const char mapping[] =
		"{ 'fields': ["
		"{'extract': 'street1', 'generate': 'billingAddress.addr1'},"
		"{'extract': 'street2', 'generate': 'billingAddress.addr2'},"
		"{'extract': 'city', 'generate': 'billingAddress.city'},"
		"{'extract': 'state', 'generate': 'billingAddress.state'},"
		"{'extract': 'zip', 'generate': 'billingAddress.zip'},"
		"{'extract': '{first_name} {last_name}', 'generate': 'billingAddress.addressee'}]}";

	assert_maps(mapping, NULL,
		"{'first_name':'Anna','last_name':'Lee','street1':'1 Main St','street2':null,"
		"'city':'Boston','state':'MA','zip':'02108'}",
		NULL,
		"{'billingAddress':{'addr1':'1 Main St','addr2':null,'city':'Boston','state':'MA',"
		"'zip':'02108','addressee':'Anna Lee'}}");
	assert_maps(mapping, NULL, "{'city':'Boston'}", NULL,
		"{'billingAddress':{'city':'Boston'}}");
	assert_maps(mapping, NULL, "{'other':1}", NULL, "{}");
}

static void test_rest_composite(void **state UNUSED)
{
	static const char lookups[] =
		"[{'name': 'idLookup', 'relativeURI': '/customers?ns_id={internalId}',"
		"'method': 'GET', 'extract': '0.id'},"
		"{'name': 'currencyMap', 'map': {'USA': 'USD', 'JAPAN': 'JPY', 'UK': 'GDP'},"
		"'allowFailures': 'false'}]";
	static const char mapping[] =
		"{ 'fields': ["
		"{'extract': 'billingAddress.city', 'generate': 'city'},"
		"{'extract': 'billingAddress.zip', 'generate': 'zip'},"
		"{'extract': '{firstName} {lastName}', 'generate': 'addressee'},"
		"{'generate': 'opt_out', 'hardCodedValue': false},"
		"{'generate': 'source', 'hardCodedValue': 'phone'},"
		"{'extract': 'billingAddress.country', 'generate': 'currency',"
		"'lookupName': 'currencyMap'}]}";

	assert_maps(mapping, lookups,
		"{'internalId':7,'firstName':'Anna','lastName':'Lee','billingAddress':"
		"{'city':'Boston','zip':2108,'country':'USA'}}",
		NULL,
		"{'city':'Boston','zip':2108,'addressee':'Anna Lee','opt_out':false,"
		"'source':'phone','currency':'USD'}");
	assert_map_fails(mapping, lookups, "{'billingAddress':{'country':'Peru'}}", NULL,
		ERR_LOOKUP, "currency", "\"Peru\" is not in lookup \"currencyMap\"");
	assert_maps(mapping, lookups, "{'lastName':'Lee'}", NULL,
		"{'addressee':' Lee','opt_out':false,'source':'phone'}");
}

#define ORDER                                                                                  \
	"{'web_order_num':'W100','first_name':'Anna','last_name':'Lee','city':'Boston',"       \
	"'zip':'02108','country':'USA','email':'anna@example.com','tax_percent':6.25,"         \
	"'is_taxable':true,'order_lines':[{'sku':'A-1','price':0.10,'quantity':2},"            \
	"{'sku':'A-1','price':9007199254740993,'quantity':1}],'shipments':[{'ship_via':'UPS'," \
	"'weight':1.5},{'ship_via':'DHL'},{'weight':3}]}"

static void test_netsuite_distributed(void **state UNUSED)
{
	static const char lookups[] =
		"[{'name': 'customerLookup', 'recordType': 'customer', 'searchField': 'email',"
		"'resultField': 'internalid', 'allowFailures': 'false', 'includeInactive': "
		"'false'},"
		"{'name': 'currencyMap', 'map': {'USA': 'USD', 'JAPAN': 'JPY', 'UK': 'GDP'},"
		"'allowFailures': 'false'},"
		"{'name': 'itemLookup', 'recordType': 'item', 'searchField': 'itemid',"
		"'resultField': 'internalid', 'allowFailures': 'false', 'includeInactive': "
		"'false'},"
		"{'name': 'orderLookup', 'recordType': 'salesorder', 'expression':"
		"'[[tranid,is,{{last_order}}],OR,[custbody_web_id,is,{{last_order}}]]',"
		"'allowFailures': true}]";
	static const char mapping[] =
		"{ 'fields': ["
		"{'extract': 'city', 'generate': 'billcity'},"
		"{'extract': 'zip', 'generate': 'billzip'},"
		"{'extract': '{first_name} {last_name}', 'generate': 'billaddressee'},"
		"{'generate': 'ismultishipto', 'hardCodedValue': false},"
		"{'generate': 'custbody_source', 'hardCodedValue': 'webstore'},"
		"{'extract': 'email', 'generate': 'entity', 'lookupName': 'customerLookup'},"
		"{'extract': 'country', 'generate': 'currency', 'lookupName': 'currencyMap'},"
		"{'generate': 'custbody_previous', 'lookupName': 'orderLookup'}],"
		"'lists': [{'generate': 'item', 'fields': ["
		"{'extract': 'order_lines[*].sku', 'generate': 'item', 'lookupName': 'itemLookup'},"
		"{'extract': 'order_lines[*].price', 'generate': 'rate'},"
		"{'extract': 'order_lines[*].quantity', 'generate': 'quantity'},"
		"{'extract': 'shipments[*].ship_via', 'generate': 'shipmethod'},"
		"{'extract': 'shipments[*].weight', 'generate': 'custcolumn_weight'},"
		"{'extract': 'tax_percent', 'generate': 'taxrate1'},"
		"{'extract': 'is_taxable', 'generate': 'istaxable'}]}]}";

	assert_maps(mapping, lookups,
		"{'first_name':'Anna','last_name':'Lee','city':'Boston','zip':'02108',"
		"'country':'USA','email':'anna@example.com','tax_percent':6.25,'is_taxable':true,"
		"'order_lines':[{'sku':'A-1','price':0.10,'quantity':2},"
		"{'sku':'A-1','price':9007199254740993,'quantity':1}],"
		"'shipments':[{'ship_via':'UPS','weight':1.5}]}",
		&env,
		"{'billcity':'Boston','billzip':'02108','billaddressee':'Anna Lee',"
		"'ismultishipto':false,'custbody_source':'webstore','entity':8812,"
		"'currency':'USD','item':["
		"{'item':'31','rate':0.10,'quantity':2,'shipmethod':'UPS','custcolumn_weight':1.5,"
		"'taxrate1':6.25,'istaxable':true},"
		"{'item':'31','rate':9007199254740993,'quantity':1,'taxrate1':6.25,"
		"'istaxable':true}]}");
	assert_map_fails(mapping, lookups, "{'email':'nobody@example.com'}", &env, ERR_LOOKUP,
		"entity", "\"nobody@example.com\" is not in lookup \"customerLookup\"");
	assert_map_fails(mapping, lookups, "{'email':'anna@example.com'}", NULL, ERR_UNSUPPORTED,
		"entity", "customerLookup");
}

static void test_netsuite_web_services(void **state UNUSED)
{
	static const char lookups[] =
		"[{'name': 'customerLookup', 'recordType': 'Customer', 'searchField': 'email',"
		"'resultField': 'internalId', 'allowFailures': 'false', 'includeInactive': "
		"'false'},"
		"{'name': 'currencyMap', 'map': {'USA': 'USD', 'JAPAN': 'JPY', 'UK': 'GDP'},"
		"'allowFailures': 'false'},"
		"{'name': 'itemLookup', 'recordType': 'Item', 'searchField': 'itemId',"
		"'resultField': 'internalId', 'allowFailures': 'false', 'includeInactive': "
		"'false'}]";
	static const char mapping[] =
		"{ 'fields': ["
		"{'extract': 'city', 'generate': 'billingAddress.city'},"
		"{'extract': 'zip', 'generate': 'billingAddress.zip'},"
		"{'extract': '{first_name} {last_name}', 'generate': 'billingAddress.addressee'},"
		"{'generate': 'isMultiShipTo', 'hardCodedValue': false},"
		"{'generate': 'custbody_source', 'hardCodedValue': 'webstore'},"
		"{'extract': 'email', 'generate': 'entity', 'lookupName': 'customerLookup'},"
		"{'extract': 'country', 'generate': 'currency', 'lookupName': 'currencyMap'}],"
		"'lists': [{'generate': 'SalesOrderItem', 'fields': ["
		"{'extract': 'order_lines[*].sku', 'generate': 'item', 'lookupName': 'itemLookup'},"
		"{'extract': 'order_lines[*].price', 'generate': 'rate'},"
		"{'extract': 'order_lines[*].quantity', 'generate': 'quantity'},"
		"{'extract': 'shipments[*].ship_via', 'generate': 'shipMethod'},"
		"{'extract': 'shipments[*].weight', 'generate': 'custcolumn_weight'},"
		"{'extract': 'tax_percent', 'generate': 'taxRate1'},"
		"{'extract': 'is_taxable', 'generate': 'isTaxable'}]}]}";

	/* zipped by index: the longest array gives the number of lines, fields without [*] repeat */
	assert_maps(mapping, lookups, ORDER, &env,
		"{'billingAddress':{'city':'Boston','zip':'02108','addressee':'Anna Lee'},"
		"'isMultiShipTo':false,'custbody_source':'webstore','entity':8812,"
		"'currency':'USD','SalesOrderItem':["
		"{'item':'31','rate':0.10,'quantity':2,'shipMethod':'UPS','custcolumn_weight':1.5,"
		"'taxRate1':6.25,'isTaxable':true},"
		"{'item':'31','rate':9007199254740993,'quantity':1,'shipMethod':'DHL',"
		"'taxRate1':6.25,'isTaxable':true},"
		"{'custcolumn_weight':3,'taxRate1':6.25,'isTaxable':true}]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rest_simple),
		cmocka_unit_test(test_rest_composite),
		cmocka_unit_test(test_netsuite_distributed),
		cmocka_unit_test(test_netsuite_web_services),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

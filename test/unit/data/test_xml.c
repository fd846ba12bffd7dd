/*
 * test_xml.c - XML documents as JSON, and what hostile ones meet.
 */
#include "test.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/thread.h"
#include "data/xml.h"

static void check(struct str text, const char *want)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	const struct json *root;
	struct err err;

	assert_ok(xml_to_json(a, text, NULL, &root, &err));
	assert_str(json_print_arena(a, root), want);
}

static void check_fails(struct str text, const struct xml_limits *limits, enum err_code code,
	const char *words)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	const struct json *root = NULL;
	struct err err;

	assert_fails(xml_to_json(a, text, limits, &root, &err), code, words);
	assert_null(root);
	assert_false(xml_to_json(a, text, limits, &root, NULL));
}

static void elements(void **state UNUSED)
{
	check(STR("<o id=\"1\"><a>x</a><b/><l>1</l><l>2</l></o>"),
		"{\"o\":{\"$\":{\"id\":\"1\"},\"a\":\"x\",\"b\":\"\",\"l\":[\"1\",\"2\"]}}");
	check(STR("<a/>"), "{\"a\":\"\"}");
	check(STR("<a></a>"), "{\"a\":\"\"}");
	check(STR("<a> </a>"), "{\"a\":\" \"}");
	check(STR("<a>\r\n x </a>"), "{\"a\":\"\\n x \"}");
	check(STR("<a x='1'/>"), "{\"a\":{\"$\":{\"x\":\"1\"}}}");
	check(STR("<a x='1'>t</a>"), "{\"a\":{\"$\":{\"x\":\"1\"},\"_\":\"t\"}}");
	check(STR("<a x='1'> </a>"), "{\"a\":{\"$\":{\"x\":\"1\"}}}");
	check(STR("<a>\n <b>1</b>\n <b>2</b>\n</a>\n"), "{\"a\":{\"b\":[\"1\",\"2\"]}}");
	check(STR("<a>p<b>1</b>q<c/>r</a>"), "{\"a\":{\"b\":\"1\",\"c\":\"\",\"_\":\"pqr\"}}");
}

static void children_of_one_name(void **state UNUSED)
{
	/* not only neighbours, and not confused by the same names further down */
	check(STR("<a><x>1</x><y><x>2</x><x>3</x></y><x>4</x><a>5</a></a>"),
		"{\"a\":{\"x\":[\"1\",\"4\"],\"y\":{\"x\":[\"2\",\"3\"]},\"a\":\"5\"}}");
	check(STR("<a>t<_>1</_><_>2</_></a>"), "{\"a\":{\"_\":[\"t\",\"1\",\"2\"]}}");
	check(STR("<a>t<_/></a>"), "{\"a\":{\"_\":[\"t\",\"\"]}}");
	check(STR("<a> <_>1</_></a>"), "{\"a\":{\"_\":\"1\"}}");
}

static void names_and_texts(void **state UNUSED)
{
	check(STR("<s:E xmlns:s=\"urn:s\" xmlns=\"urn:d\" s:k=\"v\"><s:B>1</s:B><B>2</B></s:E>"),
		"{\"s:E\":{\"$\":{\"xmlns:s\":\"urn:s\",\"xmlns\":\"urn:d\",\"s:k\":\"v\"},"
		"\"s:B\":\"1\",\"B\":\"2\"}}");
	check(STR("<p:a p:x='1'/>"), "{\"p:a\":{\"$\":{\"p:x\":\"1\"}}}");
	check(STR("<a k='&lt;&quot;&#233;'>&amp;&lt;&gt;&apos;&#x20AC;</a>"),
		"{\"a\":{\"$\":{\"k\":\"<\\\"\xC3\xA9\"},\"_\":\"&<>'\xE2\x82\xAC\"}}");
	check(STR("<a><![CDATA[<b>&amp;]]>x<!-- no > --><?pi <b> ?>y</a>"),
		"{\"a\":\"<b>&amp;xy\"}");
	check(STR("<a k='>='>1</a>"), "{\"a\":{\"$\":{\"k\":\">=\"},\"_\":\"1\"}}");
}

static void encodings(void **state UNUSED)
{
	check(STR("\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"UTF-8\"?><a>\xC3\xA9</a>"),
		"{\"a\":\"\xC3\xA9\"}");
	check(STR("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9</a>"),
		"{\"a\":\"\xC3\xA9\"}");
	check(STR("<?xml version='1.0' encoding='windows-1252'?><a>\x80</a>"),
		"{\"a\":\"\xE2\x82\xAC\"}");
	check_fails(STR("<?xml version='1.0' encoding='UTF-7'?><a>+ADw-b+AD4-</a>"), NULL,
		ERR_PARSE, "declared encoding");
	check_fails(STR("<\0a\0/\0>\0"), NULL, ERR_PARSE, "UTF-16");
	check_fails(STR("\xFF\xFE<\0a\0/\0>\0"), NULL, ERR_PARSE, "UTF-16");
	check_fails(STR("<a>\xE9</a>"), NULL, ERR_PARSE, "line 1, column ");
}

static void faults_name_the_place(void **state UNUSED)
{
	check_fails(STR(""), NULL, ERR_PARSE, "line 1, column 1: the document is empty");
	check_fails(STR("hello"), NULL, ERR_PARSE, "line 1, column ");
	check_fails(STR("<a>\n  <b></a>"), NULL, ERR_PARSE,
		"line 2, column 10: Opening and ending tag mismatch");
	check_fails(STR("<a>\n<b>"), NULL, ERR_PARSE, "line 2, column ");
	check_fails(STR("<a/><b/>"), NULL, ERR_PARSE, "line 1, column ");
	check_fails(STR("<a x='1' x='2'/>"), NULL, ERR_PARSE, "redefined");
	check_fails(STR("<a>\x01</a>"), NULL, ERR_PARSE, "line 1, column ");
	check_fails(STR("<a>&nbsp;</a>"), NULL, ERR_PARSE, "nbsp");
	check_fails(STR("<a k='&nbsp;'/>"), NULL, ERR_PARSE, "nbsp");
	check_fails(STR("<a>\0</a>"), NULL, ERR_PARSE, "line 1, column ");
}

static void doctypes_are_refused(void **state UNUSED)
{
	/* ten levels of ten make a thousand million */
	check_fails(STR("<?xml version=\"1.0\"?>\n<!DOCTYPE l [<!ENTITY a \"lol\">"
			"<!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">"
			"<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">]><l>&c;</l>"),
		NULL, ERR_PARSE, "line 2, column 1: a DOCTYPE");
	check_fails(STR("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>"), NULL,
		ERR_PARSE, "DOCTYPE");
	check_fails(STR("<!DOCTYPE a SYSTEM \"http://127.0.0.1:1/x.dtd\"><a/>"), NULL, ERR_PARSE,
		"DOCTYPE");
	check_fails(STR("<!DOCTYPE a [<!ENTITY % p SYSTEM \"http://127.0.0.1:1/\"> %p;]><a/>"),
		NULL, ERR_PARSE, "DOCTYPE");
	check_fails(STR("<a><!ENTITY x \"y\"></a>"), NULL, ERR_PARSE,
		"line 1, column 4: a DOCTYPE");
	/* in a comment and in CDATA it is only text */
	check(STR("<!-- <!DOCTYPE a> --><a><![CDATA[<!DOCTYPE a>]]></a>"),
		"{\"a\":\"<!DOCTYPE a>\"}");
}

/* N times the text, between two others. */
static void repeat(struct buf *b, const char *head, const char *each, size_t n, const char *tail)
{
	buf_reset(b);
	buf_add_str(b, str_z(head));
	for (size_t i = 0; i < n; i++)
		buf_add_str(b, str_z(each));
	buf_add_str(b, str_z(tail));
}

static void limits(void **state UNUSED)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	const struct xml_limits small = { .depth_max = 3,
		.attributes_max = 2,
		.text_bytes_max = 5,
		.nodes_max = 8 };

	check_fails(STR("<a><b>\n<c><d/></c></b></a>"), &small, ERR_LIMIT, "line 2, column ");
	check_fails(STR("<a>\n <b x='1' y='2' z='3'/></a>"), &small, ERR_LIMIT,
		"line 2, column 2: the element has more than 2 attributes");
	check_fails(STR("<a>123<b/>456</a>"), &small, ERR_LIMIT, "text is too long");
	check_fails(STR("<a x='123456'/>"), &small, ERR_LIMIT, "attribute is too long");
	repeat(&b, "<a>", "<b/>", 8, "</a>");
	check_fails(buf_str(&b), &small, ERR_LIMIT, "too many elements");
	repeat(&b, "", "<a>", 1000000, "");
	check_fails(buf_str(&b), NULL, ERR_LIMIT, "nested too deep");
	repeat(&b, "", "<a>", LIMIT_XML_DEPTH, "");
	for (size_t i = 0; i < LIMIT_XML_DEPTH; i++)
		BUF_ADD_LIT(&b, "</a><a/>");
	b.n -= strlen("<a/>");
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	const struct json *root;
	struct err err;

	assert_ok(xml_to_json(a, buf_str(&b), NULL, &root, &err));
}

static void arena_cap_holds(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("page", 100000);
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	const struct json *root;
	struct err err;

	repeat(&b, "<a>", "<b>x</b>", 100000, "</a>");
	assert_fails(xml_to_json(a, buf_str(&b), NULL, &root, &err), ERR_LIMIT, "page");
}

/* What libxml2 would compare pair by pair, refused in the time it takes to read. */
static void a_million_attributes(void **state UNUSED)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	int64_t before = clock_mono_ms(clock_system());

	BUF_ADD_LIT(&b, "<a");
	for (size_t i = 0; i < 1000000; i++)
		buf_add_fmt(&b, " a%zu='>'", i);
	BUF_ADD_LIT(&b, "/>");
	check_fails(buf_str(&b), NULL, ERR_LIMIT, "more than 1000 attributes");
	assert_true(clock_mono_ms(clock_system()) - before < 20000);
}

static void *read_often(void *arg)
{
	_Atomic unsigned *read = arg;

	for (size_t i = 0; i < 100; i++) {
		struct arena *a DEFER(arena_freep) = arena_new("test", 0);
		const struct json *root;
		struct err err = ERR_INIT;

		if (xml_to_json(a, STR("<a x='1'><b>t</b><b/></a>"), NULL, &root, &err) &&
			!xml_to_json(a, STR("<a>&x;</a>"), NULL, &root, &err) &&
			err.code == ERR_PARSE)
			++*read;
	}
	return NULL;
}

/* First of all, so that the library's own beginning is among what is shared. */
static void any_thread_reads(void **state UNUSED)
{
	struct thread threads[4];
	_Atomic unsigned read = 0;

	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		thread_start(&threads[i], "xml", read_often, &read);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		thread_join(&threads[i]);
	assert_int_equal(read, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_thread_reads),
		cmocka_unit_test(elements),
		cmocka_unit_test(children_of_one_name),
		cmocka_unit_test(names_and_texts),
		cmocka_unit_test(encodings),
		cmocka_unit_test(faults_name_the_place),
		cmocka_unit_test(doctypes_are_refused),
		cmocka_unit_test(limits),
		cmocka_unit_test(arena_cap_holds),
		cmocka_unit_test(a_million_attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

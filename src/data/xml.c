/*
 * xml.c - libxml2's SAX2 events make a tree of elements in the arena; when the document is found to
 * be well-formed, the tree is written as JSON.
 *
 * The tree is needed because JSON wants children of one name together, wherever they stand. Grouping
 * is linear: a name is one struct, and an element's children are sorted into the groups that their
 * names carry while that element is written, and no other.
 */
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <pthread.h>

#include "core/limits.h"
#include "core/map.h"
#include "data/xml_priv.h"

struct element;

struct name {
	struct str text;
	/* while `grouped` is written: its children of this name */
	const struct element *grouped;
	struct element *first, *last;
	size_t count;
};

struct attribute {
	struct str name, value;
};

struct element {
	struct name *name;
	struct element *up, *first, *last, *next;
	struct element *next_same; /* sibling of the same name */
	struct attribute *attributes;
	size_t attribute_count;
	char *text;
	size_t text_n, text_cap;
};

struct reader {
	struct arena *arena;
	struct xml_limits limits;
	struct str source;
	xmlParserCtxtPtr parser;
	struct map *names; /* by the two pointers that libxml2's dictionary gives a name */
	struct element *root, *here;
	uint32_t depth;
	size_t nodes;
	struct err *err;
	bool failed;
};

/* ---- errors ---- */

static void stop(struct reader *r)
{
	r->failed = true;
	xmlStopParser(r->parser);
}

static void fail(struct reader *r, enum err_code code, const char *what)
{
	if (r->failed)
		return;
	err_set(r->err, code, "line %d, column %d: %s", xmlSAX2GetLineNumber(r->parser),
		xmlSAX2GetColumnNumber(r->parser), what);
	stop(r);
}

/* libxml2 reports warnings and namespace errors here too; what makes it stop is fatal. */
static void on_error(void *ctx, xmlErrorPtr e)
{
	struct reader *r = ((xmlParserCtxtPtr)ctx)->_private;

	if (r->failed || e->level != XML_ERR_FATAL)
		return;
	err_set(r->err, ERR_PARSE, "line %d, column %d: %.*s", e->line, e->int2,
		STR_ARG(str_trim(str_z(e->message == NULL ? "not well-formed" : e->message))));
	stop(r);
}

/* ---- events ---- */

static struct reader *reader_of(void *ctx)
{
	return ((xmlParserCtxtPtr)ctx)->_private;
}

static struct str from_xml(const xmlChar *z)
{
	return str_z((const char *)z);
}

static struct str full_name(struct arena *a, const xmlChar *prefix, const xmlChar *local)
{
	return prefix == NULL ? str_dup(a, from_xml(local))
			      : str_fmt(a, "%s:%s", (const char *)prefix, (const char *)local);
}

static struct name *name_of(struct reader *r, const xmlChar *prefix, const xmlChar *local)
{
	const xmlChar *key[2] = { prefix, local };
	struct str k = { (const char *)key, sizeof(key) };
	struct name *n = map_get(r->names, k);

	if (n == NULL) {
		n = arena_new_of(r->arena, struct name);
		n->text = full_name(r->arena, prefix, local);
		map_put(r->names, str_dup(r->arena, k), n);
	}
	return n;
}

static bool count_nodes(struct reader *r, size_t n)
{
	struct err err = ERR_INIT;

	r->nodes += n;
	if (r->nodes > r->limits.nodes_max)
		fail(r, ERR_LIMIT, "the document has too many elements and attributes");
	else if (!arena_check(r->arena, &err))
		fail(r, ERR_LIMIT, err.message);
	return !r->failed;
}

static void add_attribute(struct reader *r, struct element *e, struct str name, struct str value)
{
	if (value.n > r->limits.text_bytes_max)
		fail(r, ERR_LIMIT, "an attribute is too long");
	else
		e->attributes[e->attribute_count++] = (struct attribute){ name,
			str_dup(r->arena, value) };
}

static struct element *add_element(struct reader *r, struct name *name)
{
	struct element *e = arena_new_of(r->arena, struct element), *up = r->here;

	e->name = name;
	e->up = up;
	if (up == NULL)
		r->root = e;
	else if (up->last == NULL)
		up->first = up->last = e;
	else
		up->last = up->last->next = e;
	return r->here = e;
}

static void on_start(void *ctx, const xmlChar *local, const xmlChar *prefix,
	const xmlChar *uri UNUSED, int namespaces, const xmlChar **ns, int attributes,
	int defaulted UNUSED, const xmlChar **at)
{
	struct reader *r = reader_of(ctx);
	size_t n = (size_t)namespaces + (size_t)attributes;

	if (r->failed || !count_nodes(r, 1 + n))
		return;
	if (n > r->limits.attributes_max) {
		fail(r, ERR_LIMIT, "the element has too many attributes");
		return;
	}
	if (++r->depth > r->limits.depth_max) {
		fail(r, ERR_LIMIT, "elements are nested too deep");
		return;
	}
	struct element *e = add_element(r, name_of(r, prefix, local));

	e->attributes = n == 0 ? NULL : arena_array_of(r->arena, struct attribute, n);
	for (int i = 0; i < namespaces; i++, ns += 2)
		add_attribute(r, e,
			ns[0] == NULL ? STR("xmlns")
				      : str_fmt(r->arena, "xmlns:%s", (const char *)ns[0]),
			from_xml(ns[1] == NULL ? (const xmlChar *)"" : ns[1]));
	for (int i = 0; i < attributes; i++, at += 5)
		add_attribute(r, e, full_name(r->arena, at[1], at[0]),
			str_of((const char *)at[3], (size_t)(at[4] - at[3])));
}

static void on_end(void *ctx, const xmlChar *local UNUSED, const xmlChar *prefix UNUSED,
	const xmlChar *uri UNUSED)
{
	struct reader *r = reader_of(ctx);

	if (r->failed || r->here == NULL)
		return;
	r->here = r->here->up;
	r->depth--;
}

static void on_text(void *ctx, const xmlChar *text, int length)
{
	struct reader *r = reader_of(ctx);
	struct element *e = r->here;
	size_t n = (size_t)length;

	if (r->failed || e == NULL)
		return;
	if (n > r->limits.text_bytes_max - e->text_n) {
		fail(r, ERR_LIMIT, "the element's text is too long");
		return;
	}
	if (n > e->text_cap - e->text_n) {
		size_t cap = MAX(2 * e->text_cap, e->text_n + n);

		e->text = arena_grow(r->arena, e->text, e->text_cap, cap);
		e->text_cap = cap;
		if (!count_nodes(r, 0))
			return;
	}
	memcpy(e->text + e->text_n, text, n);
	e->text_n += n;
}

static void on_doctype(void *ctx, const xmlChar *name UNUSED, const xmlChar *id UNUSED,
	const xmlChar *system_id UNUSED)
{
	fail(reader_of(ctx), ERR_PARSE, "a DOCTYPE is refused here");
}

/* The declaration was read, no tag yet: an encoding that hides tags from xml_inspect() ends here. */
static void on_document(void *ctx)
{
	struct reader *r = reader_of(ctx);
	/* of the two, libxml2 fills the first for UTF-8 and the second for what it must convert */
	const xmlChar *declared[] = { r->parser->encoding, r->parser->input->encoding };

	for (size_t i = 0; i < ARRAY_LEN(declared); i++)
		if (declared[i] != NULL && !xml_encoding_is_safe(from_xml(declared[i])))
			fail(r, ERR_PARSE,
				"the declared encoding must be UTF-8, US-ASCII, ISO-8859-n or "
				"windows-125n");
}

static xmlEntityPtr on_entity(void *ctx UNUSED, const xmlChar *name)
{
	return xmlGetPredefinedEntity(name);
}

static xmlSAXHandler handler(void)
{
	return (xmlSAXHandler){
		.initialized = XML_SAX2_MAGIC,
		.startDocument = on_document,
		.internalSubset = on_doctype,
		.getEntity = on_entity,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.cdataBlock = on_text,
		.serror = on_error,
	};
}

/* ---- JSON ---- */

static bool is_space_only(const struct element *e)
{
	return str_trim(str_of(e->text, e->text_n)).n == 0;
}

/* Sorts the children of E into the groups of their names. */
static void group(const struct element *e)
{
	for (struct element *c = e->first; c != NULL; c = c->next) {
		struct name *n = c->name;

		if (n->grouped != e) {
			n->grouped = e;
			n->first = c;
			n->count = 0;
		} else {
			n->last->next_same = c;
		}
		n->last = c;
		n->count++;
	}
}

static void write_value(const struct element *e, struct json_build *b);

/* TEXT (p NULL: none) and COUNT elements of one name, as one value or an array. */
static void write_group(struct str text, const struct element *first, size_t count,
	struct json_build *b)
{
	bool array = count + (text.p != NULL) > 1;

	if (array)
		json_build_array(b);
	if (text.p != NULL)
		json_build_str(b, text);
	for (const struct element *c = first; c != NULL; c = c->next_same)
		write_value(c, b);
	if (array)
		json_build_end(b);
}

static void write_attributes(const struct element *e, struct json_build *b)
{
	if (e->attribute_count == 0)
		return;
	json_build_key(b, STR("$"));
	json_build_object(b);
	for (size_t i = 0; i < e->attribute_count; i++)
		json_add_str(b, e->attributes[i].name, e->attributes[i].value);
	json_build_end(b);
}

/* The groups are read before a child is written: writing it regroups the names. */
static void write_value(const struct element *e, struct json_build *b)
{
	struct str text = str_of(e->text, e->text_n), key = STR("_");
	struct group {
		const struct element *first;
		size_t count;
	} * groups;
	size_t n = 0, i = 0;

	if (e->first == NULL && e->attribute_count == 0) {
		json_build_str(b, text.n == 0 ? STR("") : text);
		return;
	}
	if (is_space_only(e))
		text = STR_NULL;
	group(e);
	for (const struct element *c = e->first; c != NULL; c = c->next)
		n += c->name->first == c;
	groups = arena_alloc(b->arena, MAX(n, 1) * sizeof(*groups));
	for (const struct element *c = e->first; c != NULL; c = c->next)
		if (c->name->first == c)
			groups[i++] = (struct group){ c, c->name->count };
	json_build_object(b);
	write_attributes(e, b);
	for (i = 0; i < n; i++) {
		struct str name = groups[i].first->name->text;
		bool shared = str_eq(name, key);

		json_build_key(b, name);
		write_group(shared ? text : STR_NULL, groups[i].first, groups[i].count, b);
		if (shared)
			text = STR_NULL;
	}
	if (text.p != NULL)
		json_add_str(b, key, text);
	json_build_end(b);
}

/* ---- the document ---- */

static bool parse(struct reader *r)
{
	xmlParserCtxtPtr p = xmlCreateMemoryParserCtxt(r->source.p, (int)r->source.n);

	CHECK(p != NULL);
	*p->sax = handler();
	p->_private = r;
	xmlCtxtUseOptions(p, XML_PARSE_NONET);
	r->parser = p;
	xmlParseDocument(p);
	bool ok = p->wellFormed && r->root != NULL && !r->failed;

	if (!ok && !r->failed)
		err_set(r->err, ERR_PARSE, "line %d, column %d: the document is not well-formed",
			xmlSAX2GetLineNumber(p), xmlSAX2GetColumnNumber(p));
	if (p->myDoc != NULL)
		xmlFreeDoc(p->myDoc);
	xmlFreeParserCtxt(p);
	return ok;
}

static void set_limits(struct xml_limits *to, const struct xml_limits *from)
{
	if (from != NULL)
		*to = *from;
	if (to->depth_max == 0 || to->depth_max > LIMIT_XML_DEPTH)
		to->depth_max = LIMIT_XML_DEPTH;
	if (to->attributes_max == 0)
		to->attributes_max = LIMIT_XML_ATTRIBUTES;
	if (to->text_bytes_max == 0)
		to->text_bytes_max = LIMIT_XML_TEXT_BYTES;
	if (to->nodes_max == 0)
		to->nodes_max = LIMIT_XML_NODES;
}

bool xml_to_json(struct arena *a, struct str text, const struct xml_limits *limits,
	const struct json **root, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct reader r = { .arena = a, .source = text, .names = map_new(a), .err = err };
	struct err ignored = ERR_INIT;
	struct json_build b;

	if (r.err == NULL)
		r.err = &ignored;
	set_limits(&r.limits, limits);
	if (text.n == 0)
		return err_set(err, ERR_PARSE, "line 1, column 1: the document is empty");
	if (text.n > INT32_MAX)
		return err_set(err, ERR_LIMIT, "the document is longer than 2 GB");
	if (!xml_inspect(text, r.limits.attributes_max, err))
		return false;
	pthread_once(&once, xmlInitParser);
	if (!parse(&r))
		return false;
	json_build_init(&b, a);
	json_build_object(&b);
	json_build_key(&b, r.root->name->text);
	write_value(r.root, &b);
	json_build_end(&b);
	*root = json_build_done(&b);
	return true;
}

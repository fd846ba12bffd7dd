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
	const struct name *name;
	struct str value;
};

/* There may be millions. */
struct element {
	struct name *name;
	struct element *first, *last, *next;
	struct element *next_same; /* sibling of the same name */
	struct attribute *attributes;
	char *text;
	uint32_t text_n, text_cap;
	uint32_t attribute_count;
};

#define RECENT_NAMES 64

struct reader {
	struct arena *arena;   /* texts and names */
	struct arena *scratch; /* the tree */
	struct xml_limits limits;
	struct str source;
	xmlParserCtxtPtr parser;
	struct map *names; /* by the two pointers that libxml2's dictionary gives a name */
	struct recent {
		const xmlChar *prefix, *local;
		struct name *name;
	} recent[RECENT_NAMES]; /* the same, without a search */
	struct element *root;
	struct element *open[LIMIT_XML_DEPTH];
	uint32_t depth;
	size_t nodes, with_attributes;
	struct err *err; /* may be NULL */
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
	struct recent *recent = &r->recent[((uintptr_t)local >> 3) % RECENT_NAMES];

	if (recent->name != NULL && recent->local == local && recent->prefix == prefix)
		return recent->name;
	const xmlChar *key[2] = { prefix, local };
	struct str k = { (const char *)key, sizeof(key) };
	struct name *n = map_get(r->names, k);

	if (n == NULL) {
		n = arena_new_of(r->scratch, struct name);
		n->text = full_name(r->arena, prefix, local);
		map_put(r->names, str_dup(r->scratch, k), n);
	}
	*recent = (struct recent){ prefix, local, n };
	return n;
}

static bool count_nodes(struct reader *r, size_t n)
{
	r->nodes += n;
	if (r->nodes > r->limits.nodes_max)
		fail(r, ERR_LIMIT, "the document has too many elements and attributes");
	else if (UNLIKELY(!arena_check(r->arena, NULL))) {
		struct err err = ERR_INIT;

		(void)!arena_check(r->arena, &err);
		fail(r, ERR_LIMIT, err.message);
	}
	return !r->failed;
}

static void add_attribute(struct reader *r, struct element *e, const struct name *name,
	struct str value)
{
	if (value.n > r->limits.text_bytes_max)
		fail(r, ERR_LIMIT, "an attribute is too long");
	else
		e->attributes[e->attribute_count++] = (struct attribute){ name,
			str_dup(r->arena, value) };
}

static struct element *add_element(struct reader *r, struct name *name)
{
	struct element *e = arena_new_of(r->scratch, struct element);

	e->name = name;
	if (r->depth == 0) {
		r->root = e;
	} else {
		struct element *up = r->open[r->depth - 1];

		if (up->last == NULL)
			up->first = up->last = e;
		else
			up->last = up->last->next = e;
	}
	r->open[r->depth++] = e;
	return e;
}

static void on_start(void *ctx, const xmlChar *local, const xmlChar *prefix,
	const xmlChar *uri UNUSED, int namespaces, const xmlChar **ns, int attributes,
	int defaulted UNUSED, const xmlChar **at)
{
	struct reader *r = reader_of(ctx);
	static const struct name xmlns = { .text = STR_INIT("xmlns") };
	size_t n = (size_t)namespaces + (size_t)attributes;

	if (r->failed || !count_nodes(r, 1 + n))
		return;
	if (n > r->limits.attributes_max) {
		fail(r, ERR_LIMIT, "the element has too many attributes");
		return;
	}
	if (r->depth == r->limits.depth_max) {
		fail(r, ERR_LIMIT, "elements are nested too deep");
		return;
	}
	struct element *e = add_element(r, name_of(r, prefix, local));

	r->with_attributes += n > 0;
	e->attributes = n == 0 ? NULL : arena_array_of(r->scratch, struct attribute, n);
	for (int i = 0; i < namespaces; i++, ns += 2)
		add_attribute(r, e,
			ns[0] == NULL ? &xmlns : name_of(r, (const xmlChar *)"xmlns", ns[0]),
			from_xml(ns[1] == NULL ? (const xmlChar *)"" : ns[1]));
	for (int i = 0; i < attributes; i++, at += 5)
		add_attribute(r, e, name_of(r, at[1], at[0]),
			str_of((const char *)at[3], (size_t)(at[4] - at[3])));
}

static void on_end(void *ctx, const xmlChar *local UNUSED, const xmlChar *prefix UNUSED,
	const xmlChar *uri UNUSED)
{
	struct reader *r = reader_of(ctx);

	if (!r->failed && r->depth > 0)
		r->depth--;
}

static void on_text(void *ctx, const xmlChar *text, int length)
{
	struct reader *r = reader_of(ctx);
	size_t n = (size_t)length;

	if (r->failed || r->depth == 0 || n == 0)
		return;
	struct element *e = r->open[r->depth - 1];

	if (n > r->limits.text_bytes_max - e->text_n) {
		fail(r, ERR_LIMIT, "the element's text is too long");
		return;
	}
	if (n > e->text_cap - e->text_n) {
		size_t cap = MAX(2 * (size_t)e->text_cap, e->text_n + n);

		e->text = arena_grow(r->arena, e->text, e->text_cap, cap);
		e->text_cap = (uint32_t)cap;
		if (!count_nodes(r, 0))
			return;
	}
	memcpy(e->text + e->text_n, text, n);
	e->text_n += (uint32_t)n;
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

/* Sorts the children of E into the groups of their names; returns how many there are. */
static size_t group(const struct element *e)
{
	size_t groups = 0;

	for (struct element *c = e->first; c != NULL; c = c->next) {
		struct name *n = c->name;

		if (n->grouped != e) {
			n->grouped = e;
			n->first = c;
			n->count = 0;
			groups++;
		} else {
			n->last->next_same = c;
		}
		n->last = c;
		n->count++;
	}
	return groups;
}

struct writer {
	struct json_build *b;
	struct arena *scratch;
};

static void write_value(const struct writer *w, const struct element *e);

/* TEXT (p NULL: none) and COUNT elements of one name, as one value or an array. */
static void write_group(const struct writer *w, struct str text, const struct element *first,
	size_t count)
{
	bool array = count + (text.p != NULL) > 1;

	if (array)
		json_build_array(w->b);
	if (text.p != NULL)
		json_build_str(w->b, text);
	for (const struct element *c = first; c != NULL; c = c->next_same)
		write_value(w, c);
	if (array)
		json_build_end(w->b);
}

static void write_attributes(const struct element *e, struct json_build *b)
{
	if (e->attribute_count == 0)
		return;
	json_build_key(b, STR("$"));
	json_build_object(b);
	for (size_t i = 0; i < e->attribute_count; i++)
		json_add_str(b, e->attributes[i].name->text, e->attributes[i].value);
	json_build_end(b);
}

/* TEXT goes to the children called "_", where there are some. */
static void write_children(const struct writer *w, const struct element *e, struct str text)
{
	static const struct str key = STR_INIT("_");
	struct arena_mark mark = arena_mark(w->scratch);
	struct group {
		const struct element *first;
		size_t count;
	} * groups;
	size_t n = group(e), i = 0;

	/* copied before a child is written: that regroups the names */
	groups = arena_alloc(w->scratch, MAX(n, 1) * sizeof(*groups));
	for (const struct element *c = e->first; c != NULL; c = c->next)
		if (c->name->first == c)
			groups[i++] = (struct group){ c, c->name->count };
	for (i = 0; i < n; i++) {
		struct str name = groups[i].first->name->text;
		bool shared = str_eq(name, key);

		json_build_key(w->b, name);
		write_group(w, shared ? text : STR_NULL, groups[i].first, groups[i].count);
		if (shared)
			text = STR_NULL;
	}
	json_add_str(w->b, key, text);
	arena_rewind(w->scratch, mark);
}

static void write_value(const struct writer *w, const struct element *e)
{
	struct str text = str_of(e->text, e->text_n);

	if (e->first == NULL && e->attribute_count == 0) {
		json_build_str(w->b, text.n == 0 ? STR("") : text);
		return;
	}
	json_build_object(w->b);
	write_attributes(e, w->b);
	write_children(w, e, str_trim(text).n == 0 ? STR_NULL : text);
	json_build_end(w->b);
}

static const struct json *write_document(const struct reader *r)
{
	struct json_build b;
	const struct writer w = { &b, r->scratch };

	json_build_init(&b, r->arena);
	/*
	 * What it comes to but for mixed text: a key and a value each, "$" and "_" beside attributes; an
	 * array takes no more than the keys that it saves. Growing would leave as much again behind.
	 */
	b.cap = 2 * r->nodes + 4 * r->with_attributes + 2;
	b.nodes = arena_alloc(r->arena, b.cap * sizeof(*b.nodes));
	json_build_object(&b);
	json_build_key(&b, r->root->name->text);
	write_value(&w, r->root);
	json_build_end(&b);
	return json_build_done(&b);
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
	struct arena *scratch DEFER(arena_freep) = arena_new("xml", 0);
	struct reader r = { .arena = a, .scratch = scratch, .source = text, .err = err };

	set_limits(&r.limits, limits);
	if (text.n == 0)
		return err_set(err, ERR_PARSE, "line 1, column 1: the document is empty");
	if (text.n > INT32_MAX)
		return err_set(err, ERR_LIMIT, "the document is longer than 2 GB");
	if (!xml_inspect(text, r.limits.attributes_max, err))
		return false;
	r.names = map_new(scratch);
	pthread_once(&once, xmlInitParser);
	if (!parse(&r))
		return false;
	*root = write_document(&r);
	return true;
}

/*
 * xml.h - an XML document as JSON, by the convention that integrations know from xml2js:
 *
 *   <o id="1"><a>x</a><b/><l>1</l><l>2</l></o>
 *   {"o":{"$":{"id":"1"},"a":"x","b":"","l":["1","2"]}}
 *
 *   - the root is an object with the root element's name;
 *   - an element of text only is a string, an empty one "";
 *   - any other is an object: attributes (xmlns declarations too) under "$", children by name in order
 *     of first appearance, several of one name as an array wherever they stand, and text beside
 *     attributes or children under "_", joined, unless it is nothing but white space;
 *   - names keep the prefixes they are written with; comments and processing instructions are dropped,
 *     CDATA is text; all values are strings, as they stand (references resolved, line ends as LF);
 *   - a child named "_" shares its place with the text: the text is the first element of an array.
 *
 * The text is hostile until shown otherwise: a DOCTYPE is refused (so there are no entities but the
 * five of XML, no external subset, no default attributes), nothing is ever fetched, and depth,
 * attributes, text and nodes have limits that hold before libxml2 does work that grows faster than
 * its input. Encodings: UTF-8, and what an XML declaration names of US-ASCII, ISO-8859-n and
 * windows-125n; UTF-16 must be converted first.
 *
 * Blocks on nothing; any thread.
 */
#ifndef DATA_XML_H
#define DATA_XML_H

#include "data/json.h"

/* 0 in a member: the LIMIT_XML_* of its name. */
struct xml_limits {
	uint32_t depth_max;      /* at most LIMIT_XML_DEPTH */
	uint32_t attributes_max; /* of one element, xmlns declarations included */
	size_t text_bytes_max;   /* of one element's text, or one attribute */
	size_t nodes_max;        /* elements and attributes in all */
};

/*
 * All that ROOT needs is in the arena, whose cap holds. LIMITS may be NULL. ERR_PARSE and ERR_LIMIT
 * with line and column (from 1, columns in bytes).
 */
MUST_CHECK bool xml_to_json(struct arena *a, struct str text, const struct xml_limits *limits,
	const struct json **root, struct err *err);

#endif

/*
 * xml_priv.h - the look at an XML text that comes before the parser's.
 */
#ifndef DATA_XML_PRIV_H
#define DATA_XML_PRIV_H

#include "data/xml.h"

/*
 * Refuses what libxml2 must not get: a DOCTYPE, an element with more attributes than ATTRIBUTES_MAX
 * (it compares each with all others), bytes of an encoding in which '<' is no '<'.
 */
MUST_CHECK bool xml_inspect(struct str text, uint32_t attributes_max, struct err *err);
/* Is this declared encoding one in which ASCII bytes mean what they mean in ASCII? */
bool xml_encoding_is_safe(struct str name);
/* The error CODE with line and column of the byte at AT. */
bool xml_fail_at(struct str text, size_t at, enum err_code code, const char *what, struct err *err);

#endif

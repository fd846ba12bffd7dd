/*
 * handlebars_js_priv.h - JavaScript's rules for values and numbers, over JSON nodes. Pure; results
 * live in the arena given.
 */
#ifndef DATA_HANDLEBARS_JS_PRIV_H
#define DATA_HANDLEBARS_JS_PRIV_H

#include "core/map.h"
#include "data/handlebars_helper.h"

#define JS_NUMBER_MAX 32
/* Those of math.h are floats. */
#define JS_NAN      __builtin_nan("")
#define JS_INFINITY __builtin_inf()

/* Bytes of the white space (ECMAScript's) that S begins or ends with; 0: none. */
size_t js_space_first(struct str s);
size_t js_space_last(struct str s);
struct str js_trim_left(struct str s);
struct str js_trim_right(struct str s);

double js_to_number(const struct json *v);             /* ToNumber; NaN where it is none */
double js_parse_number(struct arena *a, struct str s); /* StringToNumber */
struct str js_number_text(char out[JS_NUMBER_MAX], double v);
struct str js_to_str(struct arena *a, const struct json *v);
bool js_empty(const struct json *v); /* isEmpty of handlebars.js */
bool js_equal_strict(const struct json *a, const struct json *b);
bool js_equal_loose(struct arena *a, const struct json *x, const struct json *y);
int js_compare_text(struct str a, struct str b); /* by UTF-16 units */
/* Member, element, unit of a text or length; NULL: there is none. */
const struct json *js_property(struct arena *a, const struct json *v, struct str name);
size_t js_property_steps(const struct json *v, struct str name); /* what finding that costs */
/* Members in JavaScript's order: whole numbers first, duplicates once with the last value. */
struct map *js_members(struct arena *a, const struct json *object);

size_t js_length(struct str s);                                             /* UTF-16 units */
struct str js_slice(struct arena *a, struct str s, size_t from, size_t to); /* of units */
#define JS_DIGITS_MAX 100

struct str js_to_fixed(struct arena *a, double v, unsigned digits);  /* 0 to JS_DIGITS_MAX */
struct str js_to_exponential(struct arena *a, double v, int digits); /* below 0: all that it has */
struct str js_to_precision(struct arena *a, double v, unsigned digits); /* 1 to JS_DIGITS_MAX */

const struct json *js_new_str(struct arena *a, struct str s);
const struct json *js_new_number(struct arena *a, double v);

#endif

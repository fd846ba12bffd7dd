/*
 * hint.c - "did you mean": the nearest field to an unknown name, the nearest word to a wrong one.
 *
 * Fields of the same object come first; the same name elsewhere in the document ("baseURI" at the
 * top) is the commonest mistake after a misspelt one, so the whole tree is searched.
 */
#include "schema/schema_priv.h"

struct best {
	const struct node *node;
	unsigned score;
};

/* Edits that still look like a slip in a name of N bytes. */
static unsigned slack(size_t n)
{
	return n <= 3 ? 1 : n <= 6 ? 2 : 3;
}

static void look(const struct node *in, const struct node *here, struct str name, struct best *best)
{
	for (each_kid(k, in)) {
		bool near = in == here;
		unsigned limit = near ? slack(MIN(name.n, k->name.n)) : name.n > 4;
		unsigned d = str_distance(name, k->name, limit);

		/* a whole other name of the same length is no slip */
		if (d <= limit && (d == 0 || d < k->name.n)) {
			unsigned score = 2 * d + !near;

			if (best->node == NULL || score < best->score)
				*best = (struct best){ k, score };
		}
		look(k, here, name, best);
	}
}

const struct node *hint_field(const struct schema *s, const struct node *in, struct str name)
{
	struct best best = { .node = NULL };

	look(&s->root, in, name, &best);
	return best.node;
}

struct str hint_word(const char *list, struct str word)
{
	struct str rest = str_z(list), found = STR_NULL;
	unsigned best = slack(word.n);

	while (rest.p != NULL) {
		struct str w = str_cut(&rest, '|');
		unsigned d = str_distance(word, w, best);

		if (d <= best && d < w.n && (found.p == NULL || d < best)) {
			best = d;
			found = w;
		}
	}
	return found;
}

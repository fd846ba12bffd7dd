/*
 * path_priv.h - the compiled path, for those who walk many paths at once.
 */
#ifndef MAP_PATH_PRIV_H
#define MAP_PATH_PRIV_H

#include "map/path.h"

enum step_kind { STEP_NAME, STEP_INDEX, STEP_EITHER, STEP_STAR };

struct step {
	enum step_kind kind;
	struct str name;
	uint64_t index;
};

struct path {
	struct str text;
	size_t count;
	size_t star; /* index + 1 of the first [*]; 0: none */
	struct step steps[PATH_STEPS_MAX];
};

#endif

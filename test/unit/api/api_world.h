/*
 * api_world.h - a store with resources, and what the API's tables are configured with, but no server.
 */
#ifndef TEST_UNIT_API_API_WORLD_H
#define TEST_UNIT_API_API_WORLD_H

#include "resource/world.h"

#include "api/api_priv.h"

static UNUSED struct api_config api_config_of(const struct world *w)
{
	return (struct api_config){ .store = w->store,
		.resources = w->r,
		.clock = &w->clock.clock,
		.rng = rng_system(),
		.rate_bucket = 3,
		.rate_refill = 1,
		.listener_bucket = 3,
		.listener_refill = 1 };
}

#endif

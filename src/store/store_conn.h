/*
 * store_conn.h - the words that every part of the store's front door uses; include store.h.
 */
#ifndef STORE_STORE_CONN_H
#define STORE_STORE_CONN_H

#include "core/arena.h"
#include "core/clock.h"
#include "core/rng.h"
#include "core/str.h"

struct store;
struct store_conn;

#endif

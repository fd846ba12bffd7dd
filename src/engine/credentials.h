/*
 * credentials.h - what connections keep in the store of their credentials: the functions behind a vault
 * (adaptor/vault.h), whose context is the engine.
 */
#ifndef ENGINE_CREDENTIALS_H
#define ENGINE_CREDENTIALS_H

#include "engine/engine_priv.h"

extern const struct vault_ops credentials_ops;

#endif

/*
 * seal.h - sealing of secrets at rest: AES-256-GCM with a random nonce per value.
 *
 * The sealed form is text: "sealed:v1:<key id>:<base64 of nonce, ciphertext, tag>". The associated
 * data binds it to its place (account, type, id, field), so that a sealed value copied elsewhere
 * does not open. The key ring is read-only once loaded: any thread.
 */
#ifndef CRYPT_SEAL_H
#define CRYPT_SEAL_H

#include "core/rng.h"
#include "core/str.h"

#define SEAL_KEY_BYTES 32

struct key_ring;

/*
 * Loads the key file: lines "<key id> <64 hex digits>", '#' comments; the last key seals, all open.
 * When the file is absent and CREATE is set, makes one with a fresh key (mode 0600, fsynced, its
 * directory too). ERR_CONFIG when it is malformed or readable by others.
 */
MUST_CHECK bool key_ring_load(struct arena *a, const char *path, bool create, struct rng *rng,
	struct key_ring **out, struct err *err);
void key_ring_wipe(struct key_ring *k);

/* AAD: the value's place, by convention "<account>/<type>/<id>/<field>". */
struct str seal(const struct key_ring *k, struct rng *rng, struct arena *a, struct str plain,
	struct str aad);
/* ERR_CRYPT when the key is unknown, or the value or its place was changed. */
MUST_CHECK bool seal_open(const struct key_ring *k, struct arena *a, struct str sealed,
	struct str aad, struct str *plain, struct err *err);
bool seal_is(struct str s); /* does it begin like a sealed value? */

#endif

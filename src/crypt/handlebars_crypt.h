/*
 * handlebars_crypt.h - the helpers of templates that sign and digest: hash, hmac, aws4.
 *
 * Pass the table in the options of hbs_compile(); data/ itself knows no cryptography. Read-only.
 */
#ifndef CRYPT_HANDLEBARS_CRYPT_H
#define CRYPT_HANDLEBARS_CRYPT_H

#include "data/handlebars_helper.h"

extern const struct hbs_helpers handlebars_crypt;

#endif

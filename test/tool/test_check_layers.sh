#!/bin/sh
# check-layers on a made-up tree: what is allowed passes, and each kind of violation is found alone.
set -eu
. "$(dirname "$0")/lib.sh"
check="$root/tool/check-layers"

good_tree() {
	clear_tree
	put src/core/str.h <<-END
		#include <stddef.h>
	END
	put src/data/json.c <<-END
		#include "core/str.h"
		#include "data/json_priv.h"
		#include "json_tables.h"
	END
	put src/crypt/seal.c <<-END
		#include <openssl/evp.h>
		#include "data/base64.h"
	END
	put src/net/client.c <<-END
		#include <curl/curl.h>
		#include <openssl/ssl.h>
	END
	put src/store/sqlite.c <<-END
		#include <sqlite3.h>
		#include "schema/schema.h"
	END
	put src/resource/connection.c <<-END
		#include "net/url.h"
	END
	put src/engine/run.c <<-END
		#include "adaptor/adaptor.h"
		#  include "hook/hook.h"
	END
	put src/cli/main.c <<-END
		#include "api/api.h"
	END
	put test/unit/core/test_str.c <<-END
		#include <cmocka.h>
		#include "core/str.h"
		#include "data/json_priv.h"
	END
	put bench/json.c <<-END
		#include <jansson.h>
		#include <cjson/cJSON.h>
	END
}

good_tree
passes "a good tree" "$check" "$tree"

# wrong NAME FILE INCLUDE TEXT: the good tree with one more file.
wrong() {
	good_tree
	echo "$3" | put "$2"
	fails "$1" "$2:1: $4" "$check" "$tree"
}

wrong "upwards" src/core/bad.c '#include "data/json.h"' 'core/ may not use "data/json.h"'
wrong "sideways" src/map/bad.c '#include "schema/schema.h"' 'map/ may not use'
wrong "one header of a module only" src/crypt/bad.c '#include "data/json.h"' 'crypt/ may not use'
wrong "url.h but not the client" src/resource/bad.c '#include "net/http_client.h"' 'resource/ may not use'
wrong "the API from the engine" src/engine/bad.c '#include "api/api.h"' 'engine/ may not use'
wrong "the command line from the API" src/api/bad.h '#include "cli/cli.h"' 'api/ may not use'
wrong "in a folder below" src/adaptor/rest/bad.c '#include "store/store.h"' 'adaptor/ may not use'
wrong "a private header" src/engine/bad.c '#include "store/store_priv.h"' '"store/store_priv.h" is private to store/'
wrong "out of the folder" src/data/bad.c '#include "../core/str.h"' '"../core/str.h": write it as module/file.h'
wrong "a folder that is no module" src/util/bad.c '#include "core/str.h"' 'util/ is no module'
wrong "a file beside the modules" src/bad.c '#include "core/str.h"' 'a file of src/ belongs into'
wrong "curl" src/adaptor/bad.c '#include <curl/curl.h>' '<curl/curl.h> may be included only in: src/net'
wrong "sqlite" src/engine/bad.c '#include <sqlite3.h>' '<sqlite3.h> may be included only in: src/store'
wrong "openssl" src/store/bad.c '#include <openssl/evp.h>' '<openssl/evp.h> may be included only in: src/crypt'
wrong "cmocka" src/core/bad.c '#include <cmocka.h>' '<cmocka.h> may be included only in: test'
wrong "jansson" test/bad.c '#include <jansson.h>' '<jansson.h> may be included only in: bench'
wrong "cJSON in quotes" src/data/bad.c '#include "cjson/cJSON.h"' '<cjson/cJSON.h> may be included only in: bench'
wrong "with spaces" src/core/bad.c ' #  include   "net/url.h"' 'core/ may not use "net/url.h"'

clear_tree
fails "an empty tree" "no C files" "$check" "$tree"
finish

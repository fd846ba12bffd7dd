#!/bin/sh
# check-format on a made-up tree: finds what clang-format would change, and lets off where it is not.
set -eu
. "$(dirname "$0")/lib.sh"
check="$root/tool/check-format"

cp "$root/.clang-format" "$tree/"
printf 'int f(void)\n{\n\treturn 0;\n}\n' | put src/core/a.c
CLANG_FORMAT=no-such-program passes "without clang-format" "$check" "$tree"
says "it says so" "skipped"
if ! command -v clang-format-14 > /dev/null; then
	finish
	exit
fi
passes "a good file" "$check" "$tree"
printf 'int f(void) {\n  return 0;\n}\n' | put test/unit/a.c
fails "a bad file" "test/unit/a.c:1" "$check" "$tree"
finish

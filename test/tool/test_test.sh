#!/bin/sh
# test-count.awk on made-up logs: what each kind of program counts as.
set -eu
. "$(dirname "$0")/lib.sh"

# A line of meson's log. log NAME RESULT RETURNCODE STDOUT [STDERR], texts as JSON has them.
log() {
	printf '{"name": "integrator:unit / %s", "stdout": "%s", "result": "%s", "returncode": %s, "env": {"A": "[  FAILED  ] x"}' \
		"$1" "$4" "$2" "$3"
	[ $# -lt 5 ] || printf ', "stderr": "%s"' "$5"
	printf '}\n'
}
count() { # RC
	awk -v rc="$1" -f "$root/tool/test-count.awk" "$tree/log"
}
two='[==========] Running 2 test(s).\n[ RUN      ] test_a\n[       OK ] test_a\n[ RUN      ] test_b\n'

{
	log a OK 0 "$two"'[       OK ] test_b\n[==========] 2 test(s) run.\n' '[  PASSED  ] 2 test(s).\n'
	log b OK 0 'anything\n'
	log c OK 0 'words\n12 passed, 0 failed\n'
} > "$tree/log"
passes "all is well" count 0
says "cmocka's tests, one, and those that a script counted" "15 passed, 0 failed"

log a FAIL 1 "$two"'[  FAILED  ] test_b\n' '[  PASSED  ] 1 test(s).\n[  FAILED  ] 1 test(s), listed below:\n[  FAILED  ] test_b\n\n 1 FAILED TEST(S)\n' \
	> "$tree/log"
fails "a failed test is counted once" "1 passed, 1 failed" count 1
says "and named" "failed: a: test_b"

log a FAIL -11 "$two" > "$tree/log"
fails "a crash" "1 passed, 1 failed" count 1
says "and how" "failed: a: killed by signal 11"

log a TIMEOUT -15 "$two" > "$tree/log"
fails "a time-out" "failed: a: did not end in time" count 1

log a FAIL 1 "$two"'[       OK ] test_b\n' > "$tree/log"
fails "a leak at exit" "2 passed, 1 failed" count 1
says "and how" "failed: a: exit status 1"

log a OK 0 '[==========] Running 0 test(s).\n[==========] 0 test(s) run.\n' > "$tree/log"
fails "a program without tests" "failed: a: ran no test" count 0

{
	log a SKIP 77 'looking\nno PostgreSQL here\n'
	log b SKIP 77 ''
	log c OK 0 ''
} > "$tree/log"
passes "skipped programs" count 0
says "with the reason" "skipped: a: no PostgreSQL here"
says "without one" "skipped: b: no reason given"
says "are not counted" "1 passed, 0 failed"

log a OK 0 "$two"'[  SKIPPED ] test_b\n[==========] 2 test(s) run.\n' '[  SKIPPED ] 1 test(s), listed below:\n[  SKIPPED ] test_b\n' \
	> "$tree/log"
passes "a skipped test" count 0
says "is named" "skipped: a: test_b"
says "and not counted" "1 passed, 0 failed"

log a FAIL 1 '3 passed, 2 failed\n' > "$tree/log"
fails "a script with failures" "3 passed, 2 failed" count 1
log a FAIL 1 '3 passed, 0 failed\n' > "$tree/log"
fails "a script that lost its failure" "3 passed, 1 failed" count 1
log a OK 0 'says \"stdout\": \"5 passed, 9 failed\" and \\ goes on\n7 passed, 0 failed\n' > "$tree/log"
passes "quotes inside" count 0
says "do not end the text" "7 passed, 0 failed"

: > "$tree/log"
fails "no log" "0 passed, 1 failed" count 0
log a OK 0 'fine\n' > "$tree/log"
fails "meson itself failed" "meson test: exit status 2" count 2
log a SKIP 77 'why\n' > "$tree/log"
fails "only skipped programs" "no test ran" count 0
output=$(count 0 | tail -1) || true
says "the last line stands alone" "0 passed, 1 failed"
finish

#!/bin/sh
# check-size on a made-up tree: the limits to the line, and exemptions that are too small or needless.
set -eu
. "$(dirname "$0")/lib.sh"
check="$root/tool/check-size"

lines() { # COUNT
	awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) print "\tx++;" }'
}

# function_file LINES: a file whose second function has LINES lines from { to }.
function_file() {
	echo '/* text */'
	printf 'int small(void)\n{\n\treturn 0;\n}\n\n'
	printf 'MUST_CHECK static bool long_one(int a,\n\tint b)\n{\n'
	lines $(($1 - 2))
	printf '}\n\nstatic const int table[] = {\n'
	lines 90
	printf '};\n'
}

clear_tree
function_file 70 | put src/core/a.c
lines 1000 | put src/core/b.c
lines 150 | put src/core/b.h
passes "everything at its limit" "$check" "$tree"

function_file 71 | put src/core/a.c
fails "a function of 71" "src/core/a.c:9: long_one() has 71 lines; at most 70" "$check" "$tree"
echo 'src/core/a.c:long_one 71 a table in words' | put tool/size-exempt.txt
passes "an exemption" "$check" "$tree"
function_file 72 | put src/core/a.c
fails "an exemption that is outgrown" "long_one() has 72 lines; its exemption says 71" "$check" "$tree"
function_file 70 | put src/core/a.c
fails "an exemption that is not needed" "the exemption of src/core/a.c:long_one is not needed" "$check" "$tree"
echo 'src/core/a.c:gone 100 no such function' | put tool/size-exempt.txt
fails "an exemption for nothing" "size-exempt.txt:1: there is no src/core/a.c:gone" "$check" "$tree"
echo 'src/core/a.c 100' | put tool/size-exempt.txt
fails "an exemption without a reason" 'write "path[:function] limit reason"' "$check" "$tree"

printf '# only words\n\n' | put tool/size-exempt.txt
lines 1001 | put src/core/b.c
fails "a file of 1001" "src/core/b.c: a file has 1001 lines; at most 1000" "$check" "$tree"
lines 10 | put src/core/b.c
lines 151 | put src/core/b.h
fails "a header of 151" "src/core/b.h: a header has 151 lines; at most 150" "$check" "$tree"
echo 'src/core/b.h 151 one contract' | put tool/size-exempt.txt
passes "an exempt header" "$check" "$tree"

rm "$tree/tool/size-exempt.txt"
lines 10 | put src/core/b.h
printf '/* text */\nint f(void)\n{\n\treturn 0;\n' | put src/core/c.c
fails "a brace left open" "src/core/c.c:3:" "$check" "$tree"

clear_tree
fails "an empty tree" "no C files" "$check" "$tree"
finish

#!/bin/sh
# check-words on a made-up tree. The words are put together here, so that the real check, which reads
# this file too, does not find them.
set -eu
. "$(dirname "$0")/lib.sh"
check="$root/tool/check-words"
t=TO f=FIX x=XX s=slee w=wor

good_tree() {
	clear_tree
	put src/core/a.c <<-END
		/* mkstemp XXXXXX; the TODOs of nobody; a placeholder {name}; "501 Not Implemented" */
		int f = ${s}p(1); /* src may have its own reasons */
		const char *u = "https://example.com/home/x/work/y"; /* no room for this now */
	END
	put test/system/a.sh <<-END
		until curl -s localhost; do :; done
		x=asleep
	END
	put test/unit/a.c <<-END
		int asleep(void);
		/* it does not sleep 5 times */
	END
}

good_tree
passes "a good tree" "$check" "$tree"

wrong() { # NAME FILE LINE TEXT
	good_tree
	mkdir -p "$tree/$(dirname "$2")"
	echo "$3" >> "$tree/$2"
	fails "$1" "$2:" "$check" "$tree"
	says "$1: the rule" "$4"
}
wrong "to do" src/core/a.c "/* ${t}DO: later */" "finish it"
wrong "fix me" tool/x "# ${f}ME" "finish it"
wrong "three letters" bench/x.c "${x}X" "finish it"
wrong "not there yet" docs/x.md "this is not implemente""d." "finish it"
wrong "only now" docs/x.md "good for no""w" "finish it"
wrong "a developer's folder" test/unit/a.c "\"/ho""me/me/x\"" "somebody's machine"
wrong "another one" tool/x "cd /${w}k/here" "somebody's machine"
wrong "a third one" src/core/a.c "\"/tmp/w""t/x\"" "somebody's machine"
wrong "a sleeping test" test/unit/a.c "	u${s}p(1000);" "wait on a condition"
wrong "a napping test" test/unit/a.c "	nano${s}p (&ts, NULL);" "wait on a condition"
wrong "a sleeping script" test/system/a.sh "true; ${s}p 1" "wait on a condition"
wrong "a sleeping script in short" test/system/a.sh "${s}p 0.5" "wait on a condition"
good_tree
mkdir -p "$tree/test/node_modules/x"
echo "${t}DO" > "$tree/test/node_modules/x/x.js"
printf '\0%sDO' "$t" > "$tree/test/binary"
passes "what others wrote, and binary files" "$check" "$tree"
finish

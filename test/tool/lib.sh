# lib.sh - for the tests of tool/: a scratch tree, and expectations that are counted.
#
# Source it first; call `finish` last, which prints "N passed, N failed" for tool/test.

root=$(cd "$(dirname "$0")/../.." && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
passed=0
failed=0

# put FILE: standard input becomes FILE of the tree.
put() {
	mkdir -p "$tree/$(dirname "$1")"
	cat > "$tree/$1"
}

clear_tree() {
	rm -rf "$tree"
	mkdir -p "$tree"
}

result() { # NAME STATUS
	if [ "$2" = 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED: $1"
		printf '%s\n' "$output" | sed 's/^/    /'
	fi
}

# passes NAME COMMAND...: it succeeds and says nothing about a rule.
passes() {
	what=$1
	shift
	ok=0
	output=$("$@" 2>&1 < /dev/null) || ok=1
	result "$what" $ok
}

# fails NAME TEXT COMMAND...: it fails and its words have TEXT.
fails() {
	what=$1 text=$2
	shift 2
	if output=$("$@" 2>&1 < /dev/null); then
		result "$what (it succeeded)" 1
	else
		says "$what" "$text"
	fi
}

# says NAME TEXT: the last command's words have TEXT.
says() {
	case $output in
	*"$2"*) result "$1" 0 ;;
	*) result "$1 (no \"$2\")" 1 ;;
	esac
}

finish() {
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ]
}

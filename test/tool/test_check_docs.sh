#!/bin/sh
# check-docs on a made-up tree: paths, links, anchors, opening comments, generated pages.
set -eu
. "$(dirname "$0")/lib.sh"
check="$root/tool/check-docs"
program="$tree/program"

good_tree() {
	clear_tree
	echo '/* a.c - text. */' | put src/core/a.c
	echo '/* a.h - text. */' | put src/core/a.h
	put README.md <<-'END'
		# The title: `code`, and (more)!
		See `src/core/`, `src/core/a.c:12`, `src/<module>/x.c`, `test/*.c` and `other/path`.
		[one](docs/page.md) [two](docs/page.md#second-part) [three](#the-title-code-and-more)
		[four](https://example.com/docs/nothing.md) ![five](docs/page.md "with a title")
		[six]: docs/page.md#second-part-1

		```
		`src/not/checked.c` [nor](this.md)
		```
		`[nor](that.md)`
	END
	put docs/page.md <<-'END'
		# Page
		## Second part
		## Second part ##
		[up](../README.md) [same](./page.md#page) [folder](../src/core)
	END
	put docs/reference/fields.md <<-END
		generated
	END
	put program <<-'END'
		#!/bin/sh
		[ "$1 $2" = "meta docs" ] && echo generated > "$3/fields.md"
	END
	chmod +x "$program"
}

good_tree
passes "a good tree" "$check" "$tree" "$program"

# wrong NAME FILE LINE TEXT: the good tree with one more line.
wrong() {
	good_tree
	echo "$3" >> "$tree/$2"
	fails "$1" "$4" "$check" "$tree" "$program"
}

wrong "a path that is not there" README.md 'see `src/core/gone.c`' 'README.md:11: there is no src/core/gone.c'
wrong "a folder that is not there" docs/page.md 'see `test/unit/gone/`' 'docs/page.md:5: there is no test/unit/gone/'
wrong "a second path on a line" README.md '`src/core/a.c` and `docs/gone.md`' 'there is no docs/gone.md'
wrong "a link that is not there" docs/page.md '[x](gone.md)' 'docs/page.md:5: there is no docs/gone.md'
wrong "a link out of the repository" docs/page.md '[x](../../x.md)' 'docs/page.md:5: the link leaves the repository'
wrong "an anchor elsewhere" README.md '[x](docs/page.md#third)' 'README.md:11: no heading of docs/page.md makes the anchor #third'
wrong "an anchor here" README.md '[x](#nothing)' 'no heading of README.md makes the anchor #nothing'
wrong "a reference link" README.md '[x]: gone.md' 'README.md:11: there is no gone.md'

good_tree
echo '#include "core/a.h"' | put src/core/b.c
fails "a file without its comment" "src/core/b.c:1: open it with a comment" "$check" "$tree" "$program"
good_tree
echo '#define X' | put test/unit/b.h
fails "a header without its comment" "test/unit/b.h:1: open it with a comment" "$check" "$tree" "$program"

good_tree
echo 'by hand' >> "$tree/docs/reference/fields.md"
fails "a reference page changed by hand" "docs/reference is out of date" "$check" "$tree" "$program"
good_tree
echo 'left over' | put docs/reference/old.md
fails "a reference page that is left over" "docs/reference is out of date" "$check" "$tree" "$program"

good_tree
printf '#!/bin/sh\necho usage: ...\nexit 2\n' | put program
chmod +x "$program"
rm -r "$tree/docs/reference"
passes "a program without meta docs" "$check" "$tree" "$program"
printf '#!/bin/sh\necho it broke\nexit 1\n' | put program
chmod +x "$program"
fails "a program that fails" "it broke" "$check" "$tree" "$program"
passes "no program" "$check" "$tree" "$tree/none"

clear_tree
passes "an empty tree" "$check" "$tree" "$tree/none"
finish

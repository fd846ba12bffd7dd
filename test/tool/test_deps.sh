#!/bin/sh
# deps with made-up dpkg-query, apt-get, apt-cache, sudo and id: when it acts, what it runs, what it
# says when it can't. Nothing is installed: PATH holds only what stands in the scratch tree.
set -eu
. "$(dirname "$0")/lib.sh"

# The plain tools that the script itself needs.
link_tools() {
	for tool in sh env cat sed grep tr tail mktemp rm cut head true chmod; do
		ln -sf "/bin/$tool" "$tree/bin/$tool"
	done
}

program() { # NAME, text on standard input
	{ echo '#!/bin/sh'; cat; } | put "bin/$1"
	chmod +x "$tree/bin/$1"
}

# A machine of Debian where nothing is installed and apt works. Installing PACKAGE makes
# $tree/installed/PACKAGE; apt knows a package when $tree/known/PACKAGE is there.
machine() {
	clear_tree
	mkdir -p "$tree/bin" "$tree/installed" "$tree/known" "$tree/sbin"
	link_tools
	for name in build-essential meson ninja-build pkg-config libcurl4-openssl-dev libsqlite3-dev \
		libssl-dev zlib1g-dev tzdata iso-codes curl ca-certificates libcmocka-dev nginx openssl \
		nodejs npm libpcre2-dev libxml2-dev \
		libjansson-dev libcjson-dev wrk clang libclang-rt-14-dev cppcheck; do
		: > "$tree/known/$name"
	done
	program id <<-END
		echo 0
	END
	program dpkg-query <<-END
		for last; do :; done
		[ -e "$tree/installed/\$last" ] && echo installed
	END
	program apt-cache <<-END
		case \$1 in
		policy) [ -e "$tree/known/\$2" ] && echo '  Candidate: 1.0' || echo '  Candidate: (none)' ;;
		depends) echo '  Depends: clang-14' ;;
		esac
	END
	program apt-get <<-END
		echo "apt-get \$*" >> "$tree/ran"
		echo "frontend \$DEBIAN_FRONTEND" >> "$tree/ran"
		mode=
		for word; do
			case \$word in
			update) [ -e "$tree/offline" ] && exit 100; : > "$tree/known/late" ;;
			install) mode=install ;;
			-*) ;;
			*) [ "\$mode" != install ] || {
				[ ! -e "$tree/broken" ] || { echo "E: no space left"; exit 100; }
				: > "$tree/installed/\$word"
				case \$word in
				nginx | node* | clang) printf '#!/bin/sh\necho 18\n' > "$tree/bin/\${word%js}"
					chmod +x "$tree/bin/\${word%js}" ;;
				esac
			} ;;
			esac
		done
	END
	chmod +x "$tree/bin/"*
}
deps() {
	PATH="$tree/bin" DEPS_SBIN="$tree/sbin" "$root/tool/deps" "$@"
}
ran() {
	output=$(cat "$tree/ran" 2> /dev/null || echo nothing ran)
}

machine
fails "no argument" "usage:" deps
fails "an unknown argument" "usage:" deps everything

machine
for name in "$tree/known/"*; do : > "$tree/installed/${name##*/}"; done
passes "all is there" deps run
result "it says nothing" "$([ -z "$output" ] && echo 0 || echo 1)"
ran
says "and runs nothing" "nothing ran"

machine
passes "nothing is there" deps run
says "it says what it does" "deps: installing build-essential meson"
ran
says "without questions" "frontend noninteractive"
says "in one go" "install --no-install-recommends build-essential meson ninja-build"
case $output in *update*) result "no update when all is known" 1 ;; *) result "no update when all is known" 0 ;; esac

machine
: > "$tree/installed/meson"
passes "only what is missing" deps run
case $output in *meson*) result "not what is there" 1 ;; *) result "not what is there" 0 ;; esac

machine
rm "$tree/known/zlib1g-dev"
fails "a package that nobody knows" "not all of these packages are to be had here" deps run
ran
says "is asked for once more" "update"

machine
rm "$tree/known/zlib1g-dev"
: > "$tree/offline"
fails "no network" "apt-get update failed" deps run

machine
: > "$tree/broken"
fails "an installation that fails" "E: no space left" deps run
says "is explained" "could not install"

machine
rm "$tree/bin/apt-get"
fails "another system" "no apt-get; please install what brings: build-essential" deps run

machine
echo 'echo 1000' | program id
fails "no rights and no sudo" "please run as root: apt-get install build-essential" deps run
echo 'exit 1' | program sudo
fails "sudo refuses" "sudo refuses; please run: sudo apt-get install" deps run
program sudo <<-END
	[ "\$1" != -n ] || shift
	echo "sudo \$1" >> "$tree/ran"
	exec "\$@"
END
passes "by sudo" deps run
ran
says "it was used" "sudo env"

# What a command, a module or a file brings need not be a package.
machine
for name in "$tree/known/"*; do : > "$tree/installed/${name##*/}"; done
rm "$tree/installed/meson" "$tree/installed/libcurl4-openssl-dev"
: | program meson
echo '[ "$1 $2" = "--exists libcurl" ]' | program pkg-config
passes "found without dpkg" deps run
ran
says "and left alone" "nothing ran"

# nginx of any flavour, also outside PATH; a node that is old does not count, a newer one does.
machine
for name in "$tree/known/"*; do : > "$tree/installed/${name##*/}"; done
rm "$tree/installed/nginx"
printf '#!/bin/sh\n' > "$tree/sbin/nginx"
chmod +x "$tree/sbin/nginx"
echo 'echo 22' | program node
passes "another nginx, another node" deps test
ran
says "will do" "nothing ran"
echo 'echo 12' | program node
passes "an old node" deps test
says "is replaced" "installing nodejs"

# What a later release does not have: the first alternative that it has, and none of the optional.
machine
for name in "$tree/known/"*; do : > "$tree/installed/${name##*/}"; done
echo 'echo 22' | program node
rm "$tree/installed/nginx" "$tree/installed/cppcheck"
passes "another name, an optional package" deps check
says "are chosen" "installing nginx cppcheck"
finish

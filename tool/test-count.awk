# test-count.awk - counts the tests in meson's testlog.json: one JSON object a line, for tool/test.
#
# Texts stay as JSON has them, with \n for a line feed: what is looked for here has nothing that JSON
# escapes. Set rc to the exit status of `meson test`.

# The text of a member of the object in $0. Inside texts a quote has a backslash before it, so that
# the name with plain quotes can only be the member.
function text(name,    at, rest, out, k) {
	at = index($0, "\"" name "\": \"")
	if (at == 0)
		return ""
	rest = substr($0, at + length(name) + 5)
	out = ""
	while (match(rest, /["\\]/)) {
		k = RSTART
		if (substr(rest, k, 1) == "\"")
			return out substr(rest, 1, k - 1)
		out = out substr(rest, 1, k + 1)
		rest = substr(rest, k + 2)
	}
	return out
}
function number(name,    at) {
	at = index($0, "\"" name "\": ")
	return at == 0 ? 0 : substr($0, at + length(name) + 4) + 0
}
# The last line of TEXT that is not empty.
function last_line(s,    n, line, i) {
	n = split(s, line, /(\\r)?\\n|\\r/)
	for (i = n; i > 0; i--)
		if (line[i] ~ /[^ \t]/)
			return line[i]
	return ""
}
function plain(s) {
	gsub(/\\u001b\[[0-9;]*m/, "", s)
	gsub(/\\"/, "\"", s)
	gsub(/\\\\/, "\\", s)
	return s
}
# Adds to ok, bad, skip; names what was not ok. cmocka prints failures twice: as they happen and in a
# list at the end.
function count_cmocka(s,    n, line, i, at, who, seen) {
	split("", seen)
	n = split(s, line, /\\n/)
	for (i = 1; i <= n; i++) {
		if ((at = index(line[i], "[       OK ] ")) > 0)
			ok++
		else if ((at = index(line[i], "[  SKIPPED ] ")) > 0 || (at = index(line[i], "[  FAILED  ] ")) > 0 ||
			(at = index(line[i], "[  ERROR   ] ")) > 0) {
			who = substr(line[i], at + 13)
			if (who ~ /^[0-9]+ test\(s\)/ || who !~ /^[A-Za-z_][A-Za-z0-9_]*[ \t]*$/ || (who in seen))
				continue
			seen[who] = 1
			if (index(line[i], "SKIPPED"))
				skipped[++skips] = name ": " who
			else {
				bad++
				failed[++fails] = name ": " who
			}
		}
	}
}
function how(code) {
	if (result == "TIMEOUT")
		return "did not end in time"
	if (code < 0)
		return "killed by signal " (-code)
	return code == 0 ? "ended with status 0" : "exit status " code
}
/^[ \t]*$/ { next }
{
	name = text("name")
	sub(/^.* \/ /, "", name)
	result = text("result")
	code = number("returncode")
	out = text("stdout")
	said = out "\\n" text("stderr")
	last = last_line(out)
	ok = bad = 0
	before = skips

	if (result == "SKIP" || result == "IGNORED") {
		why = last == "" ? last_line(said) : last
		skipped[++skips] = name ": " (why == "" ? "no reason given" : plain(why))
		next
	}
	if (index(said, "[==========] Running ")) {
		count_cmocka(said)
	} else if (match(last, /^[0-9]+ passed, [0-9]+ failed$/)) {
		split(last, n, / /)
		ok = n[1] + 0
		bad = n[3] + 0
		if (bad > 0)
			failed[++fails] = name ": " bad " of " (ok + bad)
	} else if (result == "OK" || result == "EXPECTEDFAIL") {
		ok = 1
	} else {
		bad = 1
		failed[++fails] = name ": " how(code)
	}
	if (result != "OK" && result != "EXPECTEDFAIL" && bad == 0) {
		bad = 1
		failed[++fails] = name ": " how(code)
	} else if (ok + bad == 0 && skips == before) {
		bad = 1
		failed[++fails] = name ": ran no test"
	}
	all_ok += ok
	all_bad += bad
}
END {
	if (rc != 0 && all_bad == 0) {
		all_bad = 1
		failed[++fails] = "meson test: exit status " rc
	}
	if (all_ok + all_bad == 0) {
		all_bad = 1
		failed[++fails] = "no test ran"
	}
	for (i = 1; i <= skips; i++)
		print "skipped: " skipped[i]
	for (i = 1; i <= fails; i++)
		print "failed: " failed[i]
	printf "%d passed, %d failed\n", all_ok, all_bad
	exit all_bad > 0
}

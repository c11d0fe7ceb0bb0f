#!/bin/sh
# Fetches musl's source from Debian's source package, overlays user/musl, and builds libc.a and the headers native programs use.
#
# usage: [ARCH=x86_64] tools/setup/musl.sh [RESULT]      (default build/ARCH/musl; run from anywhere)
# result: RESULT/lib/libc.a and RESULT/include; a stamp file makes later runs do nothing unless user/musl or this script changed.
#
# The package lists come from the machine's own apt sources, turned into deb-src in a private apt configuration, so neither the
# system's configuration nor root is needed, and whatever mirror the machine uses is used here. The tarball's SHA-256 is pinned below:
# what is built is the same whoever delivered it. A tarball put into build/download by hand is taken as it is, if the sum is right.
set -eu

version=1.2.3
tarball=musl_$version.orig.tar.gz
sum=7d5b0b6062521e4627e099e4c9dc8248d32a30285e959b7eecaa780cf8cfd4a4

architecture=${ARCH:-x86_64}
root=$(cd "$(dirname "$0")/../.." && pwd)
download=$root/build/download
mkdir -p "${1:-$root/build/$architecture/musl}"
result=$(cd "${1:-$root/build/$architecture/musl}" && pwd)
work=$result.source

fail() {
	echo "musl.sh: $*" >&2
	exit 1
}

# One word that changes when anything the result depends on changes
fingerprint() {
	(cd "$root" && find user/musl tools/setup/musl.sh -type f | LC_ALL=C sort | xargs cat; echo "$architecture ${CC:-gcc}"; ${CC:-gcc} -dumpfullversion) |
		sha256sum | cut -d' ' -f1
}

checked() {
	[ -f "$1" ] && echo "$sum  $1" | sha256sum -c - >/dev/null 2>&1
}

# deb-src lines for the running release's main component, from both formats of apt's source lists
source_list() {
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -f "$file" ] || continue
		awk -v codename="$codename" '
			$1 == "deb" || $1 == "deb-src" {
				i = 2; options = ""
				if ($2 ~ /^\[/) { do { options = options " " $i } while ($(i++) !~ /\]$/ && i <= NF) }
				sub(/arch=[^] ]*/, "", options)
				if ($(i + 1) == codename && $(i + 2) == "main") print "deb-src" options, $i, $(i + 1), "main"
			}' "$file"
	done
	for file in /etc/apt/sources.list.d/*.sources; do
		[ -f "$file" ] || continue
		awk -v codename="$codename" '
			function flush(    n, word, i) {
				n = split(suites, word, " ")
				for (i = 1; i <= n; i++)
					if (word[i] == codename && (" " components " ") ~ / main /)
						print "deb-src" (signed != "" ? " [signed-by=" signed "]" : ""), uri, codename, "main"
				suites = components = uri = signed = ""
			}
			/^#/ { next }
			/^[ \t]*$/ { flush(); next }
			tolower($1) == "suites:" { $1 = ""; suites = $0 }
			tolower($1) == "components:" { $1 = ""; components = $0 }
			tolower($1) == "uris:" { uri = $2 }
			tolower($1) == "signed-by:" && $2 ~ /^\// { signed = $2 }
			END { flush() }' "$file"
	done | sort -u
}

fetch() {
	checked "$download/$tarball" && return
	command -v apt-get >/dev/null || fail "apt-get is missing; put $tarball into build/download by hand"
	private=$download/apt
	mkdir -p "$private/lists/partial" "$private/archives/partial"
	source_list >"$private/sources.list"
	[ -s "$private/sources.list" ] || fail "no Debian source found in the machine's apt configuration"
	options="-o Dir::Etc::sourcelist=$private/sources.list -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists=$private/lists
		-o Dir::Cache=$private -o Dir::Cache::archives=archives -o APT::Sandbox::User= -o Acquire::Languages=none -o Debug::NoLocking=1
		-o Acquire::IndexTargets::deb-src::Contents-dsc::DefaultEnabled=false"
	# shellcheck disable=SC2086  # the options are several words
	apt-get -qq $options update || fail "apt-get update failed"
	# shellcheck disable=SC2086
	(cd "$download" && apt-get -qq $options --download-only source "musl=$version-1" >/dev/null 2>"$private/messages" ||
		apt-get -qq $options --download-only source musl >/dev/null 2>"$private/messages") ||
		{ cat "$private/messages" >&2; fail "apt-get source musl failed"; }
	rm -rf "$private"
	[ -f "$download/$tarball" ] || fail "Debian's musl source is no longer version $version"
	checked "$download/$tarball" || fail "$tarball does not have the pinned SHA-256"
}

# The file that each overlay replaces must be there, else musl has moved on and the list in user/musl/README is wrong
overlay() {
	(cd "$root/user/musl" && find . -type f ! -name README ! -name '*.txt') | while read -r file; do
		case $file in
		./arch/$architecture/* | ./src/*/$architecture/* | ./crt/$architecture/*) ;;
		./arch/* | ./src/*/riscv64/* | ./src/*/x86_64/*) continue ;;
		esac
		mkdir -p "$work/$(dirname "$file")"
		cp "$root/user/musl/$file" "$work/$file"
	done
	while read -r file; do
		rm -f "$work/$file"
	done <"$root/user/musl/removed-$architecture.txt"
}

build() {
	rm -rf "$work" "$result"
	mkdir -p "$work"
	tar -xzf "$download/$tarball" -C "$work" --strip-components=1
	overlay
	cd "$work"
	# Frame pointers, so that the stack of a program that died can be walked through libc.
	./configure --target="$architecture-linux-musl" --prefix="$result" --disable-wrapper --enable-optimize=size \
		CROSS_COMPILE="${CROSS_COMPILE:-}" CC="${CC:-gcc}" CFLAGS="-fno-omit-frame-pointer -ffunction-sections -fdata-sections -fno-pie" \
		>configure.log 2>&1 || { tail -30 configure.log >&2; fail "configure failed"; }
	make -j"$(nproc)" CROSS_COMPILE="${CROSS_COMPILE:-}" lib/libc.a install-headers >make.log 2>&1 ||
		{ grep -n 'error\|Error' make.log | cut -c1-300 | head -20 >&2; fail "building musl failed"; }
	mkdir -p "$result/lib"
	cp lib/libc.a "$result/lib/libc.a"
	cd "$root"
	rm -rf "$work"
}

stamp=$result/stamp
want=$(fingerprint)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then
	touch "$result/lib/libc.a" # newer than what make compares it with
	exit 0
fi
mkdir -p "$download"
fetch
build
echo "$want" >"$stamp"

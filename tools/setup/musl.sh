#!/bin/sh
# Fetches musl's source from Debian's source package, overlays user/musl, and builds libc.a and the headers native programs use.
#
# usage: [ARCH=x86_64] [CROSS_COMPILE=PREFIX CC=COMPILER CFLAGS=FLAGS] tools/setup/musl.sh [RESULT]      (default build/ARCH/musl; run from anywhere)
# result: RESULT/lib/libc.a and RESULT/include; a stamp file makes later runs do nothing unless user/musl or this script changed.
#
# How it is fetched: tools/setup/sources.sh. The tarball's SHA-256 is pinned below. A tarball put into build/download by hand is taken as it is, if
# the sum is right.
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
. "$root/tools/setup/sources.sh"

fail() {
	echo "musl.sh: $*" >&2
	exit 1
}

# One word that changes when anything the result depends on changes
fingerprint() {
	(cd "$root" && find user/musl tools/setup/musl.sh -type f | LC_ALL=C sort | xargs cat; echo "$architecture ${CC:-gcc}"; ${CC:-gcc} -dumpfullversion) |
		sha256sum | cut -d' ' -f1
}

fetch() {
	checked $sum "$download/$tarball" && return
	command -v apt-get >/dev/null || fail "apt-get is missing; put $tarball into build/download by hand"
	private=$download/apt
	private_apt "$private" deb-src "$(. /etc/os-release && echo "${VERSION_CODENAME:-}")" || fail "no Debian source found in the machine's apt configuration"
	# shellcheck disable=SC2086  # the options are several words
	apt-get -qq $options update || fail "apt-get update failed"
	# shellcheck disable=SC2086
	(cd "$download" && apt-get -qq $options --download-only source "musl=$version-1" >/dev/null 2>"$private/messages" ||
		apt-get -qq $options --download-only source musl >/dev/null 2>"$private/messages") ||
		{ cat "$private/messages" >&2; fail "apt-get source musl failed"; }
	rm -rf "$private"
	[ -f "$download/$tarball" ] || fail "Debian's musl source is no longer version $version"
	checked $sum "$download/$tarball" || fail "$tarball does not have the pinned SHA-256"
}

# The file that each overlay replaces must be there, else musl has moved on and the list in user/musl/README is wrong
overlay() {
	(cd "$root/user/musl" && find . -type f ! -name README ! -name '*.txt') | while read -r file; do
		case $file in
		./any/arch/*) mkdir -p "$work/arch/$architecture"; cp "$root/user/musl/$file" "$work/arch/$architecture/"; continue ;;
		./any/thread/*) mkdir -p "$work/src/thread/$architecture"; cp "$root/user/musl/$file" "$work/src/thread/$architecture/"; continue ;;
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
		CROSS_COMPILE="${CROSS_COMPILE:-}" CC="${CC:-gcc}" CFLAGS="-fno-omit-frame-pointer -ffunction-sections -fdata-sections -fno-pie ${CFLAGS:-}" \
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

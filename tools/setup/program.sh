#!/bin/sh
# Fetches a static program of Debian 13 for a port whose programs this machine does not run: busybox-static, the shell and tools that the guest
# finds, or bash-static, for tests. ARCH=amd64 is the same version for this machine, for tests/terminal to compare with.
#
# usage: ARCH=riscv64 tools/setup/program.sh PACKAGE RESULT      (RESULT: where the program goes)
# How it is fetched: tools/setup/sources.sh. The packages' SHA-256 are pinned below; one put into build/download by hand is taken, if the sum is right.
set -eu

architecture=${ARCH:-riscv64} name=$1 result=$2
case $name:$architecture in
busybox-static:riscv64) version=1.37.0-6+b9 program=busybox sum=4add476d2b185c5b487c285b38d790f0881a7e4a8e2ddde835f917e770eb8633 ;;
busybox-static:amd64) version=1.37.0-6+b9 program=busybox sum=598a3fd92bdafc34cd81196b2952ad36e910e47a4ecf162f8ce5e8e262598e53 ;;
bash-static:riscv64) version=5.2.37-2+b10 program=bash-static sum=ff8de6539fb71827fb004de8b0907906ba9862bb66f2c8e11d599326489bf0ac ;;
*) echo "program.sh: no package known: $name for $architecture" >&2; exit 1 ;;
esac
root=$(cd "$(dirname "$0")/../.." && pwd)
download=$root/build/download
package=${name}_${version}_$architecture.deb
. "$root/tools/setup/sources.sh"

fail() {
	echo "program.sh: $*" >&2
	exit 1
}

fetch() {
	checked "$sum" "$download/$package" && return
	command -v apt-get >/dev/null || fail "apt-get is missing; put $package into build/download by hand"
	private=$download/apt-$name-$architecture
	private_apt "$private" deb trixie || fail "no Debian source found in the machine's apt configuration"
	: >"$private/status"
	options="$options -o APT::Architecture=$architecture -o APT::Architectures::=$architecture -o Dir::State::status=$private/status"
	# shellcheck disable=SC2086  # the options are several words
	apt-get -qq $options update || fail "apt-get update failed"
	# shellcheck disable=SC2086
	(cd "$private" && apt-get -qq $options download "$name:$architecture" >messages 2>&1) || { cat "$private/messages" >&2; fail "apt-get download failed"; }
	for file in "$private/$name"_*.deb; do
		mv "$file" "$download/$package"
	done
	rm -rf "$private"
	checked "$sum" "$download/$package" || fail "Debian's $name for $architecture is no longer the one with the pinned SHA-256 (version $version)"
}

mkdir -p "$download" "$(dirname "$result")"
fetch
unpacked=$result.unpacked
rm -rf "$unpacked"
dpkg-deb -x "$download/$package" "$unpacked"
for file in "$unpacked/bin/$program" "$unpacked/usr/bin/$program"; do
	[ ! -f "$file" ] || cp "$file" "$result"
done
rm -rf "$unpacked"
[ -f "$result" ] || fail "$package holds no $program"

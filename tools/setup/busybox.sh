#!/bin/sh
# Fetches Debian 13's busybox-static for a port whose programs this machine does not run: the shell and tools that the guest finds.
#
# ARCH=amd64 is the same version for this machine, for tests/terminal to compare with.
#
# usage: ARCH=riscv64 tools/setup/busybox.sh RESULT      (RESULT: where the program goes)
# How it is fetched: tools/setup/sources.sh. The package's SHA-256 is pinned below; a package put into build/download by hand is taken, if the sum is right.
set -eu

version=1.37.0-6+b9
sum_amd64=598a3fd92bdafc34cd81196b2952ad36e910e47a4ecf162f8ce5e8e262598e53
sum_riscv64=4add476d2b185c5b487c285b38d790f0881a7e4a8e2ddde835f917e770eb8633

architecture=${ARCH:-riscv64} result=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
download=$root/build/download
package=busybox-static_${version}_$architecture.deb
eval "sum=\${sum_$architecture:-}"
. "$root/tools/setup/sources.sh"

fail() {
	echo "busybox.sh: $*" >&2
	exit 1
}

fetch() {
	checked "$sum" "$download/$package" && return
	command -v apt-get >/dev/null || fail "apt-get is missing; put $package into build/download by hand"
	private=$download/apt-$architecture
	private_apt "$private" deb trixie || fail "no Debian source found in the machine's apt configuration"
	: >"$private/status"
	options="$options -o APT::Architecture=$architecture -o APT::Architectures::=$architecture -o Dir::State::status=$private/status"
	# shellcheck disable=SC2086  # the options are several words
	apt-get -qq $options update || fail "apt-get update failed"
	# shellcheck disable=SC2086
	(cd "$private" && apt-get -qq $options download "busybox-static:$architecture" >messages 2>&1) || { cat "$private/messages" >&2; fail "apt-get download failed"; }
	for file in "$private"/busybox-static_*.deb; do
		mv "$file" "$download/$package"
	done
	rm -rf "$private"
	checked "$sum" "$download/$package" || fail "Debian's busybox-static for $architecture is no longer the one with the pinned SHA-256 (version $version)"
}

[ -n "$sum" ] || fail "no package known for $architecture"
mkdir -p "$download" "$(dirname "$result")"
fetch
unpacked=$result.unpacked
rm -rf "$unpacked"
dpkg-deb -x "$download/$package" "$unpacked"
for program in "$unpacked/bin/busybox" "$unpacked/usr/bin/busybox"; do
	[ ! -f "$program" ] || cp "$program" "$result"
done
rm -rf "$unpacked"
[ -f "$result" ] || fail "$package holds no busybox"

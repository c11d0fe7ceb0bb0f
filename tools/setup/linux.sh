#!/bin/sh
# Fetches Debian 13's Linux for a port that this machine is not: the oracle of its tests and the yardstick of its benchmarks, run in the same emulator.
# Only commands that record or measure Linux anew call this; its size is why.
#
# usage: ARCH=riscv64 tools/setup/linux.sh      prints the kernel's file, in build/download. How it is fetched: tools/setup/sources.sh.
set -eu

architecture=${ARCH:-riscv64}
root=$(cd "$(dirname "$0")/../.." && pwd)
result=$root/build/download/linux-$architecture
. "$root/tools/setup/sources.sh"

fail() {
	echo "linux.sh: $*" >&2
	exit 1
}

if ! ls "$result"/boot/vmlinu* >/dev/null 2>&1; then
	private=$root/build/download/apt-linux-$architecture
	private_apt "$private" deb trixie || fail "no Debian source found in the machine's apt configuration"
	: >"$private/status"
	options="$options -o APT::Architecture=$architecture -o APT::Architectures::=$architecture -o Dir::State::status=$private/status"
	# shellcheck disable=SC2086  # the options are several words
	apt-get -qq $options update >&2 || fail "apt-get update failed"
	# shellcheck disable=SC2086
	package=$(apt-cache $options depends "linux-image-$architecture" | awk '$1 == "Depends:" && $2 ~ /^linux-image-/ { print $2; exit }')
	[ -n "$package" ] || fail "Debian has no linux-image-$architecture"
	# shellcheck disable=SC2086
	(cd "$private" && apt-get -qq $options download "$package" >messages 2>&1) || { cat "$private/messages" >&2; fail "apt-get download failed"; }
	mkdir -p "$result"
	dpkg-deb --fsys-tarfile "$private"/linux-image-*.deb | tar -x -C "$result" ./boot
	rm -rf "$private"
fi
ls "$result"/boot/vmlinu* | head -n 1

#!/bin/sh
# Prints the list of what the guest finds in every run, for `archive create`.
# usage: tools/archive/base.sh BUILD BUSYBOX     (from the project's root; BUILD/stripped holds the native programs and the library)
set -eu
build=$1 busybox=$2
echo "time $(stat -c %Y "$busybox")"
for directory in bin sbin usr usr/bin usr/sbin usr/share etc dev dev/pts proc root home run var var/tmp var/log lib mnt srv system; do
	echo "directory $directory 0755"
done
echo "directory tmp 1777"
echo "directory var/tmp 1777"
for program in "$build"/stripped/*; do
	echo "file system/${program##*/} $program 0755"
done
# before its links, as archives are usually read from the front
echo "file bin/busybox $busybox 0755"
# one of another architecture cannot be asked: the names that this machine's has too, from its table of them
names() {
	if [ "$busybox" = /bin/busybox ]; then
		"$busybox" --list-full
	else
		tr '\0' '\n' <"$busybox" | LC_ALL=C grep -a -x -E '[][a-zA-Z0-9_.-]+' >"$build/busybox.words"
		/bin/busybox --list-full | awk -F/ 'FILENAME == "-" ? $NF in word : !(word[$0] = 1)' "$build/busybox.words" -
	fi
}
names | while read -r path; do
	[ "$path" = bin/busybox ] || echo "link $path /bin/busybox"
done
(cd tools/archive/root && find . -type f | sort) | while read -r path; do
	echo "file ${path#./} tools/archive/root/${path#./} 0644"
done

#!/bin/sh
# The init of Linux when a foreign port's results are recorded (tests/conformance/run --record): as guest.sh, but the console is a serial line, so
# output and errors come as hexadecimal digits behind an x: "case NAME STATUS xOUTPUT xERRORS". A case that takes too long is killed: status 137.
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mkdir -p /dev/pts /dev/shm
/bin/busybox mount -t devpts -o ptmxmode=666 devpts /dev/pts
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t tmpfs -o mode=1777 tmp /tmp
/bin/busybox ln -sf /proc/self/fd /dev/fd; /bin/busybox ln -sf fd/0 /dev/stdin; /bin/busybox ln -sf fd/1 /dev/stdout; /bin/busybox ln -sf fd/2 /dev/stderr
/bin/busybox ip link set lo up 2>/dev/null
/bin/busybox hostname carillon
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root
umask 022
/bin/busybox sleep 3 # until Linux's random generator is seeded
echo BEGIN
while read -r name <&3; do
	mkdir -p /tmp/case/work
	cp "/cases/$name" "/tmp/case/$name"
	cd /tmp/case/work || exit 1
	case $name in
	sh.*) set -- /bin/busybox sh ;;
	bash.*) set -- /bin/bash-static ;;
	*) set -- ;;
	esac
	# a case has a session of its own, and no children of others (timeout(1) would leave it one); in the background it would ignore signals
	rm -f /tmp/pid
	(exec 3<&-; sleep 20; kill -KILL -$(cat /tmp/pid)) >/dev/null 2>&1 &
	watch_pid=$!
	sh -c 'echo $$ >/tmp/pid; exec setsid env -i PATH="$PATH" HOME="$HOME" "$@"' sh "$@" "../$name" >/tmp/out 2>/tmp/err </dev/null 3<&-
	status=$?
	kill -KILL $watch_pid
	wait $watch_pid 2>/dev/null
	echo "case $name $status x$(xxd -p /tmp/out | tr -d '\n') x$(xxd -p /tmp/err | tr -d '\n')"
	cd /
	chmod -R u+rwx /tmp/case 2>/dev/null
	rm -rf /tmp/case /tmp/out /tmp/err /tmp/pid
done 3</cases.list
poweroff -f

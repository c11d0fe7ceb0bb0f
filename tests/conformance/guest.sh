# Runs in the guest, as `busybox sh /guest.sh`: every case of /cases.list, each in an empty directory of its own.
# For each one, as soon as it has ended: a line "case NAME STATUS OUTPUT-BYTES ERROR-BYTES", the output, the errors.
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root
unset TERM
umask 022
while read -r name <&3; do
	mkdir -p /tmp/case/work
	cp "/cases/$name" "/tmp/case/$name"
	cd /tmp/case/work || exit 1
	case $name in
	sh.*) set -- /bin/busybox sh ;;
	bash.*) set -- /bin/bash-static ;;
	python.*) set -- /usr/bin/python3 ;;
	*) set -- ;;
	esac
	env -i PATH="$PATH" HOME="$HOME" "$@" "../$name" >/tmp/out 2>/tmp/err </dev/null 3<&-
	status=$?
	echo "case $name $status $(stat -c %s /tmp/out) $(stat -c %s /tmp/err)"
	cat /tmp/out /tmp/err
	cd /
	chmod -R u+rwx /tmp/case 2>/dev/null
	rm -rf /tmp/case /tmp/out /tmp/err
done 3</cases.list

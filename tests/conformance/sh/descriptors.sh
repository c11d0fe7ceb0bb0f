# Names of open descriptors: what they are, through pipes, files that are gone, and none at all.
cd . && echo content >file
seq 3 | { [ -p /dev/stdin ] && echo pipe; [ -e /dev/fd/0 ] && echo there; stat -L -c %F /dev/fd/0 /proc/self/fd/0; cat /dev/stdin; }
exec 5<file
rm file
stat -L -c '%F %s %h' /dev/fd/5 /proc/self/fd/5
stat -c %F /dev/fd/5
cat /dev/fd/5
[ -r /dev/fd/5 ] && echo readable
exec 5<&-
[ -e /dev/fd/5 ] || echo closed
stat -L /dev/fd/5 2>/dev/null || echo "no such $?"
[ -e /dev/fd/x ] || echo no number
[ -d /dev/fd/ ] && [ -d /proc/self/fd ] && echo directories
mkfifo queue
(echo through >queue) & exec 6<queue; wait
[ -p /dev/fd/6 ] && cat <&6

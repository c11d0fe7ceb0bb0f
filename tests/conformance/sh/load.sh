# Many processes, one after another and at once.
i=0; while [ $i -lt 200 ]; do /bin/busybox true || echo bad; i=$((i + 1)); done; echo $i
for i in $(seq 1 40); do (seq 1 100 | md5sum | cut -c1-4) & done | sort | uniq -c | sed 's/^ *//'
wait
for i in $(seq 1 20); do echo $i | (read x; (echo $x | (read y; echo $((y * 2))))); done | awk '{ s += $1 } END { print s }'
seq 1 500 | xargs -n 25 echo | wc -l
seq 1 60 | xargs -P 8 -n 1 sh -c 'echo $(($1 * $1))' x | awk '{ s += $1 } END { print s }'
find /etc -name 'no-such-name-anywhere' 2>/dev/null | wc -l
x=; for i in $(seq 1 2000); do x="$x$i "; done; echo ${#x}
(while :; do :; done) & p=$!; sleep 0.2; kill $p; wait $p; echo "ended $?"
seq 1 20000 >list; sort -r list | sort -n | cmp - list && echo sorted
for i in 1 2 3 4; do sort -n list | md5sum | cut -c1-6 & done; wait

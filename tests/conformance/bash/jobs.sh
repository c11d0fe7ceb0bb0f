# Jobs of bash: waiting for the next of many, kills, groups, signals to traps, time limits, and much data through many processes.
set -u
for i in 3 1 2; do (exit $i) & done
sum=0; while wait -n; s=$?; ((s != 127)); do ((sum += s)); done; echo "sum $sum"
sleep 60 & first=$!; sleep 60 & second=$!
kill $first; wait $first 2>/dev/null; echo "killed $?"
kill -9 $second; wait $second 2>/dev/null; echo "killed $?"
wait 999999 2>/dev/null; echo $?
set -m
(sleep 60; echo not seen) & disown; kill -- -$!
set +m
count=0; trap '((count++))' USR1
for i in {1..20}; do kill -USR1 $$; done; echo "caught $count"
trap - USR1
{ timeout 0.2 sleep 60; } 2>/dev/null; echo "timeout $?"
read -t 0.05 -r nothing < <(sleep 1); echo "read $(($? > 128))"
for i in {1..200}; do echo $((i * i)) & done | sort -n | tail -n 1
chain() { if (($1)); then chain $(($1 - 1)) | cat; else seq 20000; fi; }
chain 12 | md5sum
export -f chain; bash_static=/bin/bash-static
$bash_static -c 'chain 2' | wc -l
mkfifo pipe; (seq 1000 >pipe &); paste -sd+ pipe | bc
for size in 1 1000 100000 3000000; do head -c $size /dev/zero | tr '\0' a | tee >(wc -c >counted) | wc -c; while [ ! -s counted ]; do sleep 0.01; done; cat counted; rm counted; done
for f in {1..100}; do echo "$f" >"file$f" & done; wait; cat file* | sort -n | md5sum
find . -name 'file*' -print0 | xargs -0 -P 4 -n 10 cat | awk '{ s += $1 } END { print s }'
ulimit -n 20; exec {a}</dev/null; (for i in {1..30}; do exec {b}</dev/null || exit 7; done) 2>/dev/null; echo "limited $?"
(ulimit -f 1; head -c 10000 /dev/zero >big) 2>/dev/null; echo "too big $?" "$(stat -c %s big)"
exit 5

# Pipelines of every length, their statuses, and data through them.
echo one two three | tr ' ' '\n' | sort -r | head -n 2 | cat -n
seq 1 1000 | awk '{ s += $1 } END { print s }'
seq 1 100000 | tail -n 1
yes | head -n 3
yes | head -n 100000 | wc
seq 20 | sed -n '5,7p' | while read n; do echo "line $n"; done
false | true; echo "status $?"
true | false; echo "status $?"
set -o pipefail; false | true; echo "pipefail $?"; set +o pipefail
(echo a; echo b >&2; echo c) 2>&1 | sort
{ echo x; echo y; } | { read a; read b; echo "$b $a"; }
echo deep | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat
dd if=/dev/zero bs=4096 count=1000 2>/dev/null | md5sum
seq 1 300000 | md5sum
seq 1 5000 | sort -n -r | sort -n | md5sum
echo "back `echo ticks` and $(echo dollars | tr a-z A-Z)"
x=$(seq 1 20000 | md5sum); echo "$x"

# Text tools: sed, awk, grep, sort, cut, tr, diff and friends.
cat >data <<'END'
alice 30 london
bob 25 paris
carol 35 rome
dave 25 london
END
sort -k2n -k1r data; sort -t' ' -k3 -u data; cut -d' ' -f1,3 data
awk '$2 > 26 { print toupper($1), $2 * 2 }' data
awk '{ count[$3]++ } END { for (c in count) print c, count[c] }' data | sort
awk 'BEGIN { printf "%5.2f|%-5s|%05d\n", 3.14159, "ab", 42; print length("hello"), substr("hello", 2, 3), index("hello", "l") }'
awk 'function f(n) { return n < 2 ? n : f(n - 1) + f(n - 2) } BEGIN { print f(18) }'
awk -F: '{ n = split($0, part, ":"); print n, part[1] }' /etc/passwd | head -n 1
sed 's/o/0/g; 2d' data; sed -n '/bob/,/carol/p' data; sed -e '1!G;h;$!d' data
sed 's/\([a-z]*\) \([0-9]*\)/\2 \1/' data; sed -i 's/london/oslo/' data; grep -c oslo data
grep -n 'a' data; grep -v 25 data; grep -E '^(bob|dave)' data; grep -q nobody data; echo "status $?"
tr 'a-z' 'A-Z' <data | tr -d 'AEIOU'; echo hello | rev; echo 'a  b   c' | tr -s ' '
sort data | uniq -c | wc -l; printf 'a\na\nb\n' | uniq -c; paste -d, data data | head -n 1
head -c 5 data; echo; tail -c 5 data; tail -n +3 data; nl data | head -n 2; wc data; od -c data | head -n 2
sed 's/bob/bobby/' data >other; diff data other; echo "status $?"; cmp data other; echo "status $?"
printf '%s-%d-%x-%o\n' str 10 255 8; printf '%b' 'tab\there\n'; echo -e 'a\nb' | tac
seq 5 | paste -s -d+ | sed 's/^/echo $((/; s/$/))/' | sh; expr 6 \* 7; expr match abc 'a.'; echo $((7 / 2 + 2 ** 10))
seq 1 10 | shuf | sort -n | md5sum; fold -w 10 <<END
a line that is longer than ten characters
END
echo 'x=1;y=2' | tr ';' '\n' | while IFS== read k v; do echo "$k is $v"; done
base64 <data | base64 -d | cmp - data && echo base64; md5sum data; sha256sum data | cut -c1-16
xargs -n 1 echo item <data | head -n 3; expand -t 4 <<END
	tab
END
dc -e '2 3 + p' 2>/dev/null || echo 5; cal 2 2024 | tail -n 3

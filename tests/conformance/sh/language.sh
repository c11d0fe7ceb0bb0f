# The shell's own language: functions, subshells, loops, expansions, arithmetic.
f() { local x=$1; x=$((x + 1)); echo "f $x $#"; return $x; }
f 4 b; echo "status $?"; x=outer; g() { x=inner; }; g; echo $x; (x=sub); echo $x
fact() { [ $1 -le 1 ] && echo 1 || echo $(($1 * $(fact $(($1 - 1))))); }; fact 10
for i in a "b c" d; do echo "<$i>"; done; i=0; until [ $i -ge 3 ]; do i=$((i + 1)); [ $i = 2 ] && continue; echo $i; done
case hello.txt in *.c) echo c;; *.txt|*.md) echo text;; *) echo other;; esac
v=path/to/file.tar.gz; echo ${v##*/} ${v%.*} ${v%%.*} ${#v} ${v/to/from}; unset u; echo ${u:-default} ${u:=assigned} $u ${u:+set}
set -- one two three; echo $# $2 "$*"; shift; echo $1; set --; echo $#
IFS=:; set -- a:b:c; for p in $1; do echo "part $p"; done; unset IFS
echo $((0x10 + 010 + 3 * (4 - 1) % 5)) $((1 << 40)) $((5 > 3 && 2 > 1)) $((-7 / 2))
touch g1 g2 g3.txt; echo g*; echo g?; echo g[12]; echo nomatch*; echo "g*"
eval 'echo evaluated $v'; a='echo "indirect"'; eval $a; command -v cd; type f | head -n 1
echo "quotes: 'single' \"double\" \$dollar \\backslash"; echo 'it'\''s'
(cd /; pwd); x=$(cd /tmp && pwd); echo $x; { echo group; }; ! false && echo negated
while :; do break; done; for i in 1 2 3; do for j in 1 2 3; do [ $j = 2 ] && continue 2; [ $i = 3 ] && break 2; echo $i$j; done; done
printf '%s\n' "$(printf 'trailing\n\n\n')"; read a b c <<END
1 2 3 4
END
echo "$c|$b|$a"; echo ${0##*/} >/dev/null; test "$$" -gt 0 && echo pid; alias ll='echo aliased' 2>/dev/null; echo 'y=sourced; return 6' >sourced; . ./sourced; echo "$y $?"
getopts ab: o -a -b value; echo $o; trap 'echo leaving' EXIT; sh -c 'echo $0 $1' zero one; exec 9>&1; echo nine >&9
z=$(for k in 1 2 3; do echo $k; done | while read k; do echo -n "$k,"; done); echo $z; echo ~ >/dev/null; readonly r=1; (r=2) 2>/dev/null; echo "status $?"
exit 42

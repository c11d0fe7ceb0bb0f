# What bash has beyond sh: arrays, patterns, substitutions, descriptors of processes, coprocesses, traps, functions.
set -u
words=(zero "one two" three)
words+=(four)
unset 'words[2]'
echo "${#words[@]} ${!words[*]} ${words[@]/o/0} ${words[-1]}"
printf '<%s>' "${words[@]:1:2}"; echo
declare -A ages=([bell]=300 [tower]=500)
ages[clock]=7
for key in $(printf '%s\n' "${!ages[@]}" | sort); do echo "$key=${ages[$key]}"; done
mapfile -t lines < <(seq 3 | sed 's/^/line /')
echo "${#lines[@]} ${lines[2]}"
text=Carillon_of_Bells.tar.gz
echo "${text%%.*} ${text##*.} ${text/_of_/ } ${text^^} ${text,} ${#text} ${text:3:4} ${text: -2}"
[[ $text =~ ^([A-Z][a-z]+)_(.*)\.tar ]] && echo "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"
[[ abc == a*c && ! -e none && 10 -gt 9 ]] && echo yes
echo {a..e}{1..3} {10..1..3} {x,y}{,z}
shopt -s extglob nullglob globstar
mkdir -p deep/er/still; touch deep/a.c deep/er/b.c deep/er/still/c.h
echo **/*.c deep/**/!(*.c) none*
printf '%q %05d %x %-5s|%5.1f %s\n' "it's here" 42 255 ab 3.14159 "$(printf '\u00e9')"
printf -v made '%(%Y)T' 1000000000; echo "$made"
echo $((2 ** 40 % 1000003)) $((16#ff + 2#101)) $((x = 5, x++ + ++x))
((x > 3)) && echo big
let 'y = x << 2'; echo $y
function recursive() { local -i n=$1; ((n < 2)) && { echo 1; return; }; echo $((n * $(recursive $((n - 1))))); }
recursive 10
by_name() { local -n target=$1; target="set by name in ${FUNCNAME[0]} from ${#FUNCNAME[@]}"; }
by_name result; echo "$result"
diff <(seq 5) <(seq 2 6) | grep '[<>]'
seq 4 > >(sed 's/^/into /' >out); wait $!; cat out
exec {number}<out; read -r first <&$number; echo "$first"; exec {number}<&-
coproc calculator { while read -r a b; do echo $((a * b)); done; }
echo 6 7 >&"${calculator[1]}"; read -r product <&"${calculator[0]}"; echo "$product"
echo 12 12 >&"${calculator[1]}"; read -r product <&"${calculator[0]}"; echo "$product"
eval "exec ${calculator[1]}>&-"; wait "$calculator_PID"; echo "ended $?"
cat <<<"a here string of $text"
false | true | false; echo "${PIPESTATUS[@]}"
set -o pipefail; false | true; echo $?; set +o pipefail
trap 'echo "error at $BASH_COMMAND"' ERR; false; trap - ERR
trap 'echo terminated' TERM; (kill -TERM $$; exit 3); echo "after $?"
(trap 'echo in a subshell' EXIT; exit 2); echo $?
for ((i = 0; i < 3; i++)); do case $i in 0) echo first ;;& [0-1]) echo small ;; *) echo more ;; esac; done
until ((i-- <= 0)); do ((i == 1)) && continue; echo "until $i"; done
select choice in red green; do echo "$REPLY $choice"; break; done <<<2 2>/dev/null
while getopts 'ab:' option -a -b value rest; do echo "$option ${OPTARG-}"; done
IFS=: read -ra parts <<<"a:b::c"; echo "${#parts[@]} ${parts[3]}"
read -r -d '' block <<'END' || true
several
lines
END
echo "${block//$'\n'/+}"
echo "${none-default} ${none:+set} ${text@Q} ${words[*]@Q}"
echo "$BASH_SUBSHELL $(echo $BASH_SUBSHELL) ${BASH_VERSINFO[0]} $LINENO"
type -t recursive if cd cat; command -v cd
readonly fixed=1; (fixed=2) 2>/dev/null || echo refused
string=$(head -c 100000 /dev/zero | tr '\0' x); echo ${#string}
time_format=%R; TIMEFORMAT=; time true; echo "${time_format}"
exit 9

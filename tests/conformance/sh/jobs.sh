# Background jobs, wait, kill, traps, exit statuses.
sleep 0.1 & wait $!; echo "waited $?"
(exit 5) & wait $!; echo "status $?"
sh -c 'exit 300'; echo "status $?"
sh -c 'kill -TERM $$'; echo "status $?"
sh -c 'kill -KILL $$'; echo "status $?"
sleep 100 & kill $!; wait $!; echo "killed $?"
for i in 1 2 3 4 5; do (sleep 0.0$((6 - i)); echo $i >done.$i) & done; wait; cat done.*
trap 'echo caught USR1' USR1; kill -USR1 $$; echo after
trap 'echo caught TERM' TERM; kill -TERM $$; trap - TERM
(trap 'echo subshell exits' EXIT; echo in subshell)
sh -c 'trap "echo bye" EXIT; exit 3'; echo "status $?"
sh -c 'trap "" TERM; kill -TERM $$; echo survived'
sh -c 'trap "echo int; exit 4" INT; kill -INT $$; echo not reached'; echo "status $?"
{ sleep 0.2; echo late; } & echo early; wait
false || echo or; true && echo and; ! true; echo "not $?"
nosuchcommand 2>/dev/null; echo "status $?"
./nosuchfile 2>/dev/null; echo "status $?"
mkdir d; ./d 2>/dev/null; echo "status $?"
echo echo script ran with '"$@"' >script; chmod +x script; ./script 1 2; sh script 3
(sleep 5 & p=$!; kill -STOP $p; kill -CONT $p; kill $p; wait $p; echo "stopped, continued, ended $?")
timeout 0.2 sleep 10; echo "timeout $?"
timeout 10 true; echo "timeout $?"
set -e; (false; echo not reached) || echo "left at false"; set +e
(set -u; echo ${undefined_name}) 2>/dev/null; echo "status $?"
wait; echo "all done"

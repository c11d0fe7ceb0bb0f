# Redirections: files, descriptors, here-documents, errors.
echo first >out; echo second >>out; cat out; cat <out | wc -l
echo to-error >&2
{ echo out; echo err >&2; } >both 2>&1; cat both
{ echo out; echo err >&2; } 2>errors >outputs; cat errors outputs
ls missing 2>/dev/null; echo "status $?"
cat <missing; echo "status $?"
exec 3>three; echo via three >&3; exec 3>&-; cat three
exec 4<three; read line <&4; echo "got $line"; exec 4<&-
echo closed >&5; echo "status $?"
cat <<END
a here-document with $((6 * 7)) and $(echo commands)
	tabs kept
END
cat <<'END'
quoted: $HOME `not run`
END
cat <<-END
	tabs removed
	END
while read a b; do echo "$b-$a"; done <<END
1 one
2 two
END
read x <<END
single
END
echo "$x"
: >empty; test -s empty || echo "empty is empty"
echo text >|out; cat out
set -C; echo no >out; echo "status $?"; set +C; cat out
echo a b c >"name with blanks"; cat "name with blanks"
cat <<ONE <<TWO
first
ONE
second
TWO
seq 1 3000 >big; cat <<END | wc
$(cat big)
END
cat 0<out 1>&2 2>/dev/null
dd if=out of=copy bs=1 count=2 2>/dev/null; cat copy; echo
echo swap 3>&1 1>&2 2>&3

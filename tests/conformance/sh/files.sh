# The file commands: making, moving, linking, finding, modes, sizes.
umask 022
mkdir -p a/b/c; touch a/1 a/b/2 a/b/c/3; find a | sort
find a -type f -name '[12]' | sort
find a -type d | sort -r | head -n 1
find a -type f -exec echo found {} \; | sort
find a -type f -print0 | sort -z | xargs -0 -n 2 echo
echo content >a/1; cp a/1 a/copy; cmp a/1 a/copy && echo same; mv a/copy a/moved; ls a
cp -r a tree; ls -R tree
ln a/1 hard; ln -s a/1 soft; cat hard soft; readlink soft; stat -c '%h %s %F' hard; stat -c '%F' soft
rm a/1; cat hard; cat soft 2>/dev/null; echo "status $?"
chmod 640 hard; stat -c '%a %A' hard; chmod u+x,g-r hard; stat -c '%a' hard
mkdir full; touch full/x; rmdir full 2>/dev/null; echo "status $?"; rm -r full; ls -d full 2>/dev/null; echo "status $?"
dd if=/dev/zero of=sized bs=1k count=100 2>/dev/null; stat -c %s sized; truncate -s 12345 sized; stat -c %s sized; wc -c <sized
dd if=/dev/zero of=sparse bs=1 count=1 seek=1000000 2>/dev/null; stat -c %s sparse; md5sum sparse
touch -d '2001-02-03 04:05:06' dated; stat -c %Y dated; touch -r dated same; test dated -nt same; echo "status $?"
test hard -ef a/1; echo "status $?"
ls -1 | wc -l
for i in $(seq 1 300); do echo $i >many.$i; done; ls many.* | wc -l; cat many.* | awk '{ s += $1 } END { print s }'; rm many.*; ls many.* 2>/dev/null | wc -l
mkdir 'odd name'; echo x >'odd name/*'; cat 'odd name'/*; ls 'odd name'
pwd | sed 's|.*/||' >/dev/null; cd a/b; pwd | sed 's|.*/a|a|'; cd ..; pwd | sed 's|.*/||'; cd ..
du -a tree >/dev/null && echo du works; basename /x/y.z .z; dirname /x/y.z
mkfifo pipe; echo through >pipe & cat pipe; wait; rm pipe
mkdir -p made/by/one && ls made/by
ls nosuch; echo "status $?"
test -d a && test ! -e nosuch && test -L soft && test -x hard && echo tests
mv tree renamed && ls renamed; mv renamed/b .; ls b
echo 1 >x; echo 2 >y; mv x y; cat y; cp nosuch z 2>/dev/null; echo "status $?"

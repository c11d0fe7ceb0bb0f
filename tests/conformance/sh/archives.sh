# tar, gzip, cpio, dd and checksums over some megabytes.
mkdir -p tree/sub/deep; seq 1 200000 >tree/numbers; cp /bin/busybox tree/sub/program 2>/dev/null || seq 1 100 >tree/sub/program
seq 1 5 >tree/sub/program; i=0; while [ $i -lt 50 ]; do echo "file $i" >tree/sub/deep/f$i; i=$((i + 1)); done
ln -s numbers tree/link; chmod 750 tree/sub; dd if=/dev/zero of=tree/zeros bs=64k count=64 2>/dev/null
tar -cf a.tar tree; tar -tf a.tar | sort | wc -l; tar -tf a.tar | grep -c deep
mkdir out; tar -xf a.tar -C out; diff -r tree out/tree && echo identical; readlink out/tree/link; stat -c %a out/tree/sub
md5sum tree/numbers tree/zeros; find out -type f | wc -l
gzip -c tree/numbers >n.gz; gunzip -c n.gz | cmp - tree/numbers && echo gzip; zcat n.gz | tail -n 1
tar -czf a.tgz tree; mkdir out2; tar -xzf a.tgz -C out2; diff -r tree out2/tree && echo identical again
bzip2 -c tree/sub/program | bunzip2 -c | cmp - tree/sub/program && echo bzip2
(cd tree; find . | sort | cpio -o -H newc 2>/dev/null) >a.cpio; mkdir out3; (cd out3; cpio -i -d <../a.cpio 2>/dev/null); diff -r tree out3 && echo cpio
dd if=tree/zeros of=part bs=1000 skip=3 count=7 2>/dev/null; wc -c <part; dd if=tree/numbers bs=100 count=1 2>/dev/null | tail -c 10; echo
dd if=tree/numbers of=inplace conv=notrunc bs=512 2>/dev/null; echo XX | dd of=inplace conv=notrunc bs=1 seek=10 2>/dev/null; cmp inplace tree/numbers; md5sum inplace
for i in 0 1 2; do dd if=tree/numbers of=piece.$i bs=500000 skip=$i count=1 2>/dev/null; done; cat piece.* | cmp - tree/numbers && echo split; ls piece.* | wc -l
tar -cf - tree | (mkdir out4; cd out4; tar -xf -); diff -r tree out4/tree && echo piped; rm -rf out out2 out3 out4; ls
sha1sum tree/numbers; sha512sum <tree/zeros | cut -c1-20; md5sum tree/numbers >sums; md5sum -c sums

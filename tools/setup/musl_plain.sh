#!/bin/sh
# musl itself for a foreign port, with its start files, from the source that musl.sh has fetched: what ordinary programs are linked with in tests, as Debian
# has no musl for them. usage: ARCH=riscv64 tools/setup/musl_plain.sh     result: build/ARCH/musl-plain/lib and include; later runs do nothing
set -eu
architecture=$ARCH
root=$(cd "$(dirname "$0")/../.." && pwd)
result=$root/build/$architecture/musl-plain
compiler=$architecture-linux-gnu-gcc
source=$(ls "$root"/build/download/musl_*.orig.tar.gz) || { echo "musl_plain.sh: build the port first" >&2; exit 1; }
want="$source $(cksum <"$0") $("$compiler" -dumpfullversion)"
[ "$(cat "$result/stamp" 2>/dev/null)" != "$want" ] || exit 0
rm -rf "$result" "$result.source"
mkdir -p "$result.source"
tar -xzf "$source" -C "$result.source" --strip-components=1
cd "$result.source"
{
	./configure --target="$architecture-linux-musl" --prefix="$result" --disable-wrapper --disable-shared --enable-optimize=size \
		CROSS_COMPILE="$architecture-linux-gnu-" CC="$compiler" && make -j2 install-libs install-headers
} >log 2>&1 </dev/null || { tail -n 20 log >&2; exit 1; }
cd "$root"
rm -rf "$result.source"
echo "$want" >"$result/stamp"

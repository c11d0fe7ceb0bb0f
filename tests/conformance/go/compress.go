// Compressing and unpacking megabytes: flate at every level, gzip with several members, zlib, lzw, and bzip2 of the shell's making.
package main

import (
	"bytes"
	"compress/bzip2"
	"compress/flate"
	"compress/gzip"
	"compress/lzw"
	"compress/zlib"
	"crypto/sha256"
	"fmt"
	"hash/adler32"
	"hash/crc32"
	"hash/crc64"
	"hash/fnv"
	"io"
	"os"
	"os/exec"
	"sync"
)

// text is the same on every run: words of a small language, with noise in between.
func text(size int) []byte {
	words := []string{"carillon ", "bell ", "tower ", "rings ", "the ", "hour ", "of ", "stone\n", "and ", "silence ", "0123456789 ", "\t"}
	var buffer bytes.Buffer
	state := uint32(1)
	for buffer.Len() < size {
		state = state*1664525 + 1013904223
		if state>>28 == 0 {
			buffer.WriteByte(byte(state >> 16))
		}
		buffer.WriteString(words[state>>16%uint32(len(words))])
	}
	return buffer.Bytes()[:size]
}

func check(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

func report(name string, data, packed []byte, unpacker io.Reader) {
	again, err := io.ReadAll(unpacker)
	check(err)
	fmt.Printf("%s: %d bytes, %x, same %v\n", name, len(packed), sha256.Sum256(packed), bytes.Equal(again, data))
}

func pack(data []byte, make func(io.Writer) io.WriteCloser) []byte {
	var packed bytes.Buffer
	writer := make(&packed)
	for rest := data; len(rest) > 0; { // in pieces of odd sizes
		n := 31337
		if n > len(rest) {
			n = len(rest)
		}
		_, err := writer.Write(rest[:n])
		check(err)
		rest = rest[n:]
	}
	check(writer.Close())
	return packed.Bytes()
}

func main() {
	data := text(1 << 20)
	fmt.Printf("crc32 %08x adler32 %08x crc64 %016x\n", crc32.ChecksumIEEE(data), adler32.Checksum(data), crc64.Checksum(data, crc64.MakeTable(crc64.ECMA)))
	fmt.Printf("castagnoli %08x\n", crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)))
	sum := fnv.New64a()
	sum.Write(data)
	fmt.Printf("fnv %016x\n", sum.Sum64())

	// every level at once, each in its goroutine
	lines := make([][]byte, 12)
	var group sync.WaitGroup
	for level := flate.HuffmanOnly; level <= flate.BestCompression; level++ {
		group.Add(1)
		go func(level int) {
			defer group.Done()
			lines[level+2] = pack(data[:1<<19], func(w io.Writer) io.WriteCloser {
				writer, err := flate.NewWriter(w, level)
				check(err)
				return writer
			})
		}(level)
	}
	group.Wait()
	for i, packed := range lines {
		report(fmt.Sprint("flate ", i-2), data[:1<<19], packed, flate.NewReader(bytes.NewReader(packed)))
	}

	packed := pack(data, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
	reader, err := gzip.NewReader(bytes.NewReader(append(append([]byte{}, packed...), packed...)))
	check(err)
	report("gzip of two members", append(append([]byte{}, data...), data...), packed, reader)
	packed[len(packed)-5] ^= 1
	reader, err = gzip.NewReader(bytes.NewReader(packed))
	check(err)
	_, err = io.Copy(io.Discard, reader)
	fmt.Println("gzip with a wrong sum:", err)

	dictionary := data[:4096]
	packed = pack(data, func(w io.Writer) io.WriteCloser {
		writer, err := zlib.NewWriterLevelDict(w, 6, dictionary)
		check(err)
		return writer
	})
	unpacker, err := zlib.NewReaderDict(bytes.NewReader(packed), dictionary)
	check(err)
	report("zlib", data, packed, unpacker)
	packed = pack(data, func(w io.Writer) io.WriteCloser { return lzw.NewWriter(w, lzw.LSB, 8) })
	report("lzw", data, packed, lzw.NewReader(bytes.NewReader(packed), lzw.LSB, 8))

	// what another program packed, and what another program unpacks
	command := exec.Command("bzip2", "-c")
	command.Stdin = bytes.NewReader(data)
	packed, err = command.Output()
	check(err)
	report("bzip2", data, packed, bzip2.NewReader(bytes.NewReader(packed)))
	command = exec.Command("gzip", "-dc")
	inside, outside := io.Pipe()
	command.Stdin = inside
	go func() {
		writer := gzip.NewWriter(outside)
		_, err := writer.Write(data)
		check(err)
		check(writer.Close())
		outside.Close()
	}()
	again, err := command.Output()
	check(err)
	fmt.Println("unpacked by gzip:", bytes.Equal(again, data))
}

// Readers and writers of packages io and bufio over pipes, FIFOs and files: short reads, big writes, many on one pipe, and what closing does.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"os"
	"sort"
	"strings"
	"sync"
	"syscall"
	"testing/iotest"
)

func check(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

func pipe() (*os.File, *os.File) {
	reader, writer, err := os.Pipe()
	check(err)
	return reader, writer
}

func digest(reader io.Reader) string {
	sum := sha256.New()
	n, err := io.Copy(sum, reader)
	return fmt.Sprintf("%d %x %v", n, sum.Sum(nil)[:8], err)
}

func throughReaders(data []byte) {
	for _, each := range []struct {
		name string
		wrap func(io.Reader) io.Reader
	}{{"plain", func(r io.Reader) io.Reader { return r }}, {"buffered", func(r io.Reader) io.Reader { return bufio.NewReaderSize(r, 777) }},
		{"halves", iotest.HalfReader}, {"late errors", iotest.DataErrReader}, {"limited", func(r io.Reader) io.Reader { return io.LimitReader(r, 1e6) }},
		{"tee", func(r io.Reader) io.Reader { return io.TeeReader(r, io.Discard) }}} {
		reader, writer := pipe()
		go func() {
			buffered := bufio.NewWriterSize(writer, 10000)
			random := rand.New(rand.NewSource(4))
			for rest := data; len(rest) > 0; {
				n := random.Intn(20000)
				if n > len(rest) {
					n = len(rest)
				}
				buffered.Write(rest[:n])
				rest = rest[n:]
			}
			buffered.Flush()
			writer.Close()
		}()
		fmt.Println(each.name, digest(each.wrap(reader)))
		reader.Close()
	}
}

func lines() {
	reader, writer := pipe()
	go func() {
		for i := 0; i < 50000; i++ {
			fmt.Fprintf(writer, "%d\n", i*i%1000)
			if i%10000 == 0 {
				fmt.Fprintln(writer, strings.Repeat("long ", 3000))
			}
		}
		io.WriteString(writer, "without an end")
		writer.Close()
	}()
	scanner, count, longest, last := bufio.NewScanner(reader), 0, 0, ""
	for scanner.Scan() {
		last = scanner.Text()
		count++
		if len(last) > longest {
			longest = len(last)
		}
	}
	fmt.Println("lines", count, longest, last, scanner.Err())
	scanner = bufio.NewScanner(strings.NewReader(strings.Repeat("x", bufio.MaxScanTokenSize+1)))
	fmt.Println(scanner.Scan(), scanner.Err())
}

func manyOnOne() {
	reader, writer := pipe()
	var group sync.WaitGroup
	for i := 0; i < 20; i++ {
		group.Add(1)
		go func(i int) { // a write of up to 4096 bytes stays whole
			defer group.Done()
			for j := 0; j < 50; j++ {
				_, err := writer.WriteString(strings.Repeat(string(rune('a'+i)), 1+i*100) + "\n")
				check(err)
			}
		}(i)
	}
	go func() { group.Wait(); writer.Close() }()
	counts := map[string]int{}
	scanner := bufio.NewScanner(reader)
	for scanner.Scan() {
		text := scanner.Text()
		if strings.Count(text, text[:1]) != len(text) {
			fmt.Println("mixed:", text)
		}
		counts[fmt.Sprint(text[:1], len(text))]++
	}
	var kinds []string
	for kind, count := range counts {
		kinds = append(kinds, fmt.Sprint(kind, "=", count))
	}
	sort.Strings(kinds)
	fmt.Println(kinds, scanner.Err())
}

func ends() {
	reader, writer := pipe()
	reader.Close()
	_, err := writer.Write([]byte("x"))
	fmt.Println(err, errors.Is(err, syscall.EPIPE))
	writer.Close()
	reader, writer = pipe()
	writer.Write([]byte("rest"))
	writer.Close()
	text, err := io.ReadAll(reader)
	fmt.Printf("%q %v\n", text, err)
	_, err = reader.Read(make([]byte, 1))
	fmt.Println(err)
	_, err = io.ReadFull(strings.NewReader("abc"), make([]byte, 5))
	fmt.Println(err)
	inside, outside := io.Pipe()
	go outside.CloseWithError(errors.New("of my own"))
	_, err = inside.Read(make([]byte, 1))
	fmt.Println(err)

	check(syscall.Mkfifo("fifo", 0o600))
	go func() {
		file, err := os.OpenFile("fifo", os.O_WRONLY, 0)
		check(err)
		for i := 0; i < 1000; i++ {
			fmt.Fprintln(file, "through a name", i)
		}
		check(file.Close())
	}()
	file, err := os.Open("fifo")
	check(err)
	fmt.Println("fifo", digest(file))
	check(file.Close())
	_, err = os.OpenFile("fifo", os.O_WRONLY|syscall.O_NONBLOCK, 0)
	fmt.Println(err)

	// a ring of goroutines, each with a pipe to the next
	first, in := pipe()
	from := first
	for i := 0; i < 50; i++ {
		next, to := pipe()
		go func(from, to *os.File) {
			io.Copy(to, from) // splices
			to.Close()
		}(from, to)
		from = next
	}
	go func() {
		in.Write(bytes.Repeat([]byte("round "), 20000))
		in.Close()
	}()
	fmt.Println("ring", digest(from))
}

func files(data []byte) {
	check(os.WriteFile("data", data, 0o600))
	file, err := os.Open("data")
	check(err)
	fmt.Println("section", digest(io.NewSectionReader(file, 1000, 100000)))
	reader, writer := pipe()
	go func() {
		io.Copy(writer, file)
		writer.Close()
	}()
	copied, err := os.Create("copy")
	check(err)
	n, err := copied.ReadFrom(reader)
	fmt.Println(n, err)
	file.Seek(5, io.SeekStart)
	n, err = io.Copy(copied, file) // copy_file_range
	fmt.Println(n, err)
	copied.Seek(0, io.SeekStart)
	fmt.Println("copy", digest(copied))
	both := bufio.NewReadWriter(bufio.NewReader(file), bufio.NewWriter(io.MultiWriter(copied, io.Discard)))
	file.Seek(10, io.SeekStart)
	head, err := both.Peek(8)
	fmt.Printf("%x %v\n", head, err)
	fmt.Println(both.UnreadByte(), both.Reader.Buffered())
	n, err = both.WriteTo(both)
	fmt.Println(n, err, both.Flush())
	copied.Seek(0, io.SeekStart)
	fmt.Println("more", digest(io.MultiReader(copied, strings.NewReader("end"))))
}

func main() {
	data := make([]byte, 2<<20)
	rand.New(rand.NewSource(5)).Read(data)
	throughReaders(data)
	lines()
	manyOnOne()
	ends()
	files(data)
}

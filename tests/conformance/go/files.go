// Files, directories, permissions, links and temporary files as package os sees them; walking and globbing; what the errors say.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
)

func check(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

func describe(path string) {
	info, err := os.Lstat(path)
	if err != nil {
		fmt.Println(path, err, errors.Is(err, fs.ErrNotExist))
		return
	}
	status := info.Sys().(*syscall.Stat_t)
	size := info.Size()
	if info.IsDir() {
		size = 0
	}
	fmt.Println(path, info.Mode(), size, "links", status.Nlink, "is", info.Name())
}

func makeTree() {
	for i := 0; i < 5; i++ {
		for j := 0; j < 5; j++ {
			folder := filepath.Join("tree", fmt.Sprint("d", i), fmt.Sprint("e", j))
			check(os.MkdirAll(folder, 0o755))
			check(os.WriteFile(filepath.Join(folder, "file.txt"), bytes.Repeat([]byte("x"), i*j), 0o600))
			check(os.Symlink("file.txt", filepath.Join(folder, "link")))
		}
	}
	check(os.Symlink("../d1", "tree/d0/across"))
}

func walk() {
	check(filepath.Walk("tree", func(path string, info os.FileInfo, err error) error {
		check(err)
		if path == "tree/d2" {
			return filepath.SkipDir
		}
		fmt.Println(path, info.Mode())
		return nil
	}))
	count, size := 0, int64(0)
	check(fs.WalkDir(os.DirFS("tree"), ".", func(path string, entry fs.DirEntry, err error) error {
		check(err)
		if entry.Type().IsRegular() {
			info, err := entry.Info()
			check(err)
			count, size = count+1, size+info.Size()
		}
		return nil
	}))
	fmt.Println("regular files", count, size)
	for _, pattern := range []string{"tree/d[13]/e?/*.txt", "tree/*/across/e4/l*", "tree/none*", "tree/d[", "/proc/self/task/../comm"} {
		found, err := filepath.Glob(pattern)
		fmt.Println(pattern, len(found), strings.Join(found, " "), err)
	}
	real, err := filepath.EvalSymlinks("tree/d0/across/e3/link")
	fmt.Println(real, err)
	check(os.Symlink("loop", "loop"))
	_, err = filepath.EvalSymlinks("loop")
	fmt.Println(err)
	_, err = os.Stat("loop")
	fmt.Println(err)
}

func changes() {
	check(os.WriteFile("a", []byte("0123456789"), 0o644))
	describe("a")
	check(os.Chmod("a", 0o4750))
	check(os.Link("a", "b"))
	describe("b")
	check(os.Truncate("a", 4))
	describe("b")
	check(os.Rename("b", "c"))
	describe("b")
	check(os.Chmod("c", 0o640|os.ModeSticky))
	describe("a")
	moment := time.Unix(1e9, 123456789)
	check(os.Chtimes("a", moment, moment.Add(time.Hour)))
	info, err := os.Stat("c")
	check(err)
	fmt.Println(info.ModTime().UTC(), info.Sys().(*syscall.Stat_t).Atim.Nano() == moment.UnixNano())
	first, _ := os.Stat("a")
	fmt.Println("same", os.SameFile(first, info))

	file, err := os.OpenFile("log", os.O_APPEND|os.O_CREATE|os.O_RDWR|os.O_EXCL, 0o666)
	check(err)
	var group sync.WaitGroup
	for i := 0; i < 8; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			for j := 0; j < 100; j++ {
				_, err := fmt.Fprintf(file, "%d %02d\n", i, j)
				check(err)
			}
		}(i)
	}
	group.Wait()
	text, err := os.ReadFile("log")
	check(err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	sort.Strings(lines)
	fmt.Println("appended", len(lines), lines[0], lines[799])
	_, err = file.WriteAt([]byte("x"), 0)
	fmt.Println(err)
	check(file.Close())
	fmt.Println(file.Close())
	_, err = file.Write([]byte("x"))
	fmt.Println(err, errors.Is(err, os.ErrClosed))

	file, err = os.Create("sparse")
	check(err)
	_, err = file.Seek(1<<32, io.SeekStart)
	check(err)
	_, err = file.WriteString("end")
	check(err)
	buffer := make([]byte, 5)
	_, err = file.ReadAt(buffer, 1<<32-2)
	fmt.Printf("%q %v\n", buffer, err)
	_, err = file.ReadAt(buffer, 1<<32)
	fmt.Printf("%q %v\n", buffer[:3], err)
	_, err = file.Seek(-1, io.SeekStart)
	fmt.Println(err)
	check(file.Truncate(10))
	info, _ = file.Stat()
	fmt.Println(info.Size(), file.Sync())
	_, err = file.ReadFrom(strings.NewReader("from a reader"))
	check(err)
	_, err = file.Readdir(1)
	fmt.Println(err)
	check(file.Close())
}

func failures() {
	_, err := os.Open("none")
	fmt.Println(err, errors.Is(err, os.ErrNotExist))
	_, err = os.OpenFile("a", os.O_CREATE|os.O_EXCL, 0o600)
	fmt.Println(err, errors.Is(err, os.ErrExist))
	fmt.Println(os.Mkdir("tree", 0o700))
	fmt.Println(os.Remove("tree"))
	fmt.Println(os.Rename("a", "tree"))
	fmt.Println(os.Rename("tree", "tree/d1/inside"))
	fmt.Println(os.Link("tree", "hard"))
	_, err = os.ReadFile("tree")
	fmt.Println(err)
	_, err = os.ReadDir("a")
	fmt.Println(err)
	_, err = os.Readlink("a")
	fmt.Println(err)
	fmt.Println(os.Chdir("a"))
	fmt.Println(os.WriteFile("a/b", nil, 0o600))
	fmt.Println(os.Mkdir(strings.Repeat("n", 256), 0o700) != nil)
	_, err = os.Open("nul\x00byte")
	fmt.Println(err)
	fmt.Println(os.RemoveAll("none/at/all"), os.RemoveAll("."))
}

func temporary() {
	folder, err := os.MkdirTemp(".", "folder-*-end")
	check(err)
	names := map[string]bool{}
	for i := 0; i < 300; i++ {
		file, err := os.CreateTemp(folder, "file-*.tmp")
		check(err)
		names[file.Name()] = true
		check(file.Close())
	}
	open, err := os.Open(folder)
	check(err)
	total := 0
	for {
		some, err := open.Readdirnames(70)
		total += len(some)
		if err == io.EOF {
			break
		}
		check(err)
	}
	check(open.Close())
	fmt.Println("temporary", len(names), total)
	info, _ := os.Stat(folder)
	fmt.Println(info.Mode(), strings.HasSuffix(folder, "-end"))
	check(os.RemoveAll(folder))
	_, err = os.Stat(folder)
	fmt.Println(os.IsNotExist(err))

	// a directory that many change at once
	check(os.Mkdir("busy", 0o755))
	var group sync.WaitGroup
	for i := 0; i < 8; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			for j := 0; j < 40; j++ {
				name := fmt.Sprintf("busy/%d-%d", i, j)
				check(os.WriteFile(name, []byte(name), 0o600))
				check(os.Rename(name, name+"-renamed"))
				if j%2 == 0 {
					check(os.Remove(name + "-renamed"))
				}
			}
		}(i)
	}
	group.Wait()
	entries, err := os.ReadDir("busy")
	check(err)
	fmt.Println("busy", len(entries), entries[0].Name(), entries[len(entries)-1].Name())
}

func main() {
	syscall.Umask(0o027)
	makeTree()
	walk()
	changes()
	failures()
	temporary()
	check(os.Mkdir("below", 0o777))
	check(os.Chdir("below"))
	here, err := os.Getwd()
	fmt.Println(filepath.Base(here), err)
	describe("../below")
	absolute, err := filepath.Abs("../tree/./d1/../d3")
	relative, _ := filepath.Rel(here, absolute)
	fmt.Println(relative, err)
	os.Chdir("..")
	check(os.RemoveAll("tree"))
	describe("tree")
	file, err := os.Open(os.DevNull)
	check(err)
	info, err := file.Stat()
	fmt.Println(info.Mode(), err)
	describe("/proc/self/exe/none")
	os.Setenv("NAME", "value")
	fmt.Println(os.ExpandEnv("$NAME ${NAME}s $NONE."), os.Getpagesize())
}

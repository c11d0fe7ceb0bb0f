// Goroutines, preemption by signals, garbage collection under load, timers, child processes and signals, recovered faults, and a panic at the end.
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type node struct{ left, right *node }

func tree(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{tree(depth - 1), tree(depth - 1)}
}

func (n *node) count() int {
	if n.left == nil {
		return 1
	}
	return 1 + n.left.count() + n.right.count()
}

func fault() (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	var n *node
	return fmt.Sprint(n.left)
}

func main() {
	runtime.GOMAXPROCS(4)
	var spins int64
	go func() { // never yields: only a signal takes it off its thread
		for {
			spins++
		}
	}()
	var group sync.WaitGroup
	var sum int64
	for i := 0; i < 1000; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			runtime.Gosched()
			atomic.AddInt64(&sum, int64(i))
		}(i)
	}
	group.Wait()
	fmt.Println("sum", sum)
	total := 0
	for i := 0; i < 20; i++ {
		total += tree(16).count()
	}
	runtime.GC()
	fmt.Println("nodes", total)

	ticker, ticks := time.NewTicker(2*time.Millisecond), 0
	limit, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for ; ticks < 20 && limit.Err() == nil; ticks++ {
		<-ticker.C
	}
	short, stop := context.WithTimeout(limit, 5*time.Millisecond)
	defer stop()
	<-short.Done()
	fmt.Println("ticks", ticks, short.Err())

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	syscall.Kill(os.Getpid(), syscall.SIGUSR1)
	fmt.Println("from itself:", <-signals)
	child := exec.Command("sh", "-c", "kill -USR1 $PPID; cat; exit 7")
	child.Stdin = bytes.NewReader([]byte("through a pipe\n"))
	output, err := child.CombinedOutput()
	fmt.Printf("from a child: %v; %q, %v\n", <-signals, output, err)

	data := bytes.Repeat([]byte("Carillon "), 1<<18)
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	writer.Write(data)
	writer.Close()
	reader, _ := gzip.NewReader(&packed)
	again, _ := io.ReadAll(reader)
	fmt.Println("unpacked", len(again), sha256.Sum256(again) == sha256.Sum256(data))
	fmt.Println("recovered:", fault())
	panic("the end")
}

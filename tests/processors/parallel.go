// Goroutines on several processors: parallel N. They share work over channels, mutexes and atomic counters while memory is collected.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
)

func main() {
	n, _ := strconv.Atoi(os.Args[1])
	if runtime.NumCPU() != n {
		fmt.Println("processors:", runtime.NumCPU())
		os.Exit(1)
	}
	runtime.GOMAXPROCS(n)
	work, done := make(chan int), make(chan map[int]string)
	var count atomic.Int64
	var group sync.WaitGroup
	for i := 0; i < 4*n; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for k := range work {
				m := make(map[int]string) // garbage, so that collections stop the world
				for j := 0; j < 200; j++ {
					m[j] = strconv.Itoa(j * k)
				}
				count.Add(1)
				done <- m
			}
		}()
	}
	go func() {
		for k := 0; k < 2000; k++ {
			work <- k
		}
		close(work)
		group.Wait()
		close(done)
	}()
	sum := 0
	for m := range done {
		sum += len(m[199])
	}
	if count.Load() != 2000 || sum == 0 {
		fmt.Println("lost:", count.Load())
		os.Exit(1)
	}
	fmt.Println("good")
}

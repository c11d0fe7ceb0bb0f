// Round trips of an int, in guest instructions (one is one nanosecond): over two channels of two Go programs through /chan, and over two Go channels inside
// one. Lines as bench/microbench.c has them: name, median, best, operations, idle. bench/run builds and runs it.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sort"
	"strings"
	"time"

	"carillon/channel"
)

const batches = 5

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func measure(name string, n int, trip func()) {
	if len(os.Args) > 1 && !strings.HasPrefix(name, os.Args[1]) {
		return
	}
	for i := 0; i < n/10; i++ {
		trip()
	}
	var each []float64
	for b := 0; b < batches; b++ {
		started := time.Now()
		for i := 0; i < n; i++ {
			trip()
		}
		each = append(each, float64(time.Since(started).Nanoseconds())/float64(n))
	}
	sort.Float64s(each)
	fmt.Printf("%s %.1f %.1f %d 0\n", name, each[batches/2], each[0], n)
}

func within() {
	out, back := make(chan int), make(chan int)
	go func() {
		for n := range out {
			back <- n
		}
	}()
	measure("go_channel_rtt_1proc", 20000, func() {
		out <- 1
		<-back
	})
	close(out)
}

func between() {
	out, err := channel.Publish[int]("bench-out", 1)
	check(err)
	back, err := channel.Publish[int]("bench-back", 1)
	check(err)
	partner := exec.Command("/proc/self/exe")
	partner.Env = append(os.Environ(), "BENCH_PARTNER=1")
	partner.Stderr = os.Stderr
	check(partner.Start())
	measure("go_channel_rtt_2proc", 2000, func() {
		check(out.Send(1))
		_, err := back.Receive()
		check(err)
	})
	check(out.Close())
	check(partner.Wait())
	check(back.Close())
}

func serve() {
	in, err := channel.Connect[int]("bench-out")
	check(err)
	back, err := channel.Connect[int]("bench-back")
	check(err)
	for {
		n, err := in.Receive()
		if err != nil {
			return
		}
		check(back.Send(n))
	}
}

func main() {
	runtime.GOMAXPROCS(1)
	if os.Getenv("BENCH_PARTNER") != "" {
		serve()
		return
	}
	within()
	between()
}

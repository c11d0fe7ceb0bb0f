// What a program sees of itself: processor and memory profiles with their samples, goroutine dumps, execution traces, metrics, sizes and usage.
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"runtime/pprof"
	"runtime/trace"
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

//go:noinline
func spinHere(until time.Time) (n int) {
	for time.Now().Before(until) {
		for i := 0; i < 10000; i++ {
			n += i * n
		}
	}
	return n
}

//go:noinline
func allocateHere() [][]byte {
	var all [][]byte
	for i := 0; i < 64; i++ {
		all = append(all, make([]byte, 1<<18))
	}
	return all
}

func unpacked(profile []byte) string {
	reader, err := gzip.NewReader(bytes.NewReader(profile))
	check(err)
	text, err := io.ReadAll(reader)
	check(err)
	return string(text)
}

func main() {
	runtime.GOMAXPROCS(4)
	var profile bytes.Buffer
	check(pprof.StartCPUProfile(&profile))
	fmt.Println(pprof.StartCPUProfile(io.Discard))
	var group sync.WaitGroup
	for i := 0; i < 2; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			spinHere(time.Now().Add(300 * time.Millisecond))
		}()
	}
	group.Wait()
	pprof.StopCPUProfile()
	text := unpacked(profile.Bytes())
	fmt.Println("samples", strings.Contains(text, "main.spinHere"), strings.Contains(text, "samples"), strings.Contains(text, "nanoseconds"))

	kept := allocateHere()
	runtime.GC()
	profile.Reset()
	check(pprof.WriteHeapProfile(&profile))
	text = unpacked(profile.Bytes())
	fmt.Println("heap", len(kept), strings.Contains(text, "main.allocateHere"), strings.Contains(text, "inuse_space"))
	stop := make(chan bool)
	for i := 0; i < 10; i++ {
		go func() { <-stop }()
	}
	// Those that another thread has taken up are not waiting yet: a dump shows them running.
	waiting := 0
	for start := time.Now(); waiting < 10 && time.Since(start) < 10*time.Second; time.Sleep(time.Millisecond) {
		profile.Reset()
		check(pprof.Lookup("goroutine").WriteTo(&profile, 2))
		waiting = strings.Count(profile.String(), "[chan receive]:\nmain.main.func2()")
	}
	fmt.Println("waiting", waiting, "of", pprof.Lookup("goroutine").Count() >= 11)
	close(stop)
	runtime.SetMutexProfileFraction(1)
	runtime.SetBlockProfileRate(1)
	var lock sync.Mutex
	for i := 0; i < 4; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for j := 0; j < 5; j++ {
				lock.Lock()
				time.Sleep(time.Millisecond)
				lock.Unlock()
			}
		}()
	}
	group.Wait()
	fmt.Println("contention", pprof.Lookup("mutex").Count() > 0, pprof.Lookup("block").Count() > 0)

	var events bytes.Buffer
	check(trace.Start(&events))
	trace.Log(context.Background(), "category", "a message of this program")
	for i := 0; i < 20; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			time.Sleep(time.Millisecond)
			spinHere(time.Now().Add(time.Millisecond))
		}()
	}
	group.Wait()
	trace.Stop()
	fmt.Println("trace", strings.HasPrefix(events.String(), "go 1."), events.Len() > 1000, strings.Contains(events.String(), "a message of this program"))

	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/gc/cycles/total:gc-cycles"}, {Name: "/sched/goroutines:goroutines"}}
	metrics.Read(samples)
	fmt.Println("metrics", samples[0].Value.Uint64() > 1<<20, samples[1].Value.Uint64() > 0, samples[2].Value.Uint64() > 0)
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	fmt.Println("memory", memory.HeapInuse > 1<<24, memory.Sys > memory.HeapInuse, memory.NumGC > 0, len(kept))
	runtime.KeepAlive(kept)
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	fmt.Println("usage", usage.Utime.Nano()+usage.Stime.Nano() > 0)
	build, ok := debug.ReadBuildInfo()
	fmt.Println("build", ok, build.Path, runtime.GOOS, runtime.GOARCH, runtime.NumCPU() > 0)
	_, file, line, ok := runtime.Caller(0)
	fmt.Println(file[strings.LastIndex(file, "/")+1:], line, ok)
}

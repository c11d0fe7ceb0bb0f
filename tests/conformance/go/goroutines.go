// Many goroutines on few and many threads, channels, locks and conditions between them, garbage collection under load, finalizers, goroutines that
// never yield, deep stacks, and threads that are locked.
package main

import (
	"context"
	"fmt"
	"math/bits"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

type node struct {
	left, right *node
	value       int
	rest        []byte
}

func insert(n *node, value int) *node {
	if n == nil {
		return &node{value: value, rest: make([]byte, value%97)}
	}
	if value < n.value {
		n.left = insert(n.left, value)
	} else {
		n.right = insert(n.right, value)
	}
	return n
}

func (n *node) sum() int {
	if n == nil {
		return 0
	}
	return n.left.sum() + n.right.sum() + n.value + len(n.rest)
}

// sieve is a chain of goroutines, one a prime.
func sieve(count int) (last int) {
	limit, stop := context.WithCancel(context.Background())
	defer stop()
	source := make(chan int)
	send := func(to chan<- int, value int) bool {
		select {
		case to <- value:
			return true
		case <-limit.Done():
			return false
		}
	}
	go func() {
		for i := 2; send(source, i); i++ {
		}
	}()
	for i := 0; i < count; i++ {
		last = <-source
		next := make(chan int)
		go func(from <-chan int, to chan<- int, prime int) {
			for {
				select {
				case value := <-from:
					if value%prime != 0 && !send(to, value) {
						return
					}
				case <-limit.Done():
					return
				}
			}
		}(source, next, last)
		source = next
	}
	return last
}

func collect(workers int) int {
	sums := make([]int, workers)
	var group sync.WaitGroup
	for i := range sums {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			var root *node
			for j := 0; j < 4000; j++ {
				root = insert(root, j*7919%4001+i)
				if j%1000 == 0 {
					root = nil
				}
			}
			sums[i] = root.sum()
		}(i)
	}
	group.Wait()
	total := 0
	for _, each := range sums {
		total += each
	}
	return total
}

func deep(n int) int {
	var room [64]int
	room[n%64] = n
	if n == 0 {
		return 0
	}
	return deep(n-1) + room[n%64] - n + 1
}

func locks() {
	var lock sync.Mutex
	var readers sync.RWMutex
	var once sync.Once
	condition := sync.NewCond(&lock)
	var pool = sync.Pool{New: func() interface{} { return new([1024]byte) }}
	var shared sync.Map
	var group sync.WaitGroup
	counter, turn, ones := 0, 0, 0
	table := map[int]int{}
	for i := 0; i < 50; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			for j := 0; j < 200; j++ {
				lock.Lock()
				counter++
				lock.Unlock()
				if j%20 == 0 {
					readers.Lock()
					table[j]++
					readers.Unlock()
				}
				readers.RLock()
				_ = table[j]
				readers.RUnlock()
				pool.Put(pool.Get())
				shared.Store(i*j%31, i)
			}
			once.Do(func() { ones++ })
			lock.Lock()
			for turn != i { // in their order
				condition.Wait()
			}
			turn++
			condition.Broadcast()
			lock.Unlock()
		}(i)
	}
	group.Wait()
	entries := 0
	shared.Range(func(key, value interface{}) bool { entries++; return true })
	fmt.Println("locks", counter, turn, ones, table[0], len(table), entries)
}

func finalizers() {
	var ran int64
	for i := 0; i < 100; i++ {
		value := &node{rest: make([]byte, 1000)}
		runtime.SetFinalizer(value, func(*node) { atomic.AddInt64(&ran, 1) })
	}
	for i := 0; i < 1000 && atomic.LoadInt64(&ran) < 100; i++ {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	fmt.Println("finalizers", ran)
}

func main() {
	var flag int32
	for i := 0; i < 2; i++ {
		go func() { // never yields: only a signal takes it off its thread
			for atomic.LoadInt32(&flag) == 0 {
			}
		}()
	}
	for _, threads := range []int{4, 1, 8, 2} {
		runtime.GOMAXPROCS(threads)
		fmt.Println("threads", runtime.GOMAXPROCS(0), "prime", sieve(60), "sum", collect(6))
	}
	atomic.StoreInt32(&flag, 1)
	locks()
	finalizers()
	fmt.Println("deep", deep(200000))
	before := debug.SetGCPercent(5)
	fmt.Println("often", before, collect(3))
	debug.SetGCPercent(before)
	debug.SetMemoryLimit(64 << 20)
	fmt.Println("little memory", collect(3))
	debug.FreeOSMemory()

	// a hundred goroutines that have a thread each
	numbers := make(chan int)
	var group sync.WaitGroup
	for i := 0; i < 100; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
			time.Sleep(time.Millisecond)
			numbers <- i
		}(i)
	}
	var got []int
	for len(got) < 100 {
		got = append(got, <-numbers)
	}
	group.Wait()
	sort.Ints(got)
	fmt.Println("locked", got[0], got[99])

	var words [1 << 12]uint64
	for i := 0; i < 16; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			for j := range words {
				for {
					old := atomic.LoadUint64(&words[j])
					if atomic.CompareAndSwapUint64(&words[j], old, old|1<<i) {
						break
					}
				}
			}
		}(i)
	}
	group.Wait()
	count := 0
	for _, each := range words {
		count += bits.OnesCount64(each)
	}
	fmt.Println("bits", count)
	defer fmt.Println("deferred, and not seen")
	go func() {
		defer fmt.Println("deferred, and seen")
		runtime.Goexit()
	}()
	time.Sleep(20 * time.Millisecond)
	os.Exit(5)
}

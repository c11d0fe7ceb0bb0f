// Faults that become panics and are recovered, and the ends of programs that nobody saves: panics with their traces and status 2, fatal errors.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

type pair struct {
	first int
	far   [1 << 20]byte
}

var zero int
var list []int

//go:noinline
func attempt(name string, what func()) {
	defer func() {
		reason := recover()
		_, isError := reason.(runtime.Error)
		fmt.Printf("%s: %v, %v\n", name, reason, isError)
	}()
	what()
}

func recovered() {
	var nothing *pair
	var table map[string]int
	var value interface{} = "text"
	var call func()
	var channel chan int
	attempt("nil read", func() { fmt.Println(nothing.first) })
	attempt("nil write", func() { nothing.first = 1 })
	attempt("nil far", func() { nothing.far[1<<19] = 1 })
	attempt("nil map", func() { table["a"] = 1 })
	attempt("nil function", func() { call() })
	attempt("nil close", func() { close(channel) })
	attempt("divide", func() { fmt.Println(1 / zero) })
	attempt("index", func() { fmt.Println(list[zero+5]) })
	attempt("slice", func() { fmt.Println(list[zero+1 : zero]) })
	attempt("type", func() { fmt.Println(value.(int)) })
	attempt("size", func() { list = make([]int, zero-1) })
	attempt("value", func() { panic(errors.New("an error")) })
	attempt("nested", func() {
		defer func() { panic(fmt.Sprint("second after ", recover())) }()
		panic("first")
	})
	debug.SetPanicOnFault(true)
	memory, err := syscall.Mmap(-1, 0, 3*4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	fmt.Println(err)
	syscall.Mprotect(memory[4096:8192], syscall.PROT_READ)
	attempt("protected", func() { memory[5000] = 1 })
	attempt("odd address", func() { fmt.Println(*(*byte)(unsafe.Pointer(uintptr(0x7000000000000000)))) })
	file, err := os.Create("file")
	fmt.Println(err, file.Truncate(8192))
	mapped, err := syscall.Mmap(int(file.Fd()), 0, 8192, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	fmt.Println(err, file.Truncate(0))
	attempt("truncated", func() { mapped[4096] = 1 })

	// many at once, from goroutines on several threads
	var group sync.WaitGroup
	counts := make([]int, 16)
	for i := range counts {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			for j := 0; j < 200; j++ {
				func() {
					defer func() {
						if recover() != nil {
							counts[i]++
						}
					}()
					fmt.Sprint(nothing.far[j*1000])
				}()
			}
		}(i)
	}
	group.Wait()
	fmt.Println(counts)
}

//go:noinline
func inner() { panic(fmt.Errorf("wrapped: %w", os.ErrNotExist)) }

func overflow(n int) int { return overflow(n+1) + 1 }

// child ends in one of many ways.
func child(how string) {
	switch how {
	case "panic":
		defer fmt.Println("deferred")
		inner()
	case "again":
		defer func() { panic("second") }()
		panic("first")
	case "nil":
		var nothing *pair
		nothing.first++
	case "goroutine":
		go inner()
		select {}
	case "deadlock":
		<-make(chan int)
	case "everyone":
		go func() { select {} }()
		var lock sync.Mutex
		lock.Lock()
		lock.Lock()
	case "map":
		table := map[int]int{}
		runtime.GOMAXPROCS(4)
		for i := 0; i < 4; i++ {
			go func() {
				for j := 0; ; j++ {
					table[j%100]++
				}
			}()
		}
		time.Sleep(time.Minute)
	case "unlock":
		var lock sync.Mutex
		lock.Unlock()
	case "stack":
		debug.SetMaxStack(1 << 20)
		overflow(0)
	case "memory":
		list = make([]int, 1<<45)
	case "negative":
		var group sync.WaitGroup
		group.Done()
	case "bad pointer":
		fmt.Println(*(*byte)(unsafe.Pointer(uintptr(0x5000))))
	case "exit":
		defer fmt.Println("not seen")
		os.Exit(77)
	case "all":
		debug.SetTraceback("all")
		go func() { select {} }()
		runtime.Gosched()
		panic("with all goroutines")
	case "crash":
		debug.SetTraceback("crash") // ends by SIGABRT, after its trace
		panic("with a core")
	}
}

func main() {
	if len(os.Args) > 1 {
		child(os.Args[1])
		return
	}
	recovered()
	program, _ := os.Executable()
	// what differs from run to run; code and address of a signal stay
	numbers := regexp.MustCompile(`([{( +,[]|pc=|sp=|fp=|^)0x[0-9a-f]+|()\b[0-9a-f]{6,}\b|(goroutine )\d+`)
	for _, how := range []string{"panic", "again", "nil", "goroutine", "deadlock", "everyone", "map", "unlock", "stack", "memory", "negative", "bad pointer", "exit", "all", "crash"} {
		var out, said bytes.Buffer
		command := exec.Command(program, how)
		command.Stdout, command.Stderr = &out, &said
		err := command.Run()
		lines := strings.Split(numbers.ReplaceAllString(strings.TrimSpace(said.String()), "${1}${3}N"), "\n")
		fmt.Printf("%s: %v, %q\n", how, err, out.String())
		shown := 12
		switch how {
		case "map", "crash", "all": // which goroutine is told first differs
			shown = 1
		case "stack":
			shown = 2
		case "everyone":
			shown = 3
		}
		for i, line := range lines {
			if i < shown {
				fmt.Println("   ", line)
			}
		}
	}
	inner()
}

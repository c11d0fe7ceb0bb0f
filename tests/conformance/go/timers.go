// Timers, tickers, deadlines of contexts and of files, sleeps of many goroutines: their order, and that none is early.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

func check(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

func early(begin time.Time, wait time.Duration) bool { return time.Since(begin) < wait }

func timers() {
	// set in another order than they go off
	order := make(chan int, 10)
	for _, i := range []int{3, 1, 4, 0, 2} {
		i := i
		time.AfterFunc(time.Duration(20+i*60)*time.Millisecond, func() { order <- i })
	}
	for i := 0; i < 5; i++ {
		fmt.Print(<-order, " ")
	}
	fmt.Println()
	timer := time.NewTimer(time.Hour)
	fmt.Println("stopped", timer.Stop(), timer.Stop())
	fmt.Println("reset", timer.Reset(5*time.Millisecond))
	begin := time.Now()
	<-timer.C
	fmt.Println("went off", timer.Stop())
	ran := make(chan bool)
	timer = time.AfterFunc(time.Hour, func() { close(ran) })
	timer.Reset(0)
	<-ran
	ticker, ticks := time.NewTicker(3*time.Millisecond), 0
	for range ticker.C {
		if ticks++; ticks == 5 {
			ticker.Reset(time.Millisecond)
		}
		if ticks == 15 {
			break
		}
	}
	ticker.Stop()
	time.Sleep(5 * time.Millisecond)
	for len(ticker.C) > 0 {
		<-ticker.C
	}
	time.Sleep(10 * time.Millisecond)
	fmt.Println("ticks", ticks, len(ticker.C), early(begin, 25*time.Millisecond))
	select {
	case <-time.After(time.Millisecond):
		fmt.Println("after")
	case <-time.After(time.Hour):
		fmt.Println("an hour")
	}
}

func sleepers() {
	var group sync.WaitGroup
	var tooEarly, slept int64
	for i := 0; i < 2000; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			wait := time.Duration(i%50) * time.Millisecond / 2
			begin := time.Now()
			time.Sleep(wait)
			if early(begin, wait) {
				atomic.AddInt64(&tooEarly, 1)
			}
			atomic.AddInt64(&slept, 1)
		}(i)
	}
	group.Wait()
	fmt.Println("slept", slept, "too early", tooEarly)
	// many timers that never go off
	kept := make([]*time.Timer, 20000)
	for i := range kept {
		kept[i] = time.NewTimer(time.Hour + time.Duration(i*7919%20000))
	}
	stopped := 0
	for _, each := range kept {
		if each.Stop() {
			stopped++
		}
	}
	fmt.Println("stopped", stopped)
}

func contexts() {
	type key string
	parent, cancel := context.WithCancel(context.WithValue(context.Background(), key("name"), "value"))
	limit, stop := context.WithDeadline(parent, time.Now().Add(time.Hour))
	defer stop()
	short, stopShort := context.WithTimeout(limit, 5*time.Millisecond)
	defer stopShort()
	begin := time.Now()
	<-short.Done()
	fmt.Println(short.Err(), errors.Is(short.Err(), os.ErrDeadlineExceeded), limit.Err(), early(begin, 4*time.Millisecond), limit.Value(key("name")))
	var group sync.WaitGroup
	var ended int64
	for i := 0; i < 500; i++ {
		group.Add(1)
		child, stop := context.WithTimeout(limit, time.Hour)
		go func() {
			defer group.Done()
			defer stop()
			<-child.Done()
			if child.Err() == context.Canceled {
				atomic.AddInt64(&ended, 1)
			}
		}()
	}
	cancel()
	group.Wait()
	fmt.Println("canceled", ended, limit.Err())
}

func deadlines() {
	reader, writer, err := os.Pipe()
	check(err)
	begin := time.Now()
	check(reader.SetReadDeadline(begin.Add(20 * time.Millisecond)))
	_, err = reader.Read(make([]byte, 1))
	fmt.Println(err, errors.Is(err, os.ErrDeadlineExceeded), early(begin, 20*time.Millisecond))
	check(reader.SetReadDeadline(time.Time{}))
	go func() {
		time.Sleep(5 * time.Millisecond)
		writer.Write([]byte("late"))
	}()
	text := make([]byte, 10)
	n, err := reader.Read(text)
	fmt.Printf("%q %v\n", text[:n], err)
	check(writer.SetWriteDeadline(time.Now().Add(20 * time.Millisecond)))
	n, err = writer.Write(make([]byte, 1<<20))
	fmt.Println(n, err)
	go func() { // a close wakes a reader
		time.Sleep(5 * time.Millisecond)
		reader.Close()
	}()
	_, err = reader.Read(make([]byte, 1<<20))
	for err == nil {
		_, err = reader.Read(make([]byte, 1<<20))
	}
	fmt.Println(err)
	runtime.KeepAlive(writer) // collected, it would end the stream
	file, err := os.Create("file")
	check(err)
	fmt.Println(file.SetDeadline(time.Now()))
}

func main() {
	timers()
	sleepers()
	contexts()
	deadlines()
	stop := make(chan bool)
	go func() { // timers beside a goroutine that never yields, on one thread
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	runtime.GOMAXPROCS(1)
	for i := 0; i < 5; i++ {
		time.Sleep(time.Millisecond)
	}
	close(stop)
	fmt.Println(time.Unix(1e9, 5).UTC().Format(time.RFC3339Nano), time.Duration(1e12+1))
	moment, err := time.Parse(time.RFC1123Z, "Mon, 02 Jan 2006 15:04:05 -0700")
	fmt.Println(moment.Unix(), moment.YearDay(), err)
	local, err := time.LoadLocation("No/Where")
	fmt.Println(local, err != nil)
}

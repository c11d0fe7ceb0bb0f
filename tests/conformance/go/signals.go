// Package os/signal: what is notified, ignored and reset, contexts of signals, storms of them, and what the default actions are.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func check(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

func send(signals ...syscall.Signal) {
	for _, each := range signals {
		check(syscall.Kill(os.Getpid(), each))
	}
}

// child waits for its end in one of the ways a signal has.
func child(how string) {
	switch how {
	case "ignores":
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP)
		send(syscall.SIGTERM, syscall.SIGHUP)
		fmt.Println("still here", signal.Ignored(syscall.SIGHUP), signal.Ignored(syscall.SIGINT))
		again := exec.Command("sh", "-c", "kill -TERM $$; echo so does its child")
		again.Stdout = os.Stdout
		check(again.Run())
	case "resets":
		channel := make(chan os.Signal, 1)
		signal.Notify(channel, syscall.SIGTERM)
		send(syscall.SIGTERM)
		fmt.Println(<-channel)
		signal.Reset(syscall.SIGTERM)
		send(syscall.SIGTERM)
		time.Sleep(time.Minute)
	case "quits": // a goroutine dump and status 2
		send(syscall.SIGQUIT)
		time.Sleep(time.Minute)
	case "pipe": // a broken standard output ends a program, another broken pipe does not
		reader, writer, err := os.Pipe()
		check(err)
		reader.Close()
		_, err = writer.Write([]byte("x"))
		fmt.Fprintln(os.Stderr, err, errors.Is(err, syscall.EPIPE))
		for {
			if _, err = os.Stdout.Write(make([]byte, 1000)); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}
	case "fault": // a segmentation fault that another process sends is a signal like others: it ends a program that has not asked for it
		send(syscall.SIGSEGV)
		time.Sleep(time.Minute)
	}
}

func run(how string) {
	program, err := os.Executable()
	check(err)
	command := exec.Command(program, how)
	var out, errors bytes.Buffer
	command.Stderr = &errors
	if how == "pipe" {
		pipe, err := command.StdoutPipe()
		check(err)
		check(command.Start())
		pipe.Close()
		err = command.Wait()
		fmt.Printf("%s: %v, %q\n", how, err, errors.String())
		return
	}
	command.Stdout = &out
	err = command.Run()
	fmt.Printf("%s: %v, %q %q\n", how, err, out.String(), strings.SplitN(errors.String(), "\n", 2)[0])
}

func main() {
	if len(os.Args) > 1 {
		child(os.Args[1])
		return
	}
	all, some := make(chan os.Signal, 10), make(chan os.Signal, 1)
	signal.Notify(all, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGHUP, syscall.SIGWINCH)
	signal.Notify(some, syscall.SIGHUP)
	for _, each := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGHUP, syscall.SIGWINCH} {
		send(each)
		fmt.Println(<-all)
	}
	fmt.Println("the other:", <-some)
	signal.Stop(some)
	send(syscall.SIGHUP)
	fmt.Println(<-all, len(some))
	signal.Ignore(syscall.SIGUSR1)
	send(syscall.SIGUSR1, syscall.SIGUSR2)
	fmt.Println(<-all, len(all))
	signal.Reset()

	limit, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	send(syscall.SIGINT)
	<-limit.Done()
	fmt.Println(limit.Err())
	stop()

	// a storm from several threads while goroutines work: every kind arrives, however many were merged
	storm := make(chan os.Signal, 1000)
	kinds := []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGIO, syscall.SIGWINCH, syscall.Signal(40), syscall.Signal(50)}
	for _, each := range kinds {
		signal.Notify(storm, each)
	}
	seen := map[os.Signal]int{}
	var group sync.WaitGroup
	var total int64
	for i := 0; i < 4; i++ {
		group.Add(2)
		go func() {
			defer group.Done()
			for j := 0; j < 300; j++ {
				send(kinds[j%len(kinds)])
			}
		}()
		go func() {
			defer group.Done()
			for j := 0; j < 300; j++ {
				atomic.AddInt64(&total, int64(len(make([]byte, 5000+j))))
			}
		}()
	}
	ended := make(chan bool)
	go func() { group.Wait(); close(ended) }()
	for over := false; !over; {
		select {
		case which := <-storm:
			seen[which]++
		case <-ended:
			over = true
		}
	}
	for len(seen) < len(kinds) {
		seen[<-storm]++
	}
	fmt.Println("kinds", len(seen), total)
	signal.Reset()

	for _, how := range []string{"ignores", "resets", "quits", "pipe", "fault"} {
		run(how)
	}
	command := exec.Command("sleep", "60") // a child's end is a signal too
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, syscall.SIGCHLD)
	check(command.Start())
	check(command.Process.Kill())
	fmt.Println(<-ends, command.Wait())
}

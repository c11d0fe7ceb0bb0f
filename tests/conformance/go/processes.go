// Child processes: pipes, exit statuses, environment, directories, descriptors, contexts that end them, and many of them at once.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
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

// child is what this program does when it is its own child.
func child(arguments []string) {
	switch arguments[0] {
	case "arguments":
		fmt.Printf("%q\n", arguments[1:])
	case "environment":
		lines := os.Environ()
		sort.Strings(lines)
		fmt.Println(strings.Join(lines, ","))
	case "exit":
		os.Exit(len(arguments) + 40)
	case "third":
		text, err := io.ReadAll(os.NewFile(3, "third"))
		fmt.Printf("%q %v\n", text, err)
	case "double":
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			fmt.Println(lines.Text() + lines.Text())
		}
	case "ignore":
		fmt.Println("started")
		os.Stdout.Close()
		time.Sleep(time.Minute)
	case "group":
		group, _ := syscall.Getpgid(0)
		fmt.Println(group == os.Getpid())
	}
}

func self(arguments ...string) *exec.Cmd {
	program, err := os.Executable()
	check(err)
	return exec.Command(program, append([]string{"child"}, arguments...)...)
}

func output(command *exec.Cmd) {
	text, err := command.Output()
	fmt.Printf("%q %v\n", text, err)
}

func ends() {
	output(self("arguments", "", "two words", "\"'\\\n\xff"))
	command := self("environment")
	command.Env = []string{"A=1", "B=2", "A=3", "EMPTY="}
	output(command)
	command = exec.Command("pwd")
	command.Dir = "/proc"
	output(command)
	err := self("exit", "a", "b").Run()
	var status *exec.ExitError
	fmt.Println(err, errors.As(err, &status), status.ExitCode(), status.Success(), status.Exited())
	for _, signal := range []string{"TERM", "KILL", "SEGV", "USR2"} {
		err = exec.Command("sh", "-c", "kill -"+signal+" $$").Run()
		errors.As(err, &status)
		fmt.Println(err, status.ExitCode(), status.Sys().(syscall.WaitStatus).Signal())
	}
	fmt.Println(exec.Command("no-such-program").Run())
	fmt.Println(exec.Command("/etc").Run())
	fmt.Println(exec.Command("./none").Run())
	check(os.WriteFile("text", []byte("not a program\n"), 0o755))
	fmt.Println(exec.Command("./text").Run())
	check(os.WriteFile("script", []byte("#!/bin/busybox sh\necho \"$0 $1\"\nexit 3\n"), 0o755))
	output(exec.Command("./script", "one"))
	command = exec.Command("cat")
	command.Dir = "/none"
	fmt.Println(command.Run())
	_, err = exec.LookPath("sh")
	fmt.Println(err)
	command = exec.Command("sh", "-c", "echo out; echo err >&2; exit 1")
	_, err = command.Output()
	errors.As(err, &status)
	fmt.Printf("%q\n", status.Stderr)
	fmt.Println(command.Wait(), command.Start())
	command = self("group")
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	output(command)
	command = self("group")
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	output(command)
}

func pipes() {
	// three in a row
	first, second, third := exec.Command("seq", "1", "20000"), self("double"), exec.Command("wc", "-c")
	var err error
	second.Stdin, err = first.StdoutPipe()
	check(err)
	third.Stdin, err = second.StdoutPipe()
	check(err)
	check(first.Start())
	check(second.Start())
	output(third)
	fmt.Println(first.Wait(), second.Wait())

	// question and answer
	command := self("double")
	in, err := command.StdinPipe()
	check(err)
	out, err := command.StdoutPipe()
	check(err)
	check(command.Start())
	answers := bufio.NewReader(out)
	for i := 0; i < 100; i++ {
		fmt.Fprintln(in, "q", i)
		answer, err := answers.ReadString('\n')
		if i%50 == 0 {
			fmt.Printf("%q %v\n", answer, err)
		}
	}
	check(in.Close())
	fmt.Println(command.Wait())

	reader, writer, err := os.Pipe()
	check(err)
	command = self("third")
	command.ExtraFiles = []*os.File{reader}
	go func() {
		io.WriteString(writer, strings.Repeat("0123456789", 3))
		writer.Close()
	}()
	output(command)

	// a megabyte through a child that says it on both streams
	data := bytes.Repeat([]byte("abcdefgh"), 1<<17)
	command = exec.Command("tee", "/dev/stderr")
	command.Stdin = bytes.NewReader(data)
	var left, right bytes.Buffer
	command.Stdout, command.Stderr = &left, &right
	fmt.Println(command.Run(), bytes.Equal(left.Bytes(), data), bytes.Equal(right.Bytes(), data))
	// a child that does not read
	command = exec.Command("true")
	command.Stdin = bytes.NewReader(data)
	fmt.Println(command.Run())
}

func contexts() {
	limit, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	err := exec.CommandContext(limit, "sleep", "60").Run()
	fmt.Println(err, limit.Err(), time.Since(begin) < 30*time.Second)
	fmt.Println(exec.CommandContext(limit, "true").Run())
	limit, cancel = context.WithCancel(context.Background())
	command := exec.CommandContext(limit, self().Path, "child", "ignore")
	out, err := command.StdoutPipe()
	check(err)
	check(command.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	fmt.Printf("%q %v\n", line, err)
	cancel()
	fmt.Println(command.Wait())

	command = exec.Command("sleep", "60")
	check(command.Start())
	check(command.Process.Signal(syscall.Signal(0)))
	check(command.Process.Signal(os.Interrupt))
	state, err := command.Process.Wait()
	fmt.Println(state, err)
	fmt.Println(command.Process.Signal(os.Interrupt), command.Process.Kill())
	process, err := os.FindProcess(1 << 22)
	fmt.Println(err, process.Signal(syscall.Signal(0)))
	command = exec.Command("cat")
	in, err := command.StdinPipe()
	check(err)
	check(command.Start())
	check(command.Process.Signal(syscall.SIGSTOP))
	var status syscall.WaitStatus
	_, err = syscall.Wait4(command.Process.Pid, &status, syscall.WUNTRACED, nil)
	fmt.Println(status.Stopped(), status.StopSignal(), err)
	check(command.Process.Signal(syscall.SIGCONT))
	in.Close()
	fmt.Println(command.Wait())
}

func many() {
	var group sync.WaitGroup
	var lock sync.Mutex
	statuses := map[int]int{}
	for i := 0; i < 60; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			command := exec.Command("sh", "-c", fmt.Sprintf("read x; echo $x; exit %d", i%7))
			command.Stdin = strings.NewReader(fmt.Sprint("number ", i, "\n"))
			text, _ := command.Output()
			lock.Lock()
			defer lock.Unlock()
			statuses[command.ProcessState.ExitCode()]++
			if string(text) != fmt.Sprint("number ", i, "\n") {
				fmt.Printf("child %d said %q\n", i, text)
			}
		}(i)
	}
	group.Wait()
	fmt.Println(statuses)
	_, err := syscall.Wait4(-1, nil, 0, nil)
	fmt.Println("then:", err)
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == "child" {
		child(os.Args[2:])
		return
	}
	ends()
	pipes()
	contexts()
	many()
}

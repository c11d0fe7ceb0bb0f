// Package net over local sockets: streams, datagrams, packets; deadlines, closes, half closes; descriptors and credentials in messages; HTTP and RPC.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/rpc"
	"os"
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

func streams() {
	listener, err := net.Listen("unix", "stream")
	check(err)
	fmt.Println(listener.Addr().Network(), listener.Addr())
	_, err = net.Listen("unix", "stream")
	fmt.Println(err, errors.Is(err, syscall.EADDRINUSE))
	var servers sync.WaitGroup
	accepted := make(chan bool)
	go func() {
		defer close(accepted)
		for {
			connection, err := listener.Accept()
			if err != nil {
				fmt.Println(err, errors.Is(err, net.ErrClosed))
				return
			}
			servers.Add(1)
			go func() {
				defer servers.Done()
				io.Copy(connection, connection)
				connection.Close()
			}()
		}
	}()
	var clients sync.WaitGroup
	for i := 0; i < 50; i++ {
		clients.Add(1)
		go func(i int) {
			defer clients.Done()
			connection, err := net.Dial("unix", "stream")
			check(err)
			data := bytes.Repeat([]byte{byte(i)}, 10000*(i%8)+1)
			go func() {
				connection.Write(data)
				connection.(*net.UnixConn).CloseWrite()
			}()
			back, err := io.ReadAll(connection)
			if !bytes.Equal(back, data) || err != nil {
				fmt.Println("client", i, len(back), err)
			}
			connection.Close()
		}(i)
	}
	clients.Wait()
	connection, err := net.Dial("unix", "stream")
	check(err)
	begin := time.Now()
	connection.SetReadDeadline(begin.Add(20 * time.Millisecond))
	_, err = connection.Read(make([]byte, 1))
	fmt.Println(err, err.(net.Error).Timeout(), time.Since(begin) >= 20*time.Millisecond)
	connection.SetReadDeadline(time.Time{})
	go func() {
		time.Sleep(5 * time.Millisecond)
		connection.Close()
	}()
	_, err = connection.Read(make([]byte, 1))
	fmt.Println(errors.Is(err, net.ErrClosed))
	listener.Close()
	<-accepted
	servers.Wait()
	_, err = os.Stat("stream")
	fmt.Println("name gone", os.IsNotExist(err))
	_, err = net.Dial("unix", "stream")
	fmt.Println(err)
	check(os.WriteFile("file", nil, 0o600))
	_, err = net.Dial("unix", "file")
	fmt.Println(err)
	_, err = net.Dial("unix", strings.Repeat("n", 200))
	fmt.Println(errors.Is(err, syscall.EINVAL))
	hidden, err := net.Listen("unix", "@carillon")
	check(err)
	_, err = net.Dial("unix", "@carillon")
	fmt.Println(hidden.Addr(), err)
	hidden.Close()
	_, err = net.Dial("unix", "@carillon")
	fmt.Println(err)
}

func datagrams() {
	here, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "here", Net: "unixgram"})
	check(err)
	there, err := net.DialUnix("unixgram", &net.UnixAddr{Name: "there", Net: "unixgram"}, here.LocalAddr().(*net.UnixAddr))
	check(err)
	buffer := make([]byte, 100)
	for i := 0; i < 300; i++ {
		_, err := there.Write([]byte(fmt.Sprint("message ", i)))
		check(err)
		n, from, err := here.ReadFromUnix(buffer)
		check(err)
		if i%100 == 0 {
			fmt.Printf("%q from %v\n", buffer[:n], from)
			_, err = here.WriteTo(buffer[:n-1], from)
			check(err)
			n, err = there.Read(buffer)
			fmt.Printf("%q %v\n", buffer[:n], err)
		}
	}
	there.Write([]byte("longer than the room"))
	n, _, flags, _, err := here.ReadMsgUnix(buffer[:6], nil)
	fmt.Printf("%q %v %v\n", buffer[:n], flags&syscall.MSG_TRUNC != 0, err)
	here.Close()
	_, err = there.Write([]byte("x"))
	fmt.Println(err)
	packets, err := net.Listen("unixpacket", "packets")
	check(err)
	near, err := net.Dial("unixpacket", "packets")
	check(err)
	far, err := packets.Accept()
	check(err)
	near.Write([]byte("one"))
	near.Write([]byte("three"))
	near.Close()
	for i := 0; i < 3; i++ {
		n, err := far.Read(buffer)
		fmt.Printf("%q %v\n", buffer[:n], err)
	}
}

func pair() (*net.UnixConn, *net.UnixConn) {
	both, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	check(err)
	var made [2]*net.UnixConn
	for i, each := range both {
		file := os.NewFile(uintptr(each), "pair")
		connection, err := net.FileConn(file)
		check(err)
		file.Close()
		made[i] = connection.(*net.UnixConn)
	}
	return made[0], made[1]
}

func messages() {
	near, far := pair()
	reader, writer, err := os.Pipe()
	check(err)
	file, err := os.Create("passed")
	check(err)
	n, rights, err := near.WriteMsgUnix([]byte("take these"), syscall.UnixRights(int(writer.Fd()), int(file.Fd())), nil)
	fmt.Println(n, rights, err)
	writer.Close()
	file.Close()
	buffer, control := make([]byte, 20), make([]byte, 100)
	n, rights, flags, _, err := far.ReadMsgUnix(buffer, control)
	fmt.Printf("%q %d %x %v\n", buffer[:n], rights, flags&^syscall.MSG_CMSG_CLOEXEC, err)
	messages, err := syscall.ParseSocketControlMessage(control[:rights])
	check(err)
	numbers, err := syscall.ParseUnixRights(&messages[0])
	check(err)
	for i, each := range numbers {
		passed := os.NewFile(uintptr(each), "given")
		fmt.Fprintln(passed, "written to", i)
		passed.Close()
	}
	text, err := io.ReadAll(reader)
	fmt.Printf("%q %v\n", text, err)
	text, err = os.ReadFile("passed")
	fmt.Printf("%q %v\n", text, err)
	raw, err := far.SyscallConn()
	check(err)
	raw.Control(func(descriptor uintptr) {
		check(syscall.SetsockoptInt(int(descriptor), syscall.SOL_SOCKET, syscall.SO_PASSCRED, 1))
		peer, err := syscall.GetsockoptUcred(int(descriptor), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
		fmt.Println(int(peer.Pid) == os.Getpid(), err)
	})
	near.Write([]byte("who"))
	n, rights, _, _, err = far.ReadMsgUnix(buffer, control)
	check(err)
	messages, err = syscall.ParseSocketControlMessage(control[:rights])
	check(err)
	who, err := syscall.ParseUnixCredentials(&messages[0])
	fmt.Println(n, int(who.Pid) == os.Getpid(), int(who.Uid) == os.Getuid(), err)
	vector := net.Buffers{[]byte("one "), bytes.Repeat([]byte("two "), 100000), []byte("three")}
	go func() {
		vector.WriteTo(near)
		near.Close()
	}()
	text, err = io.ReadAll(far)
	fmt.Println(len(text), string(text[len(text)-5:]), err)
}

type Bell struct{ rung int }

func (b *Bell) Ring(times int, answer *string) error {
	if times < 0 {
		return errors.New("a bell cannot be unrung")
	}
	*answer = strings.Repeat("dong ", times)
	return nil
}

func services() {
	listener, err := net.Listen("unix", "http")
	check(err)
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", func(out http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		out.Header().Set("X-Length", fmt.Sprint(len(body)))
		fmt.Fprintf(out, "%s %s %s", request.Method, request.URL.Query().Get("name"), bytes.ToUpper(body))
	})
	mux.HandleFunc("/stream", func(out http.ResponseWriter, request *http.Request) {
		for i := 0; i < 5; i++ {
			fmt.Fprintln(out, "part", i)
			out.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("/slow", func(out http.ResponseWriter, request *http.Request) { <-request.Context().Done() })
	mux.HandleFunc("/panic", func(out http.ResponseWriter, request *http.Request) { panic(http.ErrAbortHandler) })
	mux.Handle("/files/", http.StripPrefix("/files/", http.FileServer(http.Dir("."))))
	server := &http.Server{Handler: mux}
	served := make(chan error)
	go func() { served <- server.Serve(listener) }()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 10, DialContext: func(limit context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(limit, "unix", "http")
	}}}
	get := func(path string) {
		answer, err := client.Get("http://tower" + path)
		if err != nil {
			fmt.Println(err)
			return
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		fmt.Printf("%s %v %d %.30q %v\n", answer.Status, answer.TransferEncoding, len(body), body, err)
	}
	check(os.WriteFile("big", bytes.Repeat([]byte("0123456789abcdef"), 1<<16), 0o600))
	get("/echo?name=a%20b")
	get("/stream")
	get("/none")
	get("/files/big") // sendfile
	get("/panic")
	var group sync.WaitGroup
	answers := make([]string, 100)
	for i := range answers {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			answer, err := client.Post(fmt.Sprint("http://tower/echo?name=", i), "text/plain", strings.NewReader(strings.Repeat("body ", i*50)))
			check(err)
			body, err := io.ReadAll(answer.Body)
			check(err)
			answer.Body.Close()
			answers[i] = fmt.Sprint(answer.Header.Get("X-Length"), " ", len(body))
		}(i)
	}
	group.Wait()
	sort.Strings(answers)
	fmt.Println(answers[0], answers[50], answers[99])
	limit, stop := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer stop()
	request, err := http.NewRequestWithContext(limit, "GET", "http://tower/slow", nil)
	check(err)
	_, err = client.Do(request)
	fmt.Println(err)
	fmt.Println(server.Shutdown(context.Background()), <-served)

	check(rpc.Register(new(Bell)))
	near, far := pair()
	go rpc.ServeConn(far)
	caller := rpc.NewClient(near)
	var answer string
	fmt.Println(caller.Call("Bell.Ring", 3, &answer), answer)
	fmt.Println(caller.Call("Bell.Ring", -1, &answer))
	fmt.Println(caller.Call("Bell.Break", 1, &answer))
	calls := make(chan *rpc.Call, 200)
	for i := 0; i < 200; i++ {
		caller.Go("Bell.Ring", i%5, new(string), calls)
	}
	total := 0
	for i := 0; i < 200; i++ {
		total += len(*(<-calls).Reply.(*string))
	}
	fmt.Println("rung", total, caller.Close())
}

func main() {
	streams()
	datagrams()
	messages()
	services()
	left, right := net.Pipe()
	go fmt.Fprintln(left, "in memory")
	line, err := bufio.NewReader(right).ReadString('\n')
	fmt.Printf("%q %v\n", line, err)
}

package channel

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"runtime"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"
)

// The tests' other programs are this one again, told by the environment what to do.
func TestMain(m *testing.M) {
	if partner, ok := partners[os.Getenv("CHANNEL_PARTNER")]; ok {
		partner()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var partners = map[string]func(){
	"echo": func() {
		in, out := must(Connect[message]("test-in")), must(Connect[message]("test-out"))
		for {
			m, err := in.Receive()
			if err != nil {
				return
			}
			m.Text += "!"
			check(out.Send(m))
		}
	},
	"dies": func() {
		c := must(Publish[int]("test-dies", 4))
		check(c.Send(1))
		must(Connect[bool]("test-dying")).Receive()
		os.Exit(3)
	},
	"sums": func() {
		in, out := must(Connect[int]("test-in")), must(Connect[int]("test-out"))
		sum := 0
		for {
			n, err := in.Receive()
			if err != nil {
				check(out.Send(sum))
				return
			}
			sum += n
		}
	},
}

type message struct {
	Text  string
	Count int
	Tags  map[string][]float64
	Next  *message
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func must[T any](c *Channel[T], err error) *Channel[T] {
	check(err)
	return c
}

func partnerStart(t *testing.T, name string) *exec.Cmd {
	t.Helper()
	command := exec.Command("/proc/self/exe")
	command.Env = append(os.Environ(), "CHANNEL_PARTNER="+name)
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	return command
}

func system(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(directory); err != nil {
		t.Skip("no /chan here")
	}
}

func TestElsewhere(t *testing.T) {
	if _, err := os.Stat(directory); err == nil {
		t.Skip("this is Carillon")
	}
	if _, err := Publish[int]("test", 1); !errors.Is(err, ErrSystem) {
		t.Errorf("Publish: %v", err)
	}
	if _, err := Connect[int]("test"); !errors.Is(err, ErrSystem) {
		t.Errorf("Connect: %v", err)
	}
	if _, err := List(); !errors.Is(err, ErrSystem) {
		t.Errorf("List: %v", err)
	}
}

func trip[T any](t *testing.T, value T) {
	t.Helper()
	c, err := codecOf[T]()
	if err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, c.sizeFirst)
	packet, err := encode(c, &value, &buffer)
	if err != nil {
		t.Fatal(err)
	}
	if len(packet) == 0 {
		t.Errorf("%v: an empty packet", value)
	}
	packet = append([]byte(nil), packet...)
	var back T
	if err := decode(c, packet, &back); err != nil || !reflect.DeepEqual(value, back) {
		t.Errorf("%v came back as %v, %v", value, back, err)
	}
	if c.isPlain {
		return
	}
	for n := range packet { // what others send may be anything
		var cut T
		decode(c, packet[:n], &cut)
		packet[n] ^= 0x81
		decode(c, packet, &cut)
		packet[n] ^= 0x81
	}
}

func TestEncoding(t *testing.T) {
	trip(t, 42)
	trip(t, struct{}{})
	trip(t, [3]float32{1, 2, -3})
	trip(t, struct {
		a int8
		B complex64
	}{-7, 2i})
	trip(t, "")
	trip(t, "text")
	trip(t, []byte{1, 2})
	trip(t, []int{})
	trip(t, []int(nil))
	trip(t, map[string]int{"one": 1, "two": 2})
	trip(t, []struct{}{{}, {}})
	trip(t, message{"a", -1, map[string][]float64{"x": {1.5}, "y": nil}, &message{Text: "b"}})
	trip(t, []any(nil)[:0:0] == nil)
}

func TestTypes(t *testing.T) {
	if _, err := codecOf[chan int](); err == nil {
		t.Error("a channel can be sent")
	}
	if _, err := codecOf[struct{ text string }](); err == nil {
		t.Error("a hidden string can be sent")
	}
	if _, err := codecOf[any](); err == nil {
		t.Error("an interface can be sent")
	}
	if _, err := codecOf[[70000]byte](); !errors.Is(err, ErrSize) {
		t.Error("70000 bytes can be sent")
	}
	type same struct {
		Text  string
		Count int
		Tags  map[string][]float64
		Next  *same
	}
	hashes := map[uint64]string{}
	add := func(name string, c *codec, err error) {
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := hashes[c.hash]; ok {
			t.Errorf("%s is the same type as %s", name, other)
		}
		hashes[c.hash] = name
	}
	one, err := codecOf[message]()
	add("message", one, err)
	if two, _ := codecOf[same](); two.hash != one.hash {
		t.Error("the name of a type counts")
	}
	c, err := codecOf[int]()
	add("int", c, err)
	c, err = codecOf[int64]()
	add("int64", c, err)
	c, err = codecOf[[]int]()
	add("[]int", c, err)
	c, err = codecOf[[2]int]()
	add("[2]int", c, err)
	c, err = codecOf[struct{ A, B int }]()
	add("{A, B}", c, err)
	c, err = codecOf[struct{ A, C int }]()
	add("{A, C}", c, err)
}

func TestPublish(t *testing.T) {
	system(t)
	c := must(Publish[int]("test", 2))
	if _, err := Publish[int]("test", 2); !errors.Is(err, os.ErrExist) {
		t.Errorf("published twice: %v", err)
	}
	if _, err := Connect[uint]("test"); !errors.Is(err, ErrType) {
		t.Errorf("another type: %v", err)
	}
	if _, err := Connect[int]("tests"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no channel: %v", err)
	}
	for _, bad := range []string{"", "..", "a/b", "a,b"} {
		if _, err := Publish[int](bad, 1); err == nil {
			t.Errorf("the name %q is possible", bad)
		}
	}
	names, err := List()
	check(err)
	if sort.Strings(names); !strings.Contains(" "+strings.Join(names, " ")+" ", " test ") {
		t.Errorf("not in the list: %v", names)
	}
	other := must(Connect[int]("test"))
	check(c.Send(1))
	check(other.Send(2))
	check(c.Close())
	if err := c.Close(); !errors.Is(err, ErrClosed) {
		t.Errorf("closed twice: %v", err)
	}
	for want := 1; want <= 2; want++ {
		if n, err := other.Receive(); n != want || err != nil {
			t.Errorf("received %d, %v", n, err)
		}
	}
	if _, err := other.Receive(); !errors.Is(err, ErrClosed) {
		t.Errorf("receive after the end: %v", err)
	}
	if err := other.Send(1); !errors.Is(err, ErrClosed) {
		t.Errorf("send after the end: %v", err)
	}
	check(other.Close())
}

func TestEcho(t *testing.T) {
	system(t)
	out, in := must(Publish[message]("test-in", 2)), must(Publish[message]("test-out", 2))
	defer in.Close()
	partner := partnerStart(t, "echo")
	for i := 0; i < 200; i++ {
		sent := message{strings.Repeat("x", i*100), i, map[string][]float64{"i": {float64(i)}}, &message{Text: "next"}}
		check(out.Send(sent))
		back, err := in.Receive()
		check(err)
		if sent.Text += "!"; !reflect.DeepEqual(sent, back) {
			t.Fatalf("%d came back as %v", i, back)
		}
	}
	if err := out.Send(message{Text: strings.Repeat("x", sizeMost)}); !errors.Is(err, ErrSize) {
		t.Errorf("too long: %v", err)
	}
	check(out.Close())
	check(partner.Wait())
}

func TestDeath(t *testing.T) {
	system(t)
	dying := must(Publish[bool]("test-dying", 1))
	defer dying.Close()
	partner := partnerStart(t, "dies")
	var c *Channel[int]
	for i := 0; c == nil && i < 500; i++ {
		c, _ = Connect[int]("test-dies")
		time.Sleep(10 * time.Millisecond)
	}
	if c == nil {
		t.Fatal("not published")
	}
	check(dying.Send(true))
	partner.Wait()
	if n, err := c.Receive(); n != 1 || err != nil {
		t.Errorf("received %d, %v", n, err)
	}
	if _, err := c.Receive(); !errors.Is(err, ErrDied) {
		t.Errorf("receive: %v", err)
	}
	if i, err := Select(SendCase(c, 1)); i != 0 || !errors.Is(err, ErrDied) {
		t.Errorf("select: %d, %v", i, err)
	}
	check(c.Close())
}

// Many goroutines wait, and no thread with them; what several programs take is in all what was sent.
func TestMany(t *testing.T) {
	system(t)
	const each, senders = 50, 40
	out, in := must(Publish[int]("test-in", 3)), must(Publish[int]("test-out", 1))
	defer in.Close()
	partners := []*exec.Cmd{partnerStart(t, "sums"), partnerStart(t, "sums")}
	var all sync.WaitGroup
	for g := 0; g < senders; g++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := 1; i <= each; i++ {
				check(out.Send(i))
			}
		}()
	}
	all.Wait()
	check(out.Close())
	sum := 0
	for range partners {
		n, err := in.Receive()
		check(err)
		sum += n
	}
	if sum != senders*each*(each+1)/2 {
		t.Errorf("the sum is %d", sum)
	}
	for _, partner := range partners {
		check(partner.Wait())
	}
}

func TestNoThreads(t *testing.T) {
	system(t)
	c := must(Publish[int]("test", 1))
	other := must(Publish[int]("test-2", 1))
	var all sync.WaitGroup
	for g := 0; g < 50; g++ {
		all.Add(1)
		go func(g int) {
			defer all.Done()
			var err error
			if g%2 == 0 {
				_, err = Select(ReceiveCase(c, nil), ReceiveCase(other, nil))
			} else {
				_, err = c.Receive()
			}
			if !errors.Is(err, ErrClosed) {
				t.Errorf("a waiting goroutine got %v", err)
			}
		}(g)
	}
	time.Sleep(200 * time.Millisecond)
	status, err := os.ReadFile("/proc/self/status")
	check(err)
	threads := 0
	for _, line := range strings.Split(string(status), "\n") {
		fmt.Sscanf(line, "Threads: %d", &threads)
	}
	if threads == 0 || threads > 12+runtime.NumCPU() {
		t.Errorf("%d threads", threads)
	}
	check(c.Close())
	check(other.Close())
	all.Wait()
}

// A program's own Close ends its waits, in the channel that goes on for others.
func TestCloseOwn(t *testing.T) {
	system(t)
	c := must(Publish[int]("test", 1))
	defer c.Close()
	for _, wait := range []func(*Channel[int]) error{
		func(c *Channel[int]) error { _, err := c.Receive(); return err },
		func(c *Channel[int]) error { _, err := Select(ReceiveCase(c, nil)); return err },
	} {
		own := must(Connect[int]("test"))
		result := make(chan error)
		for g := 0; g < 3; g++ {
			go func() { result <- wait(own) }()
		}
		time.Sleep(50 * time.Millisecond)
		check(own.Close())
		for g := 0; g < 3; g++ {
			if err := <-result; !errors.Is(err, ErrClosed) {
				t.Errorf("a waiting goroutine got %v", err)
			}
		}
		if err := own.Send(1); !errors.Is(err, ErrClosed) {
			t.Errorf("send: %v", err)
		}
	}
	check(c.Send(5))
	if n, err := c.Receive(); n != 5 || err != nil {
		t.Errorf("received %d, %v", n, err)
	}
}

func TestSelect(t *testing.T) {
	system(t)
	a, b, full := must(Publish[int]("test-a", 4)), must(Publish[string]("test-b", 4)), must(Publish[int]("test-c", 1))
	defer a.Close()
	defer b.Close()
	defer full.Close()
	check(full.Send(1))
	var n int
	var s string
	var never *Channel[int]
	if i, err := Select(ReceiveCase(a, &n), ReceiveCase(b, &s), SendCase(full, 2), ReceiveCase(never, nil), Case{}, Default()); i != 5 || err != nil {
		t.Errorf("default: %d, %v", i, err)
	}
	started := time.Now()
	if i, err := Select(ReceiveCase(a, &n), After(time.Hour), After(20*time.Millisecond)); i != 2 || err != nil || time.Since(started) < 20*time.Millisecond {
		t.Errorf("after: %d, %v", i, err)
	}
	go func() {
		time.Sleep(20 * time.Millisecond)
		check(b.Send("late"))
	}()
	if i, err := Select(ReceiveCase(a, &n), ReceiveCase(b, &s), SendCase(full, 2)); i != 1 || err != nil || s != "late" {
		t.Errorf("waiting: %d, %v, %q", i, err, s)
	}
	go func() {
		time.Sleep(20 * time.Millisecond)
		full.Receive()
	}()
	if i, err := Select(ReceiveCase(a, &n), SendCase(full, 2), After(time.Hour)); i != 1 || err != nil {
		t.Errorf("room: %d, %v", i, err)
	}
	count := [3]int{}
	for i := 0; i < 900; i++ { // by chance outside once in 10^9
		check(a.Send(i))
		check(b.Send("x"))
		i, err := Select(ReceiveCase(a, &n), ReceiveCase(b, &s), ReceiveCase(full, &n))
		check(err)
		count[i]++
		for k := 0; k < 2; k++ {
			Select(ReceiveCase(a, nil), ReceiveCase(b, nil), Default())
		}
		Select(SendCase(full, 2), Default())
	}
	for _, c := range count {
		if c < 210 || c > 390 {
			t.Errorf("not by chance: %v", count)
		}
	}
}

package channel

import (
	"math/rand"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// A Case is one possibility of a Select: made by SendCase, ReceiveCase, Default or After.
type Case struct {
	try   func() error  // syscall.EAGAIN: not possible now
	end   *end          // where to wait
	after time.Duration // of After
	kind  caseKind
}

type caseKind int

const (
	caseNever caseKind = iota // also the zero Case
	caseTransfer
	caseDefault
	caseAfter
)

// SendCase sends the value. A nil channel never can.
func SendCase[T any](c *Channel[T], value T) Case {
	if c == nil {
		return Case{}
	}
	try := func() error {
		buffer := c.buffer()
		defer c.buffers.Put(buffer)
		packet, err := encode(c.codec, &value, buffer)
		if err != nil {
			return err
		}
		_, err = c.sends.attempt(syscall.SYS_WRITE, packet)
		return err
	}
	return Case{kind: caseTransfer, try: try, end: &c.sends}
}

// ReceiveCase receives into *value, which may be nil. A nil channel never can.
func ReceiveCase[T any](c *Channel[T], value *T) Case {
	if c == nil {
		return Case{}
	}
	try := func() error {
		buffer := c.buffer()
		defer c.buffers.Put(buffer)
		n, err := c.brings.attempt(syscall.SYS_READ, *buffer)
		if err == syscall.EMSGSIZE && len(*buffer) < sizeMost {
			*buffer = make([]byte, sizeMost)
			n, err = c.brings.attempt(syscall.SYS_READ, *buffer)
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrClosed
		}
		var received T
		err = decode(c.codec, (*buffer)[:n], &received)
		if err == nil && value != nil {
			*value = received
		}
		return err
	}
	return Case{kind: caseTransfer, try: try, end: &c.brings}
}

// Default is chosen when nothing else is possible at once, as the default clause is.
func Default() Case { return Case{kind: caseDefault} }

// After is chosen when nothing else has been possible for that time.
func After(d time.Duration) Case { return Case{kind: caseAfter, after: d} }

// attempt reads or writes, if that is possible at once.
func (e *end) attempt(call uintptr, p []byte) (int, error) {
	if !e.enter() {
		return 0, ErrClosed
	}
	n, errno := e.once(call, unsafe.Pointer(&p[0]), uintptr(len(p)))
	e.leave()
	if errno != 0 {
		return 0, errno
	}
	return n, nil
}

// Select does one of the cases and returns its index: one that is possible, each with the same chance, else the default, else it waits. A closed channel is possible: err
// is then ErrClosed or ErrDied, otherwise what the case's Send or Receive would have given. Without any case that ever can be possible it waits for ever.
func Select(cases ...Case) (index int, err error) {
	order := rand.Perm(len(cases))
	var timeout <-chan time.Time
	var w *waiter
	timer, over := -1, false
	for {
		for _, i := range order {
			if cases[i].kind != caseTransfer {
				continue
			}
			if err = cases[i].try(); err != syscall.EAGAIN {
				return i, transferError(err)
			}
		}
		if over { // and with the end of the time nothing had become possible
			return timer, nil
		}
		if w == nil {
			for i := range cases {
				switch {
				case cases[i].kind == caseDefault:
					return i, nil
				case cases[i].kind == caseAfter && (timer < 0 || cases[i].after < cases[timer].after):
					timer = i
				}
			}
			if timer >= 0 {
				t := time.NewTimer(cases[timer].after)
				defer t.Stop()
				timeout = t.C
			}
			if w, err = waiterMake(cases); err != nil {
				return 0, err
			}
			defer w.close()
		}
		select {
		case <-w.news:
		case <-timeout:
			over = true
		}
	}
}

// A waiter tells when something has happened at one of several channels. For each it has a descriptor of its own, so that it stands in nobody's way, and a
// goroutine that waits for it in the runtime's poller.
type waiter struct {
	news  chan struct{} // something may be possible
	files []*os.File
	ends  []*end
	all   sync.WaitGroup
}

func waiterMake(cases []Case) (*waiter, error) {
	w := &waiter{news: make(chan struct{}, 1)}
	for _, c := range cases {
		if c.kind != caseTransfer {
			continue
		}
		if err := w.add(c); err != nil {
			w.close()
			return nil, err
		}
	}
	return w, nil
}

func (w *waiter) add(c Case) error {
	if !c.end.enter() {
		return ErrClosed
	}
	fd, err := syscall.Dup(c.end.fd)
	c.end.leave()
	if err != nil {
		return err
	}
	syscall.CloseOnExec(fd)
	file := os.NewFile(uintptr(fd), "select")
	raw, err := file.SyscallConn()
	if err != nil {
		file.Close()
		return err
	}
	w.files = append(w.files, file)
	w.ends = append(w.ends, c.end)
	w.all.Add(1)
	go func() {
		defer w.all.Done()
		wait := raw.Read
		if c.end.events == pollOut {
			wait = raw.Write
		}
		for { // from one event to the next, the first of which is what is so already
			waited := false
			err := wait(func(uintptr) bool {
				before := waited
				waited = true
				return before
			})
			if err != nil {
				return
			}
			w.tell()
		}
	}()
	c.end.watch(w, true)
	return nil
}

// watch has the waiter told when the end is closed by its own program.
func (e *end) watch(w *waiter, begin bool) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if !begin {
		delete(e.news, w)
		return
	}
	if e.news == nil {
		e.news = map[*waiter]bool{}
	}
	e.news[w] = true
	if atomic.LoadInt32(&e.users) < 0 {
		w.tell()
	}
}

func (w *waiter) tell() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}

func (w *waiter) close() {
	for _, e := range w.ends {
		e.watch(w, false)
	}
	for _, file := range w.files {
		file.Close()
	}
	w.all.Wait()
}

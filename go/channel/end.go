package channel

import (
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// An end is a descriptor of one direction of a channel, non-blocking. What is possible at once is one system call, which the runtime need not know of. A goroutine that
// must wait first does so in its thread, for patience at most: a partner that is at work answers sooner than the runtime's poller could put the goroutine to
// sleep and wake it again. Only then it waits in the poller, without a thread; the descriptor comes to the poller when that happens for the first time.
type end struct {
	fd     int
	waits  int   // a descriptor of the same whose reads wait for patience; -1: there is none, and look is done
	events int16 // of poll
	users  int32 // who use fd now; closed is added once it is closed
	habit  int32 // what the last transfers were like: habitReady, habitShort, habitLong
	turn   int32 // counts in habitShort, to see now and then whether it still holds

	mutex sync.Mutex
	file  *os.File // of fd, once it is in the poller
	raw   syscall.RawConn
	news  map[*waiter]bool // Selects that wait here
}

const (
	habitReady = iota // at once, so that is tried first
	habitShort        // after a short wait, which comes first then: a try that fails costs half as much
	habitLong         // after a long one, so none is made in the thread
)

const (
	patience = 50 * time.Microsecond
	closed   = -1 << 30
	pollIn   = 1
	pollOut  = 4
)

func (e *end) enter() bool {
	if atomic.AddInt32(&e.users, 1) > 0 {
		return true
	}
	e.leave()
	return false
}

func (e *end) leave() {
	if atomic.AddInt32(&e.users, -1) == closed {
		e.shut()
	}
}

// close makes everybody leave; the last one shuts the descriptor. False: it was closed before.
func (e *end) close() bool {
	for {
		users := atomic.LoadInt32(&e.users)
		if users < 0 {
			return false
		}
		if atomic.CompareAndSwapInt32(&e.users, users, users+closed) {
			e.wake()
			if users == 0 {
				e.shut()
			}
			return true
		}
	}
}

func (e *end) shut() {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if e.file != nil {
		e.file.Close()
	} else {
		syscall.Close(e.fd)
	}
	if e.waits >= 0 {
		syscall.Close(e.waits)
	}
}

// wake ends the waits of goroutines that are in the poller, and of Selects.
func (e *end) wake() {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	for w := range e.news {
		w.tell()
	}
	if e.file != nil {
		e.file.SetDeadline(time.Unix(1, 0))
	}
}

// once makes the system call that reads or writes without waiting.
func (e *end) once(call uintptr, p unsafe.Pointer, n uintptr) (int, syscall.Errno) {
	for {
		done, _, errno := syscall.RawSyscall(call, uintptr(e.fd), uintptr(p), n)
		if errno != syscall.EINTR {
			return int(done), errno
		}
	}
}

type pollItem struct {
	fd              int32
	events, revents int16
}

// look waits in this thread, not for long. False: nothing has happened.
func (e *end) look() bool {
	item := pollItem{fd: int32(e.fd), events: e.events}
	most := syscall.NsecToTimespec(int64(patience))
	n, _, _ := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&item)), 1, uintptr(unsafe.Pointer(&most)), 0, 0, 0)
	return int(n) > 0
}

// short reads or writes, waiting in this thread but not for long. EAGAIN: nothing has happened.
func (e *end) short(call uintptr, p unsafe.Pointer, n uintptr) (int, syscall.Errno) {
	if e.waits >= 0 {
		done, _, errno := syscall.Syscall(call, uintptr(e.waits), uintptr(p), n)
		if errno == syscall.EINTR {
			errno = syscall.EAGAIN
		}
		return int(done), errno
	}
	if !e.look() {
		return 0, syscall.EAGAIN
	}
	return e.once(call, p, n)
}

// transfer reads or writes once, and waits until that is possible.
func (e *end) transfer(call uintptr, p unsafe.Pointer, n uintptr) (done int, err error) {
	if !e.enter() {
		return 0, ErrClosed
	}
	errno := syscall.EAGAIN
	habit := atomic.LoadInt32(&e.habit)
	if habit != habitShort || atomic.AddInt32(&e.turn, 1)%16 == 0 {
		done, errno = e.once(call, p, n)
		if habit == habitShort && errno == 0 {
			atomic.StoreInt32(&e.habit, habitReady)
		}
	}
	if errno == syscall.EAGAIN && habit != habitLong {
		done, errno = e.short(call, p, n)
		if errno == syscall.EAGAIN {
			atomic.StoreInt32(&e.habit, habitLong)
		} else if habit == habitReady {
			atomic.StoreInt32(&e.habit, habitShort)
		}
	}
	if errno == syscall.EAGAIN {
		done, err = e.park(call, p, n)
	} else if errno != 0 {
		err = errno
	}
	e.leave()
	return done, err
}

// park waits in the runtime's poller. Its buffer is its own: p may lie on the goroutine's stack, which can move meanwhile.
func (e *end) park(call uintptr, p unsafe.Pointer, n uintptr) (done int, err error) {
	raw, err := e.poller()
	if err != nil {
		return 0, err
	}
	started := time.Now()
	given, own := unsafe.Slice((*byte)(p), n), make([]byte, n)
	wait := raw.Read
	if e.events == pollOut {
		wait = raw.Write
		copy(own, given)
	}
	var errno syscall.Errno
	over := wait(func(uintptr) bool {
		done, errno = e.once(call, unsafe.Pointer(&own[0]), n)
		return errno != syscall.EAGAIN
	})
	if over != nil {
		return 0, ErrClosed
	}
	if time.Since(started) < patience {
		atomic.StoreInt32(&e.habit, habitReady)
	}
	if e.events == pollIn && errno == 0 {
		copy(given, own[:done])
	}
	if errno != 0 {
		return 0, errno
	}
	return done, nil
}

func (e *end) poller() (syscall.RawConn, error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if e.file == nil {
		file := os.NewFile(uintptr(e.fd), "channel")
		raw, err := file.SyscallConn()
		if err != nil {
			return nil, err
		}
		e.file, e.raw = file, raw
	}
	if atomic.LoadInt32(&e.users) < 0 { // it was closed before it could be woken
		e.file.SetDeadline(time.Unix(1, 0))
	}
	return e.raw, nil
}

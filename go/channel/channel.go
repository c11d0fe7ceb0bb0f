package channel

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"unsafe"
)

// Errors, to be compared with errors.Is.
var (
	ErrClosed = errors.New("channel: closed")
	ErrDied   = errors.New("channel: its publisher has died")
	ErrType   = errors.New("channel: published with another type")
	ErrSystem = errors.New("channel: no /chan here: this system is not Carillon")
	ErrSize   = errors.New("channel: a value of more than 65536 bytes")
)

const (
	directory = "/chan/"
	sizeMost  = 65536
	ownerDead = syscall.Errno(130) // EOWNERDEAD: what a channel gives whose publisher has died
)

// A Channel is one program's use of a published channel of T.
type Channel[T any] struct {
	name          string
	publisher     bool
	codec         *codec
	sends, brings end
	buffers       sync.Pool // of *[]byte, as long as the longest value so far
}

// Publish makes a channel with room for so many values (at least one) and puts it under the name into the list. The name must be new; it may contain neither '/'
// nor ','.
func Publish[T any](name string, capacity int) (*Channel[T], error) {
	if capacity < 1 {
		return nil, fmt.Errorf("channel: publish %s: a capacity of %d", name, capacity)
	}
	return open[T](name, fmt.Sprintf(",capacity=%d", capacity), syscall.O_CREAT|syscall.O_EXCL)
}

// Connect opens the channel that is published under the name.
func Connect[T any](name string) (*Channel[T], error) {
	return open[T](name, "", 0)
}

func open[T any](name, options string, flags int) (*Channel[T], error) {
	what := "connect to "
	if flags != 0 {
		what = "publish "
	}
	codec, err := codecOf[T]()
	if err != nil {
		return nil, err
	}
	if !nameGood(name) {
		return nil, fmt.Errorf("channel: %s%q: no such name is possible", what, name)
	}
	path := fmt.Sprintf("%s%s,type=%x", directory, name, codec.hash)
	out, in, waits, err := openAll(path, options, flags)
	if err != nil {
		return nil, fmt.Errorf("channel: %s%s: %w", what, name, openError(err))
	}
	return &Channel[T]{name: name, publisher: flags != 0, codec: codec, sends: end{fd: out, waits: -1, events: pollOut}, brings: end{fd: in, waits: waits, events: pollIn}}, nil
}

// openAll opens a descriptor to send and two to receive, one of which waits a little. Each is told only of its own direction. The publisher is the first.
func openAll(path, options string, flags int) (out, in, waits int, err error) {
	const always = syscall.O_NONBLOCK | syscall.O_CLOEXEC
	paths := [3]string{path + options, path, fmt.Sprintf("%s,patience=%d", path, patience.Nanoseconds())}
	modes := [3]int{flags | syscall.O_WRONLY, syscall.O_RDONLY, syscall.O_RDONLY}
	for {
		var fds [3]int
		var nodes [3]syscall.Stat_t
		same := true
		for i := range fds {
			if fds[i], err = syscall.Open(paths[i], modes[i]|always, 0666); err == nil {
				err = syscall.Fstat(fds[i], &nodes[i])
			}
			if err != nil {
				for _, fd := range fds[:i] {
					syscall.Close(fd)
				}
				return
			}
			same = same && nodes[i].Ino == nodes[0].Ino
		}
		if same {
			return fds[0], fds[1], fds[2], nil
		}
		for _, fd := range fds { // the name has come to another channel in between
			syscall.Close(fd)
		}
	}
}

func nameGood(name string) bool {
	if name == "" || name == "." || name == ".." {
		return false
	}
	for i := 0; i < len(name); i++ {
		if name[i] == '/' || name[i] == ',' || name[i] == 0 {
			return false
		}
	}
	return true
}

func openError(err error) error {
	if err == syscall.EPROTOTYPE {
		return ErrType
	}
	if _, e := os.Stat(directory); e != nil {
		return ErrSystem
	}
	return err
}

// transferError says what a failed read or write means.
func transferError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EPIPE):
		return ErrClosed
	case errors.Is(err, ownerDead):
		return ErrDied
	case errors.Is(err, syscall.EMSGSIZE):
		return ErrSize
	}
	return err
}

// Name tells under which name the channel is published.
func (c *Channel[T]) Name() string { return c.name }

func (c *Channel[T]) buffer() *[]byte {
	if b, ok := c.buffers.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, c.codec.sizeFirst)
	return &b
}

// Send waits until there is room and puts a value into the channel. ErrClosed, ErrDied, ErrSize.
func (c *Channel[T]) Send(value T) error {
	if !c.codec.isPlain || c.codec.plain == 0 {
		return c.sendEncoded(value)
	}
	_, err := c.sends.transfer(syscall.SYS_WRITE, unsafe.Pointer(&value), c.codec.plain)
	return transferError(err)
}

func (c *Channel[T]) sendEncoded(value T) error {
	buffer := c.buffer()
	defer c.buffers.Put(buffer)
	packet, err := encode(c.codec, &value, buffer)
	if err == nil {
		_, err = c.sends.transfer(syscall.SYS_WRITE, unsafe.Pointer(&packet[0]), uintptr(len(packet)))
	}
	return transferError(err)
}

// Receive waits for a value and takes it out of the channel. ErrClosed, ErrDied.
func (c *Channel[T]) Receive() (value T, err error) {
	if !c.codec.isPlain || c.codec.plain == 0 {
		return c.receiveEncoded()
	}
	n, err := c.brings.transfer(syscall.SYS_READ, unsafe.Pointer(&value), c.codec.plain)
	if err != nil || uintptr(n) != c.codec.plain {
		return value, receiveError(n, err)
	}
	return value, nil
}

// receiveError says what it means that no value has come.
func receiveError(n int, err error) error {
	switch {
	case err != nil:
		return transferError(err)
	case n == 0:
		return ErrClosed
	}
	return errPacket
}

func (c *Channel[T]) receiveEncoded() (value T, err error) {
	buffer := c.buffer()
	defer c.buffers.Put(buffer)
	for {
		n, err := c.brings.transfer(syscall.SYS_READ, unsafe.Pointer(&(*buffer)[0]), uintptr(len(*buffer)))
		if err == nil && n > 0 {
			return value, decode(c.codec, (*buffer)[:n], &value)
		}
		if !errors.Is(err, syscall.EMSGSIZE) || len(*buffer) == sizeMost {
			return value, receiveError(n, err)
		}
		*buffer = make([]byte, sizeMost)
	}
}

// Close ends this use of the channel, and, if it is the publisher's, the channel (see the package's documentation). Goroutines that wait in it get ErrClosed.
func (c *Channel[T]) Close() (err error) {
	if !c.brings.close() {
		return ErrClosed
	}
	if c.publisher {
		if err = syscall.Unlink(directory + c.name); err == syscall.ENOENT {
			err = nil // somebody has withdrawn it already
		}
	}
	c.sends.close()
	return err
}

// List tells the names of all channels that are published now.
func List() ([]string, error) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil, openError(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names, nil
}

package channel

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
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
	name      string
	publisher bool
	codec     *codec
	file      *os.File        // non-blocking, in the runtime's poller
	raw       syscall.RawConn // of file
	buffers   sync.Pool       // of *[]byte, as long as the longest value so far
	closing   sync.Once
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
	path := fmt.Sprintf("%s%s,type=%x%s", directory, name, codec.hash, options)
	fd, err := syscall.Open(path, flags|syscall.O_RDWR|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0666)
	if err != nil {
		return nil, fmt.Errorf("channel: %s%s: %w", what, name, openError(err))
	}
	c := &Channel[T]{name: name, publisher: flags != 0, codec: codec, file: os.NewFile(uintptr(fd), directory+name)}
	c.raw, err = c.file.SyscallConn()
	if err != nil {
		c.file.Close()
		return nil, err
	}
	return c, nil
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
	case err == io.EOF, errors.Is(err, syscall.EPIPE), errors.Is(err, os.ErrClosed):
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
	buffer := c.buffer()
	defer c.buffers.Put(buffer)
	packet, err := encode(c.codec, &value, buffer)
	if err == nil {
		_, err = c.file.Write(packet)
	}
	return transferError(err)
}

// Receive waits for a value and takes it out of the channel. ErrClosed, ErrDied.
func (c *Channel[T]) Receive() (value T, err error) {
	buffer := c.buffer()
	defer c.buffers.Put(buffer)
	for {
		var n int
		n, err = c.file.Read(*buffer)
		if err == nil {
			return value, decode(c.codec, (*buffer)[:n], &value)
		}
		if !errors.Is(err, syscall.EMSGSIZE) || len(*buffer) == sizeMost {
			return value, transferError(err)
		}
		*buffer = make([]byte, sizeMost)
	}
}

// Close ends this use of the channel, and, if it is the publisher's, the channel (see the package's documentation). Goroutines that wait in it get ErrClosed.
func (c *Channel[T]) Close() error {
	err := ErrClosed
	c.closing.Do(func() {
		err = nil
		if c.publisher {
			if err = syscall.Unlink(directory + c.name); err == syscall.ENOENT {
				err = nil // somebody has withdrawn it already
			}
		}
		if e := c.file.Close(); err == nil {
			err = e
		}
	})
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

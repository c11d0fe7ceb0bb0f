package channel_test

import (
	"errors"
	"fmt"
	"time"

	"carillon/channel"
)

// Two programs: here both are goroutines, and each has its own use of the channel.
func Example() {
	ticks, err := channel.Publish[string]("example-ticks", 4)
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() {
		for _, word := range []string{"ding", "dong"} {
			ticks.Send(word)
		}
		ticks.Close()
	}()

	heard, err := channel.Connect[string]("example-ticks")
	for err == nil {
		var word string
		if word, err = heard.Receive(); err == nil {
			fmt.Println(word)
		}
	}
	fmt.Println(errors.Is(err, channel.ErrClosed))
	// Output:
	// ding
	// dong
	// true
}

func ExampleSelect() {
	type key struct{ Code, State int }
	keys, _ := channel.Publish[key]("example-keys", 16)
	quit, _ := channel.Publish[bool]("example-quit", 1)
	defer keys.Close()
	defer quit.Close()
	keys.Send(key{30, 1})

	var k key
	for done := false; !done; {
		which, err := channel.Select(channel.ReceiveCase(keys, &k), channel.ReceiveCase(quit, nil), channel.After(50*time.Millisecond))
		switch {
		case err != nil:
			fmt.Println(err)
			return
		case which == 0:
			fmt.Println("key", k.Code)
		case which == 1:
			done = true
		default:
			fmt.Println("nothing for a while")
			quit.Send(true)
		}
	}
	// Output:
	// key 30
	// nothing for a while
}

func ExampleConnect() {
	published, _ := channel.Publish[int]("example-number", 1)
	defer published.Close()
	_, err := channel.Connect[string]("example-number")
	fmt.Println(errors.Is(err, channel.ErrType))
	// Output: true
}

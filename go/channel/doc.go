/*
Package channel gives typed channels between programs on Carillon.

One program publishes a channel under a name in the system-wide list, others connect to it by that name, and all of them send and receive values of
one type, as goroutines do through a channel of their program:

	ticks, err := channel.Publish[time.Time]("clock", 8)     // one program
	ticks, err := channel.Connect[time.Time]("clock")        // any other

	err = ticks.Send(time.Now())
	now, err := ticks.Receive()

It is one queue with room for the number of values that its publisher chose: any number of programs may send and receive, and each value is received once. Select waits
for several channels with the meaning of Go's select statement.

# Types

A channel's type is the structure of T: kinds, lengths, and names of fields, not the names of types, so that two programs may each declare their own. Connect fails
with ErrType if the publisher's differs. T may be made of booleans, numbers, strings, arrays, slices, maps, pointers and structures; a structure that holds anything but
plain values must have exported fields only. Values are copied; what pointers share, or a cycle, does not survive. A value takes at most 65536 bytes on its way.

# Ends

Close by the publisher withdraws the name and closes the channel: what is queued can still be received, then Receive gives ErrClosed, as does Send at once. If the
publisher's program ends without that, it is ErrDied instead. Close by others only ends their own use.

# Goroutines

A goroutine that waits in Send or Receive keeps its thread for 50 microseconds at most, if waits have been that short lately; else, and in Select, it waits in the
runtime's poller and holds no thread. All functions may be called by many goroutines at a time.

On a system that has no /chan, every function that opens a channel fails with ErrSystem.
*/
package channel

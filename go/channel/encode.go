package channel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"reflect"
	"sort"
	"sync"
	"unsafe"
)

// How values become packets. A type without pointers is its memory: both programs run on one machine. Anything else is written kind by kind, lengths and
// integers as varints, behind one byte (so that no packet is empty).

type codec struct {
	hash      uint64 // of the type's structure, never 0
	plain     uintptr
	isPlain   bool
	sizeFirst int // of a buffer
}

var errPacket = errors.New("channel: a packet that is no value of the type")

var codecs sync.Map // reflect.Type -> *codec

func codecOf[T any]() (*codec, error) {
	t := reflect.TypeOf((*T)(nil)).Elem()
	if known, ok := codecs.Load(t); ok {
		return known.(*codec), nil
	}
	plain, err := typeCheck(t, map[reflect.Type]bool{})
	if err != nil {
		return nil, fmt.Errorf("channel: %v cannot be sent: %w", t, err)
	}
	hash := fnv.New64a()
	hash.Write([]byte(typeText(t, map[reflect.Type]int{})))
	c := &codec{hash: hash.Sum64() | 1, isPlain: plain, plain: t.Size(), sizeFirst: 4096}
	if plain {
		if t.Size() > sizeMost {
			return nil, ErrSize
		}
		c.sizeFirst = int(t.Size())
		if c.sizeFirst == 0 {
			c.sizeFirst = 1
		}
	}
	known, _ := codecs.LoadOrStore(t, c)
	return known.(*codec), nil
}

// typeCheck tells whether a type is plain memory, or why it cannot be sent.
func typeCheck(t reflect.Type, within map[reflect.Type]bool) (plain bool, err error) {
	if within[t] {
		return false, nil
	}
	within[t] = true
	defer delete(within, t)
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return true, nil
	case reflect.Array:
		return typeCheck(t.Elem(), within)
	case reflect.String:
		return false, nil
	case reflect.Slice, reflect.Ptr:
		_, err = typeCheck(t.Elem(), within)
		return false, err
	case reflect.Map:
		if _, err = typeCheck(t.Key(), within); err == nil {
			_, err = typeCheck(t.Elem(), within)
		}
		return false, err
	case reflect.Struct:
		plain, hidden := true, ""
		for i := 0; i < t.NumField(); i++ {
			field := t.Field(i)
			one, err := typeCheck(field.Type, within)
			if err != nil {
				return false, err
			}
			plain = plain && one
			if field.PkgPath != "" {
				hidden = field.Name
			}
		}
		if !plain && hidden != "" {
			return false, fmt.Errorf("field %s of %v is not exported", hidden, t)
		}
		return plain, nil
	}
	return false, fmt.Errorf("kind %v", t.Kind())
}

// typeText is the structure that two programs must agree on.
func typeText(t reflect.Type, seen map[reflect.Type]int) string {
	if number, again := seen[t]; again {
		return fmt.Sprintf("^%d", number)
	}
	switch t.Kind() {
	case reflect.Array:
		return fmt.Sprintf("[%d]%s", t.Len(), typeText(t.Elem(), seen))
	case reflect.Slice:
		return "[]" + typeText(t.Elem(), seen)
	case reflect.Map:
		return "map[" + typeText(t.Key(), seen) + "]" + typeText(t.Elem(), seen)
	case reflect.Ptr:
		seen[t] = len(seen)
		return "*" + typeText(t.Elem(), seen)
	case reflect.Struct:
		seen[t] = len(seen)
		text := "{"
		for i := 0; i < t.NumField(); i++ {
			text += t.Field(i).Name + " " + typeText(t.Field(i).Type, seen) + ";"
		}
		return text + "}"
	}
	return t.Kind().String()
}

func encode[T any](c *codec, value *T, buffer *[]byte) ([]byte, error) {
	if c.isPlain {
		if c.plain == 0 {
			return (*buffer)[:1], nil
		}
		return unsafe.Slice((*byte)(unsafe.Pointer(value)), c.plain), nil
	}
	packet := append((*buffer)[:0], 1)
	if text, ok := any(value).(*string); ok {
		packet = append(packet, *text...)
	} else if bytes, ok := any(value).(*[]byte); ok {
		packet = append(packet, *bytes...)
	} else {
		packet = appendValue(packet, reflect.ValueOf(value).Elem())
	}
	if len(packet) > sizeMost {
		return nil, ErrSize
	}
	*buffer = packet[:cap(packet)]
	return packet, nil
}

func decode[T any](c *codec, packet []byte, value *T) error {
	if c.isPlain {
		if uintptr(len(packet)) != c.plain && c.plain != 0 {
			return errPacket
		}
		copy(unsafe.Slice((*byte)(unsafe.Pointer(value)), c.plain), packet)
		return nil
	}
	if len(packet) < 1 || packet[0] != 1 {
		return errPacket
	}
	packet = packet[1:]
	if text, ok := any(value).(*string); ok {
		*text = string(packet)
		return nil
	}
	if bytes, ok := any(value).(*[]byte); ok {
		*bytes = append([]byte(nil), packet...)
		return nil
	}
	r := reader{packet}
	if !r.value(reflect.ValueOf(value).Elem()) || len(r.left) != 0 {
		return errPacket
	}
	return nil
}

func appendUint(b []byte, n uint64) []byte {
	var bytes [binary.MaxVarintLen64]byte
	return append(b, bytes[:binary.PutUvarint(bytes[:], n)]...)
}

func appendValue(b []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			return append(b, 1)
		}
		return append(b, 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n := v.Int()
		return appendUint(b, uint64(n<<1)^uint64(n>>63))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return appendUint(b, v.Uint())
	case reflect.Float32, reflect.Float64:
		return appendUint(b, math.Float64bits(v.Float()))
	case reflect.Complex64, reflect.Complex128:
		return appendUint(appendUint(b, math.Float64bits(real(v.Complex()))), math.Float64bits(imag(v.Complex())))
	case reflect.String:
		return append(appendUint(b, uint64(v.Len())), v.String()...)
	case reflect.Array:
		for i := 0; i < v.Len(); i++ {
			b = appendValue(b, v.Index(i))
		}
	case reflect.Slice:
		if v.IsNil() {
			return appendUint(b, 0)
		}
		b = appendUint(b, uint64(v.Len())+1)
		for i := 0; i < v.Len(); i++ {
			b = appendValue(b, v.Index(i))
		}
	case reflect.Map:
		if v.IsNil() {
			return appendUint(b, 0)
		}
		b = appendUint(b, uint64(v.Len())+1)
		pairs := make([]string, 0, v.Len()) // in one order, so that equal maps are equal packets
		for entry := v.MapRange(); entry.Next(); {
			pairs = append(pairs, string(appendValue(appendValue(nil, entry.Key()), entry.Value())))
		}
		sort.Strings(pairs)
		for _, pair := range pairs {
			b = append(b, pair...)
		}
	case reflect.Ptr:
		if v.IsNil() {
			return append(b, 0)
		}
		if len(b) > sizeMost {
			return b // a cycle: it is too long anyway
		}
		return appendValue(append(b, 1), v.Elem())
	case reflect.Struct:
		for i := 0; i < v.NumField(); i++ {
			b = appendValue(b, v.Field(i))
		}
	}
	return b
}

// A reader takes a packet apart. Its functions return false when that is no value of the type: the other program may be anybody.
type reader struct{ left []byte }

func (r *reader) uint(n *uint64) bool {
	value, size := binary.Uvarint(r.left)
	if size <= 0 {
		return false
	}
	r.left = r.left[size:]
	*n = value
	return true
}

// length reads a count of things that take at least `least` bytes each.
func (r *reader) length(n *uint64, least uint64) bool {
	return r.uint(n) && (least == 0 && *n <= sizeMost || least != 0 && *n <= uint64(len(r.left))+1)
}

func (r *reader) value(v reflect.Value) bool {
	var n, m uint64
	switch v.Kind() {
	case reflect.Bool:
		if !r.uint(&n) || n > 1 {
			return false
		}
		v.SetBool(n == 1)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if !r.uint(&n) || v.OverflowInt(int64(n>>1)^-int64(n&1)) {
			return false
		}
		v.SetInt(int64(n>>1) ^ -int64(n&1))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if !r.uint(&n) || v.OverflowUint(n) {
			return false
		}
		v.SetUint(n)
	case reflect.Float32, reflect.Float64:
		if !r.uint(&n) {
			return false
		}
		v.SetFloat(math.Float64frombits(n))
	case reflect.Complex64, reflect.Complex128:
		if !r.uint(&n) || !r.uint(&m) {
			return false
		}
		v.SetComplex(complex(math.Float64frombits(n), math.Float64frombits(m)))
	case reflect.String:
		if !r.uint(&n) || n > uint64(len(r.left)) {
			return false
		}
		v.SetString(string(r.left[:n]))
		r.left = r.left[n:]
	case reflect.Array:
		return r.elements(v, v.Len())
	case reflect.Slice:
		if !r.length(&n, uint64(v.Type().Elem().Size())) {
			return false
		}
		if n == 0 {
			return true
		}
		v.Set(reflect.MakeSlice(v.Type(), int(n-1), int(n-1)))
		return r.elements(v, int(n-1))
	case reflect.Map:
		if !r.length(&n, 0) {
			return false
		}
		return n == 0 || r.entries(v, int(n-1))
	case reflect.Ptr:
		if !r.uint(&n) || n > 1 {
			return false
		}
		if n == 1 {
			v.Set(reflect.New(v.Type().Elem()))
			return r.value(v.Elem())
		}
	case reflect.Struct:
		for i := 0; i < v.NumField(); i++ {
			if !r.value(v.Field(i)) {
				return false
			}
		}
	}
	return true
}

func (r *reader) elements(v reflect.Value, count int) bool {
	for i := 0; i < count; i++ {
		if !r.value(v.Index(i)) {
			return false
		}
	}
	return true
}

func (r *reader) entries(v reflect.Value, count int) bool {
	v.Set(reflect.MakeMap(v.Type()))
	for i := 0; i < count; i++ {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		if !r.value(key) || !r.value(value) {
			return false
		}
		v.SetMapIndex(key, value)
	}
	return true
}

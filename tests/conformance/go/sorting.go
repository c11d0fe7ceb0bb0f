// Sorting, maps and strings with much data, by several goroutines at once: what a program does that only computes.
package main

import (
	"container/heap"
	"container/list"
	"crypto/sha256"
	"fmt"
	"math"
	"math/cmplx"
	"math/rand"
	"reflect"
	"sort"
	"strings"
	"sync"
	"unicode"
)

type record struct {
	name  string
	value float64
	index int
}

type queue []record

func (q queue) Len() int                 { return len(q) }
func (q queue) Less(i, j int) bool       { return q[i].value < q[j].value }
func (q queue) Swap(i, j int)            { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(entry interface{})  { *q = append(*q, entry.(record)) }
func (q *queue) Pop() (last interface{}) { *q, last = (*q)[:len(*q)-1], (*q)[len(*q)-1]; return last }

func records(count int, seed int64) []record {
	random := rand.New(rand.NewSource(seed))
	made := make([]record, count)
	for i := range made {
		made[i] = record{fmt.Sprintf("%06x", random.Intn(1<<24)), random.ExpFloat64(), i}
	}
	return made
}

func merge(left, right []int) []int {
	var merged []int
	for len(left) > 0 && len(right) > 0 {
		if left[0] <= right[0] {
			merged, left = append(merged, left[0]), left[1:]
		} else {
			merged, right = append(merged, right[0]), right[1:]
		}
	}
	return append(append(merged, left...), right...)
}

func mergeSort(values []int) []int {
	if len(values) < 2000 {
		sorted := append([]int(nil), values...)
		sort.Ints(sorted)
		return sorted
	}
	var left []int
	var group sync.WaitGroup
	group.Add(1)
	go func() {
		defer group.Done()
		left = mergeSort(values[:len(values)/2])
	}()
	right := mergeSort(values[len(values)/2:])
	group.Wait()
	return merge(left, right)
}

func transform(values []complex128) []complex128 {
	n := len(values)
	if n == 1 {
		return values
	}
	even, odd, out := make([]complex128, n/2), make([]complex128, n/2), make([]complex128, n)
	for i := range even {
		even[i], odd[i] = values[2*i], values[2*i+1]
	}
	even, odd = transform(even), transform(odd)
	for i := range even {
		turned := cmplx.Rect(1, -2*math.Pi*float64(i)/float64(n)) * odd[i]
		out[i], out[i+n/2] = even[i]+turned, even[i]-turned
	}
	return out
}

func Map[K, V any](values []K, change func(K) V) []V {
	changed := make([]V, len(values))
	for i, value := range values {
		changed[i] = change(value)
	}
	return changed
}

func main() {
	all := records(100000, 1)
	sort.Slice(all, func(i, j int) bool { return all[i].value < all[j].value })
	fmt.Println(all[0], all[len(all)-1])
	sort.SliceStable(all, func(i, j int) bool { return all[i].name < all[j].name })
	fmt.Printf("%x\n", sha256.Sum256([]byte(fmt.Sprint(all))))
	at := sort.Search(len(all), func(i int) bool { return all[i].name >= "800000" })
	fmt.Println(at, all[at])

	random := rand.New(rand.NewSource(6))
	values := random.Perm(200000)
	sorted := mergeSort(values)
	fmt.Println(sort.IntsAreSorted(sorted), sorted[12345], len(sorted))
	var waiting queue
	for _, each := range records(20000, 2) {
		heap.Push(&waiting, each)
	}
	order := sha256.New()
	for len(waiting) > 0 {
		fmt.Fprint(order, heap.Pop(&waiting).(record).index, " ")
	}
	fmt.Printf("%x\n", order.Sum(nil))

	table := map[string][]int{}
	for _, each := range all {
		table[each.name[:3]] = append(table[each.name[:3]], each.index)
	}
	deleted := 0
	for name := range table {
		if name[0] == 'f' {
			delete(table, name)
			deleted++
		}
	}
	fmt.Println(len(table), deleted, len(table["abc"]))
	used := list.New()
	for i := 0; i < 100000; i++ {
		used.PushFront(i)
		if used.Len() > 1000 {
			used.Remove(used.Back())
		}
	}
	fmt.Println(used.Len(), used.Back().Value)

	signal := make([]complex128, 1<<14)
	for i := range signal {
		signal[i] = complex(math.Sin(float64(i)*2*math.Pi*100/(1<<14))+math.Cos(float64(i)*2*math.Pi*3000/(1<<14))/2, 0)
	}
	var peaks []int
	for i, each := range transform(signal)[:1<<13] {
		if cmplx.Abs(each) > 1000 {
			peaks = append(peaks, i)
		}
	}
	fmt.Println("peaks", peaks)
	text := strings.Repeat("Ding dong, Glocke läutet; 鐘 ", 20000)
	words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
	counts := map[string]int{}
	for _, word := range Map(words, strings.ToLower) {
		counts[word]++
	}
	fmt.Println(counts, strings.Count(text, "o"), strings.LastIndex(text, "dong"), len([]rune(text)))
	fmt.Println(reflect.DeepEqual(strings.Split(strings.Join(words, "\x00"), "\x00"), words), strings.EqualFold("LÄUTET", "läutet"))
	digits := make([]int, 900) // of pi, by the spigot
	var out strings.Builder
	for i := range digits {
		digits[i] = 2000
	}
	for n, carry := len(digits)-1, 0; n > 0; n -= 14 {
		sum := 0
		for i := n; i > 0; i-- {
			sum = sum*i + digits[i]*10000
			digits[i], sum = sum%(2*i-1), sum/(2*i-1)
		}
		fmt.Fprintf(&out, "%04d", carry+sum/10000)
		carry = sum % 10000
	}
	fmt.Println(out.String())
}

// Encoders and decoders over megabytes: json, gob, xml, csv, binary, base64 and their like; templates for text and HTML; numbers as text.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/ascii85"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/csv"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"io"
	"math"
	"math/big"
	"math/rand"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	texts "text/template"
)

type bell struct {
	Name    string            `json:"name" xml:"name,attr"`
	Weight  float64           `json:"weight"`
	Number  int64             `json:"number"`
	Cast    []int             `json:"cast,omitempty" xml:"cast>year"`
	Marks   map[string]string `json:"marks" xml:"-"`
	Partial *bell             `json:"partial,omitempty"`
}

func bells(count int) []bell {
	random := rand.New(rand.NewSource(1))
	made := make([]bell, count)
	for i := range made {
		made[i] = bell{Name: fmt.Sprintf("bell <%d> \"\u00e9\u4e16\" & %c", i, 'a'+i%26), Weight: random.NormFloat64() * 1e6, Number: random.Int63(),
			Cast: random.Perm(i % 5), Marks: map[string]string{"b": strconv.Itoa(i), "a": strings.Repeat("x", i%7)}}
		if len(made[i].Cast) == 0 {
			made[i].Cast = nil // as decoders leave it
		}
		if i%3 == 0 {
			made[i].Partial = &bell{Name: "partial", Weight: float64(i) / 3, Marks: map[string]string{"": "\x01"}}
		}
	}
	return made
}

func check(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

func show(name string, encoded []byte) {
	fmt.Printf("%s: %d bytes, %x\n", name, len(encoded), sha256.Sum256(encoded))
}

func structures(made []bell) {
	encoded, err := json.MarshalIndent(made, "", " ")
	check(err)
	show("json", encoded)
	var again []bell
	check(json.Unmarshal(encoded, &again))
	fmt.Println("json same", reflect.DeepEqual(made, again))
	decoder, count := json.NewDecoder(bytes.NewReader(encoded)), 0
	for {
		if _, err := decoder.Token(); err == io.EOF {
			break
		} else {
			check(err)
		}
		count++
	}
	fmt.Println("json tokens", count)
	fmt.Println("json error:", json.Unmarshal(encoded[:len(encoded)/2], &again))
	fmt.Println("json error:", json.Unmarshal([]byte(`{"name": 7}`), new(bell)))

	reader, writer := io.Pipe() // from one goroutine to another
	go func() {
		encoder := gob.NewEncoder(writer)
		for i := range made {
			check(encoder.Encode(&made[i]))
		}
		writer.Close()
	}()
	same, from := 0, gob.NewDecoder(reader)
	for i := range made {
		var one bell
		check(from.Decode(&one))
		if reflect.DeepEqual(one, made[i]) {
			same++
		}
	}
	fmt.Println("gob same", same, from.Decode(new(bell)))

	encoded, err = xml.MarshalIndent(struct {
		XMLName xml.Name `xml:"tower"`
		Bell    []bell
	}{Bell: made[:1000]}, "", "\t")
	check(err)
	show("xml", encoded)
	var tower struct{ Bell []bell }
	check(xml.Unmarshal(encoded, &tower))
	fmt.Println("xml", len(tower.Bell), tower.Bell[999].Name, tower.Bell[999].Partial.Weight)
	fmt.Println("xml error:", xml.Unmarshal([]byte("<a><b></a>"), &tower))

	var table bytes.Buffer
	rows := csv.NewWriter(&table)
	for _, each := range made {
		check(rows.Write([]string{each.Name, strconv.FormatFloat(each.Weight, 'g', -1, 64), fmt.Sprint(each.Cast), "line\nbreak"}))
	}
	rows.Flush()
	show("csv", table.Bytes())
	records, err := csv.NewReader(&table).ReadAll()
	check(err)
	fmt.Println("csv", len(records), records[len(records)-1])
}

func bytesAsText(data []byte) {
	var out bytes.Buffer
	for _, each := range []struct {
		name string
		into io.WriteCloser
	}{{"base64", base64.NewEncoder(base64.StdEncoding, &out)}, {"base32", base32.NewEncoder(base32.HexEncoding, &out)}, {"ascii85", ascii85.NewEncoder(&out)},
		{"hex", hex.Dumper(&out)}} {
		out.Reset()
		each.into.Write(data[:1000])
		each.into.Write(data[1000:])
		each.into.Close()
		show(each.name, out.Bytes())
		if each.name == "base64" {
			again, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, &out))
			fmt.Println("base64 same", bytes.Equal(data, again), err)
		}
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "BELL", Headers: map[string]string{"Key": "c"}, Bytes: data[:5000]})
	show("pem", block)
	parsed, rest := pem.Decode(append(block, "after"...))
	fmt.Println("pem", parsed.Type, len(parsed.Bytes), string(rest))
	_, err := base64.StdEncoding.DecodeString("ab!d")
	fmt.Println("base64 error:", err)
	out.Reset()
	values := make([]struct {
		A uint16
		B int32
		C float32
		D [3]int8
	}, 20000)
	for i := range values {
		values[i].A, values[i].B, values[i].C, values[i].D[2] = uint16(i), int32(-i), float32(i)/7, int8(i)
	}
	check(binary.Write(&out, binary.BigEndian, values))
	show("binary", out.Bytes())
	again := make([]struct {
		A uint16
		B int32
		C float32
		D [3]int8
	}, len(values))
	check(binary.Read(&out, binary.BigEndian, again))
	fmt.Println("binary same", reflect.DeepEqual(values, again))
}

func templates(made []bell) {
	var out bytes.Buffer
	functions := texts.FuncMap{"upper": strings.ToUpper, "fails": func() (string, error) { return "", errors.New("it fails") }}
	list := texts.Must(texts.New("list").Funcs(functions).Parse(`{{define "one"}}{{printf "%-12.12s|%8.2f" .Name .Weight}}{{end -}}
{{range $i, $bell := .}}{{if lt $i 2000}}{{$i}}: {{template "one" $bell}}{{with .Partial}} of {{.Weight}}{{else}} whole{{end}}{{range $k, $v := .Marks}} {{$k}}={{$v | upper}}{{end}}
{{end}}{{end}}`))
	check(list.Execute(&out, made))
	show("template", out.Bytes())
	fmt.Println("template error:", texts.Must(texts.New("bad").Funcs(functions).Parse("{{fails}}")).Execute(&out, nil))
	_, err := texts.New("worse").Parse("{{if}}")
	fmt.Println("template error:", err)
	out.Reset()
	page := template.Must(template.New("page").Parse(`<ul title="{{(index . 0).Name}}">{{range .}}<li onclick="ring({{.Marks}})"><a href="/bell?{{.Name}}">{{.Name}}</a>{{end}}</ul>
<script>var all = {{.}};</script>`))
	check(page.Execute(&out, made[:1500]))
	show("page", out.Bytes())
	out.Reset()
	check(page.Execute(&out, made[:1]))
	fmt.Println(out.String())
}

func main() {
	made := bells(5000)
	structures(made)
	data := make([]byte, 1<<20)
	rand.New(rand.NewSource(2)).Read(data)
	bytesAsText(data)
	templates(made)

	// numbers as text and back
	random, wrong := rand.New(rand.NewSource(3)), 0
	for i := 0; i < 50000; i++ {
		value := math.Float64frombits(random.Uint64())
		again, err := strconv.ParseFloat(strconv.FormatFloat(value, 'e', -1, 64), 64)
		if err != nil || again != value && !math.IsNaN(value) {
			wrong++
		}
	}
	fmt.Println("floats wrong", wrong)
	factorial := new(big.Int).MulRange(1, 3000)
	fmt.Printf("factorial %d digits %x\n", len(factorial.String()), sha256.Sum256([]byte(factorial.String())))
	fmt.Println("matches", len(regexp.MustCompile(`(?i)b[e3]l+\s+<(\d+)>`).FindAllStringSubmatchIndex(fmt.Sprint(made), -1)))
}

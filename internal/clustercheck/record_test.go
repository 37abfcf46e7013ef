package clustercheck_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/internal/clustercheck"
)

// written returns a file with records.
func written(t *testing.T, records ...clustercheck.Record) string {
	t.Helper()
	var file bytes.Buffer
	for _, r := range records {
		if err := clustercheck.Write(&file, r); err != nil {
			t.Fatal(err)
		}
	}
	return file.String()
}

func TestReadAndWrite(t *testing.T) {
	full := clustercheck.Record{
		At: 1, Kind: "kind", Node: "node", Inc: "inc", Run: "run", Other: "other", Slot: 2, Epoch: 1<<64 - 1, Until: 4,
		Client: "client", Conn: "conn", Room: "a room\nof two lines", ID: "id", N: 5, Request: true, Numbering: "numbering", Seq: 6,
		Code: "code", Maybe: "maybe", Members: []string{"k", "l"}, Note: "note",
	}
	first := clustercheck.Record{At: 7, Kind: clustercheck.End}
	file := written(t, first, full)
	for _, test := range []struct {
		name, file string
		want       []clustercheck.Record
		err        string // a part of it
	}{
		{"whole", file, []clustercheck.Record{first, full}, ""},
		{"without its last end of a line", strings.TrimSuffix(file, "\n"), []clustercheck.Record{first, full}, ""},
		{"empty", "", nil, ""},
		{"the last line is cut off", file[:len(file)-5], []clustercheck.Record{first}, ""},
		{"the only line is cut off", file[:5], nil, ""},
		{"a line in the middle is broken", file + "{\"at\":\n" + file, nil, "line 3: "},
		{"the first line is broken", "\n" + file, nil, "line 1: "},
		{"a line is no record", file + "[]\n" + file, nil, "line 3: "},
		{"a line is too long", file + strings.Repeat(" ", 2<<20) + "\n" + file, nil, "too long"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := clustercheck.Read(strings.NewReader(test.file))
			if test.err == "" && (err != nil || !reflect.DeepEqual(got, test.want)) {
				t.Errorf("read: %v, %v, not %v", got, err, test.want)
			}
			if test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("read: %v, %v, not an error about %q", got, err, test.err)
			}
		})
	}
}

// full is a disk without space.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space is left") }

func TestWriteThatFails(t *testing.T) {
	if err := clustercheck.Write(full{}, clustercheck.Record{}); err == nil {
		t.Error("what was not written is no error")
	}
}

// TestText: a violation says which rule was broken, what is wrong, and what has happened then.
func TestText(t *testing.T) {
	tr := trace{{At: 3661 * second, Kind: clustercheck.Probe, Room: "r", Code: "UNAVAILABLE"}, census("r")}
	found := clustercheck.Check(tr)
	const want = `I9: a room does not answer: 01:01:01.000 {"at":0,"kind":"probe","room":"r","code":"UNAVAILABLE"}`
	if len(found) != 1 || found[0].String() != want || found[0].At != 3661*second {
		t.Errorf("%v, not %s", found, want)
	}
}

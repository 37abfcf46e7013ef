package codec_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/wsgen/wsgen/runtime/codec"
)

const uuid = "123e4567-e89b-12d3-a456-426614174000"

func TestChecker(t *testing.T) {
	good := func() *sample {
		return &sample{Name: "anna", Role: "owner", Score: 0.3, Tags: []string{uuid}, Counts: map[string]uint8{"a": 1}}
	}
	tests := []struct {
		name   string
		change func(m *sample)
		want   string
	}{
		{"right", func(m *sample) {}, ""},
		{"length", func(m *sample) { m.Name = "" }, "/name must have at least 2 characters"},
		{"enum", func(m *sample) { m.Role = "guest" }, `/role must be one of "owner", "member"`},
		{"integer", func(m *sample) { m.Age = 101 }, "/age must be at most 100"},
		{"float", func(m *sample) { m.Score = -0.1 }, "/score must be at least 0"},
		{"no number", func(m *sample) { m.Score = math.NaN() }, "/score must be a finite number"},
		{"nil for a list with items", func(m *sample) { m.Tags = nil }, "/tags must have at least 1 item"},
		{"item", func(m *sample) { m.Tags = []string{uuid, "x"} }, "/tags/1 must be a UUID such as " + uuid},
		{"keys in order", func(m *sample) { m.Counts = map[string]uint8{"zzz": 1, "": 2, "aaa": 3} },
			"/counts must have at most 2 fields; /counts/ key must have at least 1 character; /counts/aaa key must have at most 2 characters (and 1 more)"},
		{"three states", func(m *sample) { m.Seen = codec.Some("x") }, "/seen must be a date and time such as 2006-01-02T15:04:05Z"},
		{"null", func(m *sample) { m.Seen = codec.Null[string]() }, ""},
		{"nested", func(m *sample) { m.Inner = good(); m.Inner.Inner = good(); m.Inner.Inner.Age = -11 }, "/inner/inner/age must be at least -10"},
		{"bytes", func(m *sample) { m.Extra = make([]byte, 7) }, "/extra must have at most 6 bytes"},
	}
	var c codec.Checker
	for _, tt := range tests {
		m := good()
		tt.change(m)
		c.Reset()
		m.check(&c)
		got := ""
		if err := c.Err(); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// TestCheckerEnds checks values that contain themselves, once and in two places.
func TestCheckerEnds(t *testing.T) {
	type tree struct{ left, right *tree }
	var check func(c *codec.Checker, n *tree)
	check = func(c *codec.Checker, n *tree) {
		if n == nil || !c.Enter() {
			return
		}
		c.Field("left")
		check(c, n.left)
		c.Field("right")
		check(c, n.right)
		c.Leave()
	}
	var list, both tree
	list.left = &list
	both.left, both.right = &both, &both
	for _, n := range []*tree{&list, &both} {
		var c codec.Checker
		check(&c, n)
		want := strings.Repeat("/left", 64) + " is nested deeper than 64 levels"
		if issues := c.Issues(); len(issues) == 0 || issues[0].String() != want {
			t.Errorf("got %v", issues)
		}
	}
}

func TestCheckerLeaves(t *testing.T) {
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	tests := []struct {
		check func(c *codec.Checker)
		want  string
	}{
		{func(c *codec.Checker) { c.Time(year(9999)) }, ""},
		{func(c *codec.Checker) { c.Time(year(10000)) }, "value must have a year of 0 to 9999"},
		{func(c *codec.Checker) { c.Time(year(-1)) }, "value must have a year of 0 to 9999"},
		{func(c *codec.Checker) { c.Time(year(0).In(time.FixedZone("", 30))) }, ""},
		{func(c *codec.Checker) { c.Any(json.RawMessage(`{"a":`)) }, "value must be valid JSON"},
		{func(c *codec.Checker) { c.Any(nil) }, ""},
		{func(c *codec.Checker) { c.Float32(float32(math.Inf(-1))) }, "value must be a finite number"},
		{func(c *codec.Checker) { c.Float32Range(0.1, 0, 0.1) }, ""},
		{func(c *codec.Checker) { c.Float32Range(math.Nextafter32(0.1, 1), 0, 0.1) }, "value must be at most 0.1"},
		{func(c *codec.Checker) { c.FormatLen("http://a/b", codec.FormatURI, 0, 5) }, "value must have at most 5 characters"},
		{func(c *codec.Checker) { c.FormatLen("a b", codec.FormatURI, 0, 5) }, "value must be an absolute URI"},
	}
	for i, tt := range tests {
		var c codec.Checker
		tt.check(&c)
		got := ""
		if err := c.Err(); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%d: got %q, want %q", i, got, tt.want)
		}
	}
}

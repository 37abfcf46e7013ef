package unions_test

import (
	"strings"
	"testing"

	"github.com/wsgen/wsgen/golden/unions/unions"
)

// BenchmarkHostile reads payloads of 16 KiB that are made to be slow, with types that are checked as JSON Schema.
func BenchmarkHostile(b *testing.B) {
	const size = 16 << 10
	fill := func(head, part, tail string) []byte {
		return []byte(head + strings.Repeat(part, (size-len(head)-len(tail))/len(part)) + tail)
	}
	for name, data := range map[string][]byte{
		"huge number":        []byte(`{"range":{"from":1,"to":2,"x":1e2000000}}`),
		"exponents":          fill(`{"range":{"from":1,"to":2,"x":[`, `1e1000000,`, `1]}}`),
		"small exponents":    fill(`{"range":{"from":1,"to":2,"x":[`, `1e399,`, `1]}}`),
		"nesting":            []byte(`{"range":{"from":1,"to":2,"x":` + strings.Repeat("[", 10000) + strings.Repeat("]", 10000) + `}}`),
		"equal items":        fill(`{"tags":[`, `"a",`, `"a"]}`),
		"alternatives":       fill(`{"animal":{"name":"x","y":[`, `{},`, `1]}}`),
		"tag at the end":     fill(`{"pet":{`, `"x":1,`, `"species":"cat"}}`),
		"nested without tag": []byte(`{"node":` + strings.Repeat(`{"value":1,"next":`, 500) + `1` + strings.Repeat(`}`, 500) + `}`),
		"long slug":          fill(`{"slug":"`, `a-`, `"}`),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				var m unions.Post
				_ = m.UnmarshalJSON(data)
			}
		})
	}
}

package conformance

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Decode returns JSON as a tree with json.Number; nil for what is no JSON.
func Decode(raw json.RawMessage) any {
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return nil
	}
	return v
}

// Encode returns a tree as compact JSON.
func Encode(v any) json.RawMessage {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // it is made of what JSON has
	return json.RawMessage(strings.TrimSpace(b.String()))
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

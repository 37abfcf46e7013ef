package wstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
)

// Value is what generated types are.
type Value interface {
	json.Marshaler
	json.Unmarshaler
}

// RoundTrip reads text, which is an example of the schema, into a pointer to a zero value of a generated type, writes it, and reads
// and writes that again. The test fails when the text is refused, when anything of it is lost, or when the two texts differ.
func RoundTrip(t testing.TB, text string, v Value) {
	t.Helper()
	if err := v.UnmarshalJSON([]byte(text)); err != nil {
		t.Errorf("%s is refused: %v", text, err)
		return
	}
	first, err := v.MarshalJSON()
	if err != nil {
		t.Errorf("%s is read, but cannot be written: %v", text, err)
		return
	}
	if err := v.UnmarshalJSON(first); err != nil {
		t.Errorf("%s is written as %s, which is refused: %v", text, first, err)
		return
	}
	second, err := v.MarshalJSON()
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("%s is written as %s, and then as %s (%v)", text, first, second, err)
	}
	if lost := lost(decode([]byte(text)), decode(first), ""); lost != "" {
		t.Errorf("%s is written as %s: %s", text, first, lost)
	}
}

func decode(text []byte) any {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	_ = dec.Decode(&v) // it was read before
	return v
}

// lost returns what of a value is not in another, which may have more: defaults.
func lost(want, got any, path string) string {
	switch want := want.(type) {
	case map[string]any:
		members, _ := got.(map[string]any)
		for key, v := range want {
			inner, ok := members[key]
			if !ok {
				return path + "/" + key + " is lost"
			}
			if why := lost(v, inner, path+"/"+key); why != "" {
				return why
			}
		}
		return ""
	case []any:
		items, _ := got.([]any)
		if len(items) != len(want) {
			return fmt.Sprintf("%s has %d items", path, len(items))
		}
		for i, v := range want {
			if why := lost(v, items[i], fmt.Sprintf("%s/%d", path, i)); why != "" {
				return why
			}
		}
		return ""
	case json.Number:
		n, ok := got.(json.Number)
		x, err1 := want.Float64()
		y, err2 := n.Float64()
		if !ok || err1 != nil || err2 != nil || x != y {
			return fmt.Sprintf("%s is %v", path, got)
		}
		return ""
	}
	if _, text := want.(string); want != got && !text { // times and the like may be written in another way
		return fmt.Sprintf("%s is %v", path, got)
	}
	return ""
}

// Package jsonschema prints what a protocol means as one JSON Schema 2020-12 document, with an entry of $defs for every
// type and every body of a message. Other tools may consume it, and it is what the fingerprint is made of.
package jsonschema

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/internal/model"
)

// Canonical returns the strict view: what servers ask of clients, and what both sides may send. It is indented and has a
// line end. It depends on what the file declares and in which order, not on how it is written.
func Canonical(api *model.API) ([]byte, error) {
	return document(api, api.Defs.Object(jsonschema.Printer{Docs: true}))
}

// Lenient returns the lenient view: what clients accept from servers that may be newer.
func Lenient(api *model.API) ([]byte, error) {
	return document(api, LenientDefinitions(api).Object(jsonschema.Printer{}))
}

func document(api *model.API, defs jsonschema.Object) ([]byte, error) {
	doc := jsonschema.Object{{Key: "$schema", Value: jsonschema.Dialect}, {Key: "title", Value: api.Name}}
	if api.Version != "" {
		doc.Add("version", api.Version)
	}
	if api.Doc != "" {
		doc.Add("description", api.Doc)
	}
	doc.Add("$defs", defs)
	return jsonschema.Indent(doc)
}

// Fingerprint names what travels: 16 hex digits of the SHA-256 of the canonical schema and of what the frames have beside
// it. Comments, limits and the order of declarations do not change it.
func Fingerprint(api *model.API) (string, error) {
	raw, err := jsonschema.Marshal(api.Defs.Object(jsonschema.Printer{}))
	if err != nil {
		return "", err
	}
	var unordered any // encoding/json writes the keys of maps in their order
	if err := json.Unmarshal(raw, &unordered); err != nil {
		return "", err
	}
	sortNames(unordered)
	if raw, err = jsonschema.Marshal(unordered); err != nil {
		return "", err
	}
	lines := make([]string, len(api.Messages))
	for i, m := range api.Messages {
		lines[i] = frames(m)
	}
	slices.Sort(lines)
	h := sha256.New()
	h.Write(raw)
	h.Write([]byte(strings.Join(lines, "\n")))
	if api.Envelope != nil {
		fmt.Fprintf(h, "\nenvelope %+v", *api.Envelope)
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// sortNames sorts lists of names: required and enum.
func sortNames(v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, e := range v {
			if list, ok := e.([]any); ok && (key == "required" || key == "enum" || key == "type") {
				slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			}
			sortNames(e)
		}
	case []any:
		for _, e := range v {
			sortNames(e)
		}
	}
}

// frames is a text that is the same for messages whose frames are the same but for their bodies.
func frames(m *model.Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %d %v", m.Wire, m.Direction, m.HasBody)
	if r := m.Room; r != nil {
		fmt.Fprintf(&b, " room %s %v", r.Kind.Name, r.Joined)
		for _, f := range r.Path {
			fmt.Fprintf(&b, " %q", f.Wire)
		}
	}
	if r := m.Request; r != nil {
		fmt.Fprintf(&b, " request %q %v", r.ResponseWire, r.ResponseBody)
		var codes []string
		for _, e := range r.Errors {
			codes = append(codes, e.Wire)
		}
		slices.Sort(codes)
		fmt.Fprintf(&b, " %q", codes)
	}
	return b.String()
}

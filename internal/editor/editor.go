// Package editor describes the YAML of protocols to editors, so that they complete keys and types, explain them and mark
// what is wrong. It is JSON Schema draft-07, which is what the language servers for YAML read.
package editor

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/wsgen/wsgen/internal/output"
	"github.com/wsgen/wsgen/internal/schema"
)

// The description, with words beginning with $ in capitals where something is put in.
//
//go:embed schema.json
var document string

// attributes are what a message has beside its bodies, whether it is an event or a request.
//
//go:embed attributes.json
var attributes string

// Path is where the description of a file is, from the folder that the file is in.
const Path = ".wsgen/editor.schema.json"

// Modeline is the comment at the top of a protocol that leads editors to the description.
const Modeline = "# yaml-language-server: $schema=./" + Path

// Schema returns the description. typeNames are offered beside the built-in types: names of declared types, and those of
// imported ones with their aliases, in any order. The text is the same for the same names. It fails when a name is not
// one that a type can have.
func Schema(typeNames []string) ([]byte, error) {
	names := slices.Compact(slices.Sorted(slices.Values(typeNames)))
	for _, name := range names {
		if !typeName.MatchString(name) {
			return nil, fmt.Errorf("editor: %q is no name of a type: write RoomID, or common.RoomID for one that is imported",
				name)
		}
	}
	pattern, err := quoted(expression())
	if err != nil {
		return nil, err
	}
	types, err := quoted(append(names, schema.Words()...)...)
	if err != nil {
		return nil, err
	}
	inner := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(attributes), "{"), "}")
	text := strings.NewReplacer(
		`$HEADER`, output.Header, `"$TYPES"`, types, `"$EXPRESSION"`, pattern, `"$ATTRIBUTES": true`, inner,
	).Replace(document)
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(text), "", "  "); err != nil {
		return nil, fmt.Errorf("editor: %w", err)
	}
	return out.Bytes(), nil
}

// quoted returns strings as they stand in a list of JSON.
func quoted(texts ...string) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(texts); err != nil {
		return "", err
	}
	return strings.Trim(b.String(), "[]\n"), nil
}

// name is what a declared type is called, behind the alias of its file when it is imported.
const name = `(?:[\p{L}\p{Nd}_-]+\.)?\p{Lu}[\p{L}\p{Nd}_]*`

var typeName = regexp.MustCompile(`^` + name + `$`)

// expression returns a pattern that type expressions match, in a form that Go and JavaScript read alike. Brackets are not
// counted; that is left to wsgen itself. Every part begins with what the part before cannot go on with, so that no text
// takes long to refuse.
func expression() string {
	const (
		open   = `(?:(?:\(|map\s*<)\s*)*`
		bounds = `\(\s*[-+.0-9eE]+(?:\s+[-+.0-9eE]+)*\s*\)`
		end    = `(?:\s*(?:>|\)|\[\s*\]|` + bounds + `))*`
	)
	part := open + `(?:` + strings.Join(schema.Words(), "|") + `|null|` + name + `)` + end
	return `^\s*` + part + `(?:\s*[|,]\s*` + part + `)*(?:\s*=[\s\S]*)?\s*$`
}

// Package lint finds what is allowed in a protocol, and probably not meant. Each rule is a row of a table and a short function.
package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/schema"
)

// Rule is a kind of finding.
type Rule struct {
	ID       string // kebab-case
	Severity diag.Severity
	Purpose  string // what is found
	check    func(r *run)
}

// Rules returns the rules, sorted by id.
func Rules() []Rule {
	return []Rule{
		{"allow-without-reason", diag.Warning, "a comment that should let a finding pass, and gives no reason",
			allowWithoutReason},
		{"bytes-rounded", diag.Warning, "a bound of bytes that base64 text cannot tell apart from the next multiple of three",
			bytesRounded},
		{"deprecated-without-text", diag.Info, "a deprecated message that does not say what to use instead",
			deprecatedWithoutText},
		{"enum-numbered", diag.Warning, "an enum whose constants are numbered, because its values give no names", enumNumbered},
		{"fallback", diag.Info, "a keyword that generated code leaves to a JSON Schema library, which it then imports", fallback},
		{"name-begins-with-digit", diag.Warning, "a name that Go needs an X before", nameBeginsWithDigit},
		{"name-not-ascii", diag.Info, "a name with letters that not every keyboard has", nameNotASCII},
		{"optional-in-properties", diag.Warning, "a question mark in properties, where it is part of the name",
			optionalInProperties},
		{"several-tags", diag.Info, "a union that more than one field could tell apart", severalTags},
		{"title-looks-like-type", diag.Warning, "a mapping that is read as JSON Schema and could be meant as fields",
			titleLooksLikeType},
		{"unknown-format", diag.Warning, "a format that is not checked", unknownFormat},
		{"unquoted-key", diag.Warning, "a name that some YAML readers take for a boolean, a number or nothing", unquotedKey},
		{"unrouted", diag.Info, "a message of clients that goes to no room", unrouted},
		{"unused-import", diag.Warning, "an import that no type is used of", unusedImport},
		{"unused-type", diag.Warning, "a declared type that nothing uses", unusedType},
	}
}

// run is a protocol under examination.
type run struct {
	api   *model.API
	file  *schema.File
	rule  Rule
	found []diag.Diagnostic

	source func(file string) []byte
}

func (r *run) report(pos diag.Pos, hint, format string, args ...any) {
	r.found = append(r.found, diag.Diagnostic{Pos: pos, Severity: r.rule.Severity, Rule: r.rule.ID,
		Message: fmt.Sprintf(format, args...), Hint: hint})
}

// Run returns the findings of all rules, but for those that the file or a comment excepts. source returns the text of a
// file.
func Run(api *model.API, file *schema.File, source func(file string) []byte) []diag.Diagnostic {
	r := &run{api: api, file: file, source: source}
	var known []string
	for _, rule := range Rules() {
		known = append(known, rule.ID)
		if slices.Contains(api.LintExcept, rule.ID) {
			continue
		}
		r.rule = rule
		rule.check(r)
	}
	for _, except := range file.LintExcept {
		if !slices.Contains(known, except.Value) {
			r.rule = Rule{ID: "unknown-rule", Severity: diag.Warning}
			r.report(except.Pos, "wsgen lint --list names them", "there is no rule %q", except.Value)
		}
	}
	return slices.DeleteFunc(r.found, func(d diag.Diagnostic) bool {
		return d.Pos.Line > 0 && diag.Allowed(source(d.Pos.File), d.Pos.Line, d.Rule)
	})
}

// schemas calls visit for every schema of the protocol.
func (r *run) schemas(visit func(s *jsonschema.Schema)) {
	var walk func(s *jsonschema.Schema)
	walk = func(s *jsonschema.Schema) {
		visit(s)
		s.Children(func(_, _ string, child *jsonschema.Schema) { walk(child) })
	}
	for _, d := range r.api.Defs {
		walk(d.Schema)
	}
}

func quoteList(names []string) string { return strings.Join(names, ", ") }

// Package validate judges values by those parts of a JSON Schema 2020-12 that the Go types of generated code do not say. It
// knows the keywords whose verdict depends on the value alone; runtime/fallback has the others.
package validate

import (
	"fmt"
	"math/big"
	"regexp"
	"sync"

	"github.com/wsgen/wsgen/runtime/codec"
)

// Schema is a document that is compiled when it is first needed. It implements codec.Validator and is safe for concurrent
// use.
type Schema struct {
	compiled func() *node
}

// New returns the schema of a document, which the generator has made; Validate panics for one that is wrong.
func New(text string) *Schema {
	return &Schema{sync.OnceValue(func() *node {
		n, err := compile(text)
		if err != nil {
			panic(fmt.Errorf("validate: %w in %s", err, text))
		}
		return n
	})}
}

// Compile is New for a document that may be wrong.
func Compile(text string) (*Schema, error) {
	n, err := compile(text)
	if err != nil {
		return nil, fmt.Errorf("validate: %w", err)
	}
	return &Schema{func() *node { return n }}, nil
}

// Validate implements codec.Validator: what is wrong is reported in the order of the keywords, members by their names.
// Numbers that codec.GuardNumber refuses are refused where a keyword asks for their value.
func (s *Schema) Validate(v any, report func(path, message string)) {
	steps := baseSteps + stepsPerValue*count(v)
	r := run{report: report, steps: &steps}
	r.check(s.compiled(), v, "")
	if steps < 0 {
		report("", "takes too long to check")
	}
}

// node is a compiled schema. Empty fields judge nothing.
type node struct {
	never bool // the schema false
	ref   *node

	types     []string
	enum      []string // canonical texts
	enumShown string
	constant  *string
	constText string

	minimum, maximum, above, below, step *big.Rat
	minLength, maxLength                 *int
	pattern                              *codec.Pattern
	format                               *codec.Format
	base64, json                         bool // of contentEncoding and contentMediaType

	prefix             []*node
	items              *node
	minItems, maxItems *int
	unique             bool

	properties             map[string]*node
	required               []string
	patterns               []patternNode
	additional, names      *node
	minMembers, maxMembers *int

	all, any, one []*node
}

type patternNode struct {
	expr *regexp.Regexp
	node *node
}

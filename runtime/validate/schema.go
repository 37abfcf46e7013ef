// Package validate judges values by those parts of a JSON Schema 2020-12 that the Go types of generated code do not say. It
// knows the keywords whose verdict depends on the value alone; runtime/fallback has the others.
package validate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strings"
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

// Validate implements codec.Validator: what is wrong is reported in the order of the keywords, members by their names. A
// value with a number that codec.GuardNumber refuses is not judged further.
func (s *Schema) Validate(v any, report func(path, message string)) {
	r := run{report: report, steps: new(int)}
	r.check(s.compiled(), v, "")
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
	pattern                              *regexp.Regexp
	format                               *codec.Format
	formatName                           string
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

// compiler resolves references within one document.
type compiler struct {
	defs map[string]json.RawMessage
	root *node
	done map[string]*node
}

func compile(text string) (*node, error) {
	c := &compiler{done: make(map[string]*node), root: &node{}}
	var doc struct {
		Defs map[string]json.RawMessage `json:"$defs"`
	}
	if text != "true" && text != "false" {
		if err := json.Unmarshal([]byte(text), &doc); err != nil {
			return nil, err
		}
	}
	c.defs = doc.Defs
	if err := c.fill(c.root, json.RawMessage(text)); err != nil {
		return nil, err
	}
	return c.root, endless(c.root)
}

// endless finds references that come back to themselves without going into the value.
func endless(root *node) error {
	const (
		onTheWay = iota + 1
		finished
	)
	state := make(map[*node]int)
	var visit func(n *node) error
	visit = func(n *node) error {
		switch {
		case n == nil || state[n] == finished:
			return nil
		case state[n] == onTheWay:
			return fmt.Errorf("a $ref leads back to itself")
		}
		state[n] = onTheWay
		for _, next := range append(append(append([]*node{n.ref}, n.all...), n.any...), n.one...) {
			if err := visit(next); err != nil {
				return err
			}
		}
		state[n] = finished
		return nil
	}
	return visit(root)
}

func (c *compiler) schema(raw json.RawMessage) (*node, error) {
	n := &node{}
	return n, c.fill(n, raw)
}

func (c *compiler) fill(n *node, raw json.RawMessage) error {
	switch string(bytes.TrimSpace(raw)) {
	case "true":
		return nil
	case "false":
		n.never = true
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return err
	}
	for _, key := range slices.Sorted(mapKeys(members)) {
		if err := c.keyword(n, key, members[key]); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

func mapKeys[V any](m map[string]V) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func (c *compiler) keyword(n *node, key string, raw json.RawMessage) error {
	if target := n.number(key); target != nil {
		v, ok := new(big.Rat).SetString(string(raw))
		if !ok || codec.GuardNumber(string(raw)) != "" {
			return fmt.Errorf("bad number %s", raw)
		}
		*target = v
		return nil
	}
	if target := n.size(key); target != nil {
		return json.Unmarshal(raw, target)
	}
	if target := n.child(key); target != nil {
		var err error
		*target, err = c.schema(raw)
		return err
	}
	if target := n.children(key); target != nil {
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			return err
		}
		for _, one := range list {
			s, err := c.schema(one)
			if err != nil {
				return err
			}
			*target = append(*target, s)
		}
		return nil
	}
	return c.special(n, key, raw)
}

func (n *node) number(key string) **big.Rat {
	return map[string]**big.Rat{"minimum": &n.minimum, "maximum": &n.maximum, "exclusiveMinimum": &n.above, "exclusiveMaximum": &n.below, "multipleOf": &n.step}[key]
}

func (n *node) size(key string) **int {
	return map[string]**int{"minLength": &n.minLength, "maxLength": &n.maxLength, "minItems": &n.minItems, "maxItems": &n.maxItems,
		"minProperties": &n.minMembers, "maxProperties": &n.maxMembers}[key]
}

func (n *node) child(key string) **node {
	return map[string]**node{"items": &n.items, "additionalProperties": &n.additional, "propertyNames": &n.names}[key]
}

func (n *node) children(key string) *[]*node {
	return map[string]*[]*node{"prefixItems": &n.prefix, "allOf": &n.all, "anyOf": &n.any, "oneOf": &n.one}[key]
}

// special compiles the keywords that are unlike others.
func (c *compiler) special(n *node, key string, raw json.RawMessage) error {
	switch key {
	case "$defs", "$schema", "$comment", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly":
		return nil
	case "$ref":
		return c.reference(n, raw)
	case "type":
		if err := json.Unmarshal(raw, &n.types); err == nil {
			return nil
		}
		n.types = make([]string, 1)
		return json.Unmarshal(raw, &n.types[0])
	case "enum":
		return n.setEnum(raw)
	case "const":
		text, err := canonicalText(raw)
		n.constant, n.constText = &text, string(raw)
		return err
	case "pattern":
		return compilePattern(&n.pattern, raw)
	case "format":
		if err := json.Unmarshal(raw, &n.formatName); err != nil {
			return err
		}
		if f, ok := codec.Formats()[n.formatName]; ok {
			n.format = &f
		}
		return nil
	case "contentEncoding":
		n.base64 = string(raw) == `"base64"`
		return nil
	case "contentMediaType":
		n.json = string(raw) == `"application/json"`
		return nil
	case "uniqueItems":
		return json.Unmarshal(raw, &n.unique)
	case "required":
		return json.Unmarshal(raw, &n.required)
	case "properties", "patternProperties":
		return c.properties(n, key, raw)
	}
	if strings.HasPrefix(key, "x-") {
		return nil
	}
	return fmt.Errorf("unknown keyword")
}

func compilePattern(target **regexp.Regexp, raw json.RawMessage) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return err
	}
	var err error
	*target, err = regexp.Compile(text)
	return err
}

func (n *node) setEnum(raw json.RawMessage) error {
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return err
	}
	const shown = 8
	var texts []string
	n.enum = []string{}
	for i, v := range list {
		text, err := canonicalText(v)
		if err != nil {
			return err
		}
		n.enum = append(n.enum, text)
		if i < shown {
			texts = append(texts, string(v))
		}
	}
	n.enumShown = strings.Join(texts, ", ")
	if len(list) > shown {
		n.enumShown += fmt.Sprintf(" or %d more", len(list)-shown)
	}
	return nil
}

func (c *compiler) reference(n *node, raw json.RawMessage) error {
	var ref string
	if err := json.Unmarshal(raw, &ref); err != nil {
		return err
	}
	if ref == "#" {
		n.ref = c.root
		return nil
	}
	name, ok := strings.CutPrefix(ref, "#/$defs/")
	name, err := url.PathUnescape(name)
	if name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name); !ok || err != nil || c.defs[name] == nil {
		return fmt.Errorf("%s is not here", ref)
	}
	if n.ref = c.done[name]; n.ref != nil {
		return nil
	}
	n.ref = &node{}
	c.done[name] = n.ref
	return c.fill(n.ref, c.defs[name])
}

func (c *compiler) properties(n *node, key string, raw json.RawMessage) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return err
	}
	if key == "properties" {
		n.properties = make(map[string]*node, len(members))
	}
	for _, name := range slices.Sorted(mapKeys(members)) {
		s, err := c.schema(members[name])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if key == "properties" {
			n.properties[name] = s
			continue
		}
		expr, err := regexp.Compile(name)
		if err != nil {
			return err
		}
		n.patterns = append(n.patterns, patternNode{expr, s})
	}
	return nil
}

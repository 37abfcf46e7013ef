package validate

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/wsgen/wsgen/runtime/codec"
)

// special compiles the keywords that are unlike others.
func (c *compiler) special(n *node, key string, raw json.RawMessage) error {
	switch key {
	case "$defs", "$schema", "$comment", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly":
		return nil
	case "$ref":
		return c.reference(n, raw)
	case "type":
		return n.setTypes(raw)
	case "enum":
		return n.setEnum(raw)
	case "const":
		text, err := canonicalText(raw)
		n.constant, n.constText = &text, string(raw)
		return err
	case "pattern":
		return compilePattern(&n.pattern, raw)
	case "format":
		var name string
		if err := json.Unmarshal(raw, &name); err != nil {
			return err
		}
		if f, ok := codec.Formats()[name]; ok {
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
	return errors.New("unknown keyword")
}

// setTypes reads one type or a list.
func (n *node) setTypes(raw json.RawMessage) error {
	if err := json.Unmarshal(raw, &n.types); err != nil {
		n.types = make([]string, 1)
		if err := json.Unmarshal(raw, &n.types[0]); err != nil {
			return err
		}
	}
	if len(n.types) == 0 {
		return errors.New("no type is named")
	}
	for _, t := range n.types {
		switch t {
		case "null", "boolean", "integer", "number", "string", "array", "object":
		default:
			return fmt.Errorf("unknown type %q", t)
		}
	}
	return nil
}

func compilePattern(target **codec.Pattern, raw json.RawMessage) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return err
	}
	if _, err := regexp.Compile(text); err != nil {
		return err
	}
	*target = codec.NewPattern(text)
	return nil
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
	c.nodes = append(c.nodes, n.ref)
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
	for _, name := range slices.Sorted(maps.Keys(members)) {
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

package validate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"

	"github.com/wsgen/wsgen/runtime/codec"
)

// compiler resolves references within one document.
type compiler struct {
	defs  map[string]json.RawMessage
	root  *node
	done  map[string]*node
	nodes []*node // all
}

func compile(text string) (*node, error) {
	raw := json.RawMessage(bytes.TrimSpace([]byte(text)))
	c := &compiler{done: make(map[string]*node), root: &node{}}
	c.nodes = append(c.nodes, c.root)
	if len(raw) > 0 && raw[0] == '{' {
		var doc struct {
			Defs map[string]json.RawMessage `json:"$defs"`
		}
		if err := json.Unmarshal(raw, &doc); err != nil {
			return nil, err
		}
		c.defs = doc.Defs
	}
	if err := c.fill(c.root, raw); err != nil {
		return nil, err
	}
	return c.root, endless(c.nodes)
}

// endless finds references that come back to themselves without going into the value.
func endless(nodes []*node) error {
	const (
		onTheWay = iota + 1
		finished
	)
	state := make(map[*node]int, len(nodes))
	var visit func(n *node) error
	visit = func(n *node) error {
		switch {
		case n == nil || state[n] == finished:
			return nil
		case state[n] == onTheWay:
			return errors.New("a $ref leads back to itself without going into the value")
		}
		state[n] = onTheWay
		for _, next := range slices.Concat([]*node{n.ref}, n.all, n.any, n.one) {
			if err := visit(next); err != nil {
				return err
			}
		}
		state[n] = finished
		return nil
	}
	for _, n := range nodes {
		if err := visit(n); err != nil {
			return err
		}
	}
	return nil
}

func (c *compiler) schema(raw json.RawMessage) (*node, error) {
	n := &node{}
	c.nodes = append(c.nodes, n)
	return n, c.fill(n, raw)
}

func (c *compiler) fill(n *node, raw json.RawMessage) error {
	switch string(raw) {
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
	if members == nil {
		return errors.New("a schema is an object, true or false, not null")
	}
	for _, key := range slices.Sorted(maps.Keys(members)) {
		if err := c.keyword(n, key, members[key]); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

func (c *compiler) keyword(n *node, key string, raw json.RawMessage) error {
	var err error
	if target := n.number(key); target != nil {
		if *target, err = parseNumber(raw); err == nil && target == &n.step && n.step.Sign() <= 0 {
			err = fmt.Errorf("%s is not above 0", raw)
		}
		return err
	}
	if target := n.size(key); target != nil {
		*target, err = parseSize(raw)
		return err
	}
	if target := n.child(key); target != nil {
		*target, err = c.schema(raw)
		return err
	}
	if target := n.children(key); target != nil {
		*target, err = c.list(raw)
		return err
	}
	return c.special(n, key, raw)
}

func (c *compiler) list(raw json.RawMessage) ([]*node, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, err
	}
	var out []*node
	for i, one := range list {
		s, err := c.schema(one)
		if err != nil {
			return nil, fmt.Errorf("%d: %w", i, err)
		}
		out = append(out, s)
	}
	return out, nil
}

// parseNumber reads a bound.
func parseNumber(raw json.RawMessage) (*big.Rat, error) {
	if c := raw[0]; c != '-' && (c < '0' || c > '9') {
		return nil, fmt.Errorf("%s is no number", raw)
	}
	if message := codec.GuardNumber(string(raw)); message != "" {
		return nil, errors.New(message)
	}
	if x, ok := new(big.Rat).SetString(string(raw)); ok {
		return x, nil
	}
	return nil, fmt.Errorf("%s is no number", raw)
}

// parseSize reads a bound of a size, which may be written 2.0. One beyond int is as good as the largest int.
func parseSize(raw json.RawMessage) (*int, error) {
	x, err := parseNumber(raw)
	if err != nil {
		return nil, err
	}
	if !x.IsInt() || x.Sign() < 0 {
		return nil, fmt.Errorf("%s is no size", raw)
	}
	size := math.MaxInt
	if n := x.Num(); n.IsInt64() && n.Int64() < math.MaxInt {
		size = int(n.Int64())
	}
	return &size, nil
}

func (n *node) number(key string) **big.Rat {
	switch key {
	case "minimum":
		return &n.minimum
	case "maximum":
		return &n.maximum
	case "exclusiveMinimum":
		return &n.above
	case "exclusiveMaximum":
		return &n.below
	case "multipleOf":
		return &n.step
	}
	return nil
}

func (n *node) size(key string) **int {
	switch key {
	case "minLength":
		return &n.minLength
	case "maxLength":
		return &n.maxLength
	case "minItems":
		return &n.minItems
	case "maxItems":
		return &n.maxItems
	case "minProperties":
		return &n.minMembers
	case "maxProperties":
		return &n.maxMembers
	}
	return nil
}

func (n *node) child(key string) **node {
	switch key {
	case "items":
		return &n.items
	case "additionalProperties":
		return &n.additional
	case "propertyNames":
		return &n.names
	}
	return nil
}

func (n *node) children(key string) *[]*node {
	switch key {
	case "prefixItems":
		return &n.prefix
	case "allOf":
		return &n.all
	case "anyOf":
		return &n.any
	case "oneOf":
		return &n.one
	}
	return nil
}

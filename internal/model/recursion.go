package model

// This file finds types that no value can be of, because they contain themselves without end.

import (
	"slices"
	"strings"
)

// visit is how far the search has come with a type.
type visit int

const (
	unseen visit = iota
	onTheWay
	done
)

// checkRecursion refuses types that would contain themselves without end, and breaks circles of mere names, which nobody
// could follow to a shape. It runs when all declared types are filled: payloads cannot be part of a circle, for nothing
// refers to them.
func (b *builder) checkRecursion() {
	c := &circles{b: b, state: make(map[*Named]visit)}
	for _, n := range append(slices.Clone(b.api.Types), b.lifted...) {
		c.visit(n)
	}
}

// circles is a depth-first search along what a value must contain.
type circles struct {
	b     *builder
	state map[*Named]visit
	path  []*Named // from the root to the type that is visited
}

func (c *circles) visit(n *Named) {
	switch c.state[n] {
	case done:
		return
	case onTheWay:
		c.report(c.path[slices.Index(c.path, n):])
		return
	}
	c.state[n] = onTheWay
	c.path = append(c.path, n)
	if n.Type.Kind == Ref {
		c.visit(n.Type.Ref)
	}
	for _, f := range n.Type.Fields {
		always := !f.Optional || f.Default != nil // Presence would follow circles
		if f.Type.Kind == Ref && always && !f.Type.Nullable {
			c.visit(f.Type.Ref)
		}
	}
	c.path = c.path[:len(c.path)-1]
	c.state[n] = done
}

// report refuses a circle at its first type.
func (c *circles) report(circle []*Named) {
	circle = slices.Clone(circle)
	first := slices.MinFunc(circle, func(x, y *Named) int { return c.b.places[x].Line - c.b.places[y].Line })
	for circle[0] != first {
		circle = append(circle[1:], circle[0])
	}
	var way []string
	mere := true
	for _, n := range append(circle, first) {
		way = append(way, n.Path)
		mere = mere && n.Type.Kind == Ref
	}
	hint := "make a field on the way optional, nullable, an array or a map"
	if mere {
		hint = "say what one of them is"
		first.Type = brokenType()
	}
	c.b.errorf(c.b.places[first], "endless-type", hint, "%s contains itself without end: %s", first.Path, strings.Join(way, " → "))
}

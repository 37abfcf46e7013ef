package model

// This file finds types that no value can be of, because they contain themselves without end.

import (
	"cmp"
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

// checkRecursion refuses types that would contain themselves without end. It runs when all types are filled.
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
		if n.Type.Kind == OneOf {
			break // another of them may end
		}
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
	first := slices.MinFunc(circle, func(x, y *Named) int {
		return cmp.Or(cmp.Compare(x.Pos.File, y.Pos.File), x.Pos.Line-y.Pos.Line)
	})
	for circle[0] != first {
		circle = append(circle[1:], circle[0])
	}
	var way []string
	for _, n := range append(circle, first) {
		way = append(way, n.Path)
	}
	c.b.errorf(first.Pos, "endless-type", "make a field on the way optional, nullable, an array or a map",
		"%s contains itself without end: %s", first.Path, strings.Join(way, " → "))
}

// breakCircles reports names that only name each other, which nobody could follow to a shape.
func (b *builder) breakCircles(list []*definition) {
	for _, d := range list {
		way := []string{d.named.Path}
		for s := d.schema; s.Ref != "" && onlyRef(s) && !s.Invalid(); {
			next := b.defs[s.Ref]
			if next == nil || next.schema == nil || slices.Contains(way[1:], s.Ref) {
				break
			}
			if way = append(way, s.Ref); next == d {
				d.schema.Src().Invalid = true
				b.errorf(d.named.Pos, "endless-type", "say what one of them is", "%s contains itself without end: %s",
					d.named.Path, strings.Join(way, " → "))
				break
			}
			s = next.schema
		}
	}
}

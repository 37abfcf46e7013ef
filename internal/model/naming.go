package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wsgen/wsgen/internal/diag"
)

// reserved are the names that the generated package has itself. A message that would have one gets the suffix Message; a
// type that would is an error.
var reserved = strings.Fields(`Auth Call Client Claims Code Config Conn ConnHandler Dial Error Events Except Handler Message Option Options
	OnClose OnLeave Room SchemaFingerprint Server ServerMessage NewServer UnimplementedConnHandler`)

// Reserved returns the names that a generated package has itself, beside those of its room kinds.
func Reserved() []string { return slices.Clone(reserved) }

// clientMethods are the methods of the generated client: a message with such a name gets the prefix Send there.
var clientMethods = []string{"Close", "Done", "Err", "State"}

// taken says what has a Go name.
type taken struct {
	by  string
	pos diag.Pos
}

// take gives a Go name to something in the file, or reports who has it.
func (b *builder) take(name, by string, pos diag.Pos) {
	if name == "" {
		return
	}
	if old, ok := b.taken[name]; ok {
		b.errorf(pos, "name-collision", "rename one of them, or set go: {name: …} on a message", "%s and %s (%s) are both %s in Go", by, old.by, place(old.pos), name)
		return
	}
	if slices.Contains(reserved, name) {
		b.errorf(pos, "name-collision", "rename it", "%s would be %s in Go, which the generated package has itself", by, name)
		return
	}
	b.taken[name] = taken{by, pos}
}

func place(pos diag.Pos) string {
	if pos.Line == 0 {
		return "built in"
	}
	return fmt.Sprintf("line %d", pos.Line)
}

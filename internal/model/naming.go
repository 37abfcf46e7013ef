package model

import (
	"slices"
	"strings"

	"github.com/wsgen/wsgen/internal/diag"
)

// reserved are the names that the generated package has itself. A message that would have one gets the suffix Message; a
// type that would is an error.
var reserved = strings.Fields(`Auth Call Client Claims Code Config Conn ConnHandler Dial Error Events Except Handler Message
	NewPublisher NewServer OnClose OnLeave Option Options Publisher Room SchemaFingerprint Server ServerMessage
	UnimplementedConnHandler`)

// Reserved returns the names that a generated package has itself, beside those of its room kinds.
func Reserved() []string { return slices.Clone(reserved) }

// clientMethods are the methods of the generated client: a message with such a name gets the prefix Send there.
var clientMethods = []string{"Close", "Done", "Err", "Refresh", "State"}

// taken says what has a Go name.
type taken struct {
	by  string
	pos diag.Pos
}

// take gives a Go name to something in the file. It returns false after it has reported who has the name already.
func (b *builder) take(name, by string, pos diag.Pos) bool {
	if name == "" {
		return true // its error is reported
	}
	if old, ok := b.taken[name]; ok {
		b.collision(pos, by, old.by, old.pos, name)
		return false
	}
	if slices.Contains(reserved, name) {
		b.errorf(pos, "name-collision", "rename it", "%s would be %s in Go, which the generated package has itself", by, name)
		return false
	}
	b.taken[name] = taken{by, pos}
	return true
}

func (b *builder) collision(pos diag.Pos, by, old string, oldPos diag.Pos, name string) {
	b.errorf(pos, "name-collision", "rename one of them; of a message also go: {name: …} sets the name",
		"%s and %s (line %d) are both %s in Go", by, old, oldPos.Line, name)
}

// kindNames are the names that a kind of room has in the generated package.
func kindNames(k *RoomKind) []string {
	return []string{k.Go + "Handler", k.Go + "LeaveHandler", k.Go + "Topic", "Unimplemented" + k.Go + "Handler"}
}

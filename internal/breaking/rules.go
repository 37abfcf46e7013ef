package breaking

import (
	"strings"

	"github.com/wsgen/wsgen/internal/diag"
)

// Direction is whom a change meets.
type Direction int

// The directions.
const (
	ClientToServer Direction = iota // old clients send to the new server
	ServerToClient                  // the new server sends to old clients
)

// String returns the words of a finding.
func (d Direction) String() string {
	if d == ClientToServer {
		return "client to server"
	}
	return "server to client"
}

// Category is what a change is about.
type Category string

// The categories.
const (
	Wire   Category = "wire" // bytes
	Source Category = "src"  // the generated API
	Ops    Category = "ops"  // the running system
)

// Rule is a kind of change: how bad it is in each direction, and which directions become errors when clients and servers may be
// deployed in any order.
//
// What is behind a slash in an ID tells apart changes of one rule that are not equally bad.
type Rule struct {
	ID       string
	Category Category
	C2S, S2C Level
	Any      string // c2s, s2c, c2s s2c*, or both; s2c* is for clients that read strictly; empty: none
	Purpose  string
}

// Name returns the id without what tells its cases apart: what comments and options call the rule.
func (r Rule) Name() string {
	name, _, _ := strings.Cut(r.ID, "/")
	return name
}

// anyOrder reports whether a change is an error in a direction when the two sides may be deployed in any order: then new clients
// meet old servers, too.
func (r Rule) anyOrder(d Direction, strictClients bool) bool {
	switch r.Any {
	case "both":
		return true
	case "c2s":
		return d == ClientToServer
	case "s2c":
		return d == ServerToClient
	case "s2c*":
		return d == ServerToClient && strictClients
	case "c2s s2c*":
		return d == ClientToServer || strictClients
	}
	return false
}

// Level is how bad a change is in a direction.
type Level string

// The levels. Those with a star are errors for clients that read strictly.
const (
	Error       Level = "E"
	Warning     Level = "W"
	WarningStar Level = "W*"
	Info        Level = "I"
	InfoStar    Level = "I*"
	Never       Level = "" // cannot happen there
)

// severity returns what a level comes to.
func (l Level) severity(strictClients bool) (diag.Severity, bool) {
	switch l {
	case Error:
		return diag.Error, true
	case Warning:
		return diag.Warning, true
	case Info:
		return diag.Info, true
	case WarningStar, InfoStar:
		if strictClients {
			return diag.Error, true
		}
		if l == WarningStar {
			return diag.Warning, true
		}
		return diag.Info, true
	}
	return 0, false
}

// Rules returns all rules, in the order in which they are best read.
func Rules() []Rule {
	return append(append(append(messageRules(), fieldRules()...), valueRules()...), otherRules()...)
}

func messageRules() []Rule {
	return []Rule{
		{"message-removed", Wire, Error, Warning, "", "a message is gone"},
		{"message-added", Wire, Info, Info, "c2s", "a new message"},
		{"message-renamed", Wire, Error, Error, "both", "the same payload under another name"},
		{"message-direction-narrowed", Wire, Error, Error, "both", "a side that sent a message may not send it any more"},
		{"message-direction-widened", Wire, Info, Info, "c2s", "both sides may send a message that one sent"},
		{"message-kind-changed", Wire, Error, Error, "both", "an event has become a request, or a request an event"},
		{"message-payload-added", Wire, Error, Info, "both", "a message without a payload has one with required fields"},
		{"message-payload-added/optional", Wire, Error, Info, "both",
			"a message without a payload has one, all of whose fields may be left out; the payload itself is required"},
		{"message-payload-removed", Wire, Error, Error, "c2s", "a message has no payload any more"},
		{"message-reserved-reused", Wire, Error, Error, "both", "a message has a name that was reserved"},
		{"reserved-removed", Wire, Error, Error, "", "a name is not reserved any more"},
		{"message-deprecated", Source, Info, Info, "", "a message is deprecated"},
		{"message-undeprecated", Source, Info, Info, "", "a message is not deprecated any more"},
		{"sunset-moved-earlier", Ops, Warning, Warning, "", "a message goes away sooner than was said"},
	}
}

func fieldRules() []Rule {
	return []Rule{
		{"field-added-required", Wire, Error, InfoStar, "both", "a new field that must be there"},
		{"field-added-optional", Wire, Info, InfoStar, "c2s", "a new field that may be left out"},
		{"field-removed-required", Wire, Error, Error, "c2s s2c*", "a field that had to be there is gone"},
		{"field-removed-optional", Wire, Error, Warning, "s2c*", "a field that could be left out is gone"},
		{"field-renamed", Wire, Error, Error, "both", "a field of the same type under another name"},
		{"field-became-required", Wire, Error, Info, "s2c", "a field must be there that could be left out"},
		{"field-became-optional", Wire, Info, Error, "c2s", "a field may be left out that had to be there"},
		{"field-became-nullable", Wire, Info, Error, "c2s", "a value may be null"},
		{"field-became-non-nullable", Wire, Error, Info, "s2c", "a value may not be null any more"},
		{"field-type-changed", Wire, Error, Error, "both", "a value of another JSON type"},
		{"field-type-widened", Wire, Info, Error, "c2s", "a type with more values: int32 to int, integer to number"},
		{"field-type-narrowed", Wire, Error, Info, "s2c", "a type with fewer values"},
		{"field-int-encoding-changed", Wire, Error, Error, "both",
			"an integer that travels as text instead of a number, or the reverse"},
		{"field-default-added", Wire, Info, Warning, "c2s", "a field has a default, and so may be left out"},
		{"field-default-changed", Wire, Warning, Warning, "both", "both sides fill in different values"},
		{"field-default-removed", Wire, Warning, Warning, "s2c*", "a field that may be left out has no default any more"},
		{"field-default-removed/required", Wire, Error, Info, "s2c", "a field has no default any more, and must be there"},
		{"field-const-changed", Wire, Error, Error, "both", "a value that is always the same is another one"},
		{"field-deprecated", Source, Info, Info, "", "a field is deprecated"},
	}
}

func valueRules() []Rule {
	return []Rule{
		{"enum-value-added", Wire, Info, WarningStar, "c2s", "a new value of an enum"},
		{"enum-value-removed", Wire, Error, Info, "s2c*", "a value of an enum is gone"},
		{"enum-value-removed/typed", Wire, Error, Info, "s2c", "a value of an enum is gone, which the new type cannot hold"},
		{"enum-introduced", Wire, Error, Info, "s2c*", "only some values are allowed"},
		{"enum-dissolved", Wire, Info, WarningStar, "c2s", "values are not listed any more"},
		{"string-length-tightened", Wire, Error, Info, "s2c*", "fewer lengths of a string"},
		{"string-length-loosened", Wire, Info, InfoStar, "c2s", "more lengths of a string"},
		{"number-range-tightened", Wire, Error, Info, "s2c*", "a smaller range"},
		{"number-range-loosened", Wire, Info, InfoStar, "c2s", "a larger range"},
		{"number-step-changed/tightened", Wire, Error, Info, "s2c*", "multiples of a number that the old one does not divide"},
		{"number-step-changed/loosened", Wire, Info, InfoStar, "c2s", "multiples of a divisor, or of none"},
		{"array-size-tightened", Wire, Error, Info, "s2c*", "fewer lengths of an array"},
		{"array-size-loosened", Wire, Info, InfoStar, "c2s", "more lengths of an array"},
		{"array-unique-added", Wire, Error, Info, "s2c*", "items must be different"},
		{"array-unique-removed", Wire, Info, InfoStar, "c2s", "items may be equal"},
		{"map-size-tightened", Wire, Error, Info, "s2c*", "fewer sizes of an object"},
		{"map-size-loosened", Wire, Info, InfoStar, "c2s", "more sizes of an object"},
		{"map-key-changed", Wire, Error, Warning, "c2s s2c*", "other keys are allowed"},
		{"pattern-added", Wire, Error, Info, "s2c*", "text must match a pattern"},
		{"pattern-changed", Wire, Error, Warning, "c2s s2c*", "text must match another pattern"},
		{"pattern-removed", Wire, Info, InfoStar, "c2s", "text need not match any more"},
		{"format-added", Wire, Error, Info, "s2c*", "text must be of a format"},
		{"format-added/typed", Wire, Error, Warning, "s2c", "text must be of a format that has a type of its own"},
		{"format-changed", Wire, Error, Error, "both", "text must be of another format"},
		{"format-removed", Wire, Info, InfoStar, "c2s", "text need not be of a format any more"},
		{"format-removed/typed", Wire, Info, Error, "c2s", "text need not be of a format any more that has a type of its own"},
		{"encoding-changed", Wire, Error, Error, "both", "text in another encoding"},
		{"object-closed", Wire, Error, Info, "s2c*", "unknown fields are refused"},
		{"object-opened", Wire, Info, InfoStar, "c2s", "unknown fields are allowed"},
		{"tuple-shape-changed", Wire, Error, Error, "both", "other items with a place of their own"},
		{"union-variant-added", Wire, Info, WarningStar, "c2s", "a new variant"},
		{"union-variant-removed", Wire, Error, Info, "s2c*", "a variant is gone"},
		{"union-tag-changed", Wire, Error, Error, "both", "another field tells the variants apart"},
		{"union-introduced", Wire, Info, Error, "c2s", "a value may be of another type, too"},
		{"union-dissolved", Wire, Error, Info, "s2c", "a value may be of one type only"},
		{"schema-not-comparable", Wire, Warning, Warning, "both", "conditions differ, and it is not decided how"},
	}
}

func otherRules() []Rule {
	return []Rule{
		{"rpc-response-type-changed", Wire, Never, Error, "both", "the reply has another name on the wire"},
		{"rpc-error-added", Wire, Never, Warning, "", "a new code that clients may get"},
		{"rpc-error-removed", Wire, Never, Info, "", "a code is gone"},
		{"rpc-error-details-added", Wire, Never, Info, "s2c", "a code comes with details"},
		{"rpc-error-details-removed", Wire, Never, Error, "", "a code comes without its details"},
		{"rpc-error-retryable-changed", Wire, Never, Warning, "", "whether a failed request may be repeated"},
		{"rpc-progress-added", Wire, Never, Info, "", "progress, which old clients ignore"},
		{"rpc-progress-removed", Wire, Never, Warning, "", "no progress any more"},
		{"rpc-idempotent-removed", Wire, Error, Never, "", "clients repeat the request on their own"},
		{"rpc-timeout-shortened", Ops, Warning, Never, "", "less time for an answer"},
		{"envelope-changed", Wire, Error, Error, "both", "another form of frames"},
		{"auth-tightened", Wire, Error, Never, "", "senders need more than before"},
		{"auth-loosened", Ops, Warning, Never, "", "more senders are let through"},
		{"limit-size-lowered", Wire, Error, Never, "", "smaller frames"},
		{"limit-rate-lowered", Ops, Warning, Never, "", "fewer messages in a time, or waiting"},
		{"room-key-changed", Ops, Error, Never, "both", "another field leads to the room"},
		{"room-key-removed", Ops, Error, Never, "", "a message goes to no room any more"},
		{"room-key-added", Ops, Warning, Never, "", "a message goes to a room"},
		{"shards-changed", Ops, Warning, Never, "", "another number of shards, so that rooms move"},
		{"hash-changed", Ops, Error, Never, "", "another hash, so that nearly all rooms move"},
		{"capacity-lowered", Ops, Warning, Never, "", "less room"},
		{"history-removed", Ops, Never, Warning, "", "rooms do not send again what a client missed"},
		{"history-shortened", Ops, Never, Warning, "", "rooms keep less of what they published"},
		{"presence-removed", Ops, Never, Warning, "", "members are not told of each other any more"},
		{"presence-limit-lowered", Ops, Never, Warning, "", "members are named in smaller rooms only"},
		{"state-removed", Ops, Warning, Never, "", "rooms do not outlive their process any more"},
		{"delivery-weakened", Ops, Never, Warning, "", "a slow reader may miss what it did not before"},
		{"clients-strict", Wire, Never, Error, "", "clients refuse what they ignored before"},
		{"type-removed", Source, Error, Error, "", "a generated type is gone"},
		{"go-name-changed", Source, Error, Error, "", "a generated identifier of Go is another one"},
		{"ts-name-changed", Source, Error, Error, "", "a generated identifier of TypeScript is another one"},
		{"go-type-changed", Source, Error, Error, "", "a generated field has another Go type"},
		{"version-not-bumped", Wire, Warning, Warning, "", "changes that break, under the same version"},
		{"version-decreased", Wire, Error, Error, "", "a lower version"},
	}
}

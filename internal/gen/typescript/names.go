package typescript

import (
	"strconv"
	"strings"

	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/names"
)

// reservedTypes are names that the module has itself, or that it uses of the language.
var reservedTypes = strings.Fields(`Issue InvalidMessageError State WebSocketLike ClientOptions RequestOptions MessageMeta ServerError ConnectionError
	CloseError Gap Client ServerEvents ServerMeta ErrorDetails ErrorCode Types
	AbortSignal Array AsyncGenerator BigInt Date Error Infinity JSON Map Math NaN Number Object Promise Readonly ReadonlyMap ReadonlySet ReadonlyArray Record
	RegExp Set String SyntaxError TextDecoder TextEncoder TypeError URL Uint8Array WebSocket ReturnType NonNullable`)

// reservedMethods are what every client has, as itself or as an object. One with a then would be taken for a promise.
var reservedMethods = strings.Fields(`close connect constructor error messages on once onError onGap onState onUnknown ready refresh state then
	hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString toString valueOf`)

// naming gives each type its names, which differ from all others of the module.
type naming struct {
	taken map[string]bool
	out   map[*model.Named]string // what is read
	in    map[*model.Named]string // what is sent, where that is another type
}

func newNaming() *naming {
	n := &naming{taken: map[string]bool{}, out: map[*model.Named]string{}, in: map[*model.Named]string{}}
	for _, name := range reservedTypes {
		n.taken[name] = true
	}
	return n
}

// free returns a name that nothing has yet, the one that is wanted where that is possible.
func (n *naming) free(wanted string) string {
	name := wanted
	for i := 2; n.taken[name]; i++ {
		name = wanted + "Type"
		if i > 2 {
			name += strconv.Itoa(i)
		}
	}
	n.taken[name] = true
	return name
}

// methodName returns the name of the method that sends a message.
func methodName(m *model.Message, taken map[string]bool) string {
	name := m.TS
	if taken[name] {
		name = "send" + names.TSType(name)
	}
	for taken[name] {
		name += "_"
	}
	taken[name] = true
	return name
}

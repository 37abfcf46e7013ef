package breaking

// advice returns what to do about a change of a rule where the place of the change says nothing more.
func (r Rule) advice() string {
	if text, ok := adviceByName[r.Name()]; ok {
		return text
	}
	switch r.Category {
	case Source:
		return "callers of the generated code change with it"
	case Ops:
		return "roll it out when nothing depends on the old value any more"
	}
	return "keep the old one with deprecated: for a while, and add a field or a message of another name"
}

// adviceByName are the rules whose advice is not that of their category.
var adviceByName = map[string]string{
	"type-removed":                "keep the type, or change the code that uses it",
	"union-variant-added":         "let clients know the variant before servers send it",
	"enum-value-added":            "let clients know the value before servers send it",
	"rpc-error-added":             "let clients know the code; until then they see it as one without details",
	"rpc-error-retryable-changed": "let clients know; generated ones do what the frame says",
	"schema-not-comparable":       "compare by hand, and allow it with a comment if it is harmless",
	"field-became-nullable":       "let clients know null before servers send it",
	"field-became-optional":       "give it a default",
	"sunset-moved-earlier":        "keep the day that was announced",
	"field-int-encoding-changed":  "add a field of another name with the other encoding",
	"message-direction-narrowed":  "keep the message where it was, and add one of another name",
	"clients-strict":              "let all clients be those of this version first",
	"auth-tightened":              "give the roles to those who need them first",
	"limit-rate-lowered":          "let clients send less often first",
	"limit-size-lowered":          "let clients send smaller frames first",
	"rpc-timeout-shortened":       "make sure that handlers answer in that time",
	"rpc-idempotent-removed":      "clients of the old version repeat it after a broken connection: handle that for a while",
	"delivery-weakened":           "make sure that a later message says what a slow reader may have missed",
	"shards-changed":              "rooms move to other shards: restart all servers at once, or drain them",
	"hash-changed":                "rooms move to other shards: restart all servers at once, or drain them",
	"history-removed":             "clients that come back are told to join again, and miss what was said meanwhile: let them read it another way",
	"history-shortened":           "make sure that clients are not away for longer",
	"presence-removed":            "make sure that clients do without it: they hear nothing of members any more",
	"presence-limit-lowered":      "make sure that clients can do with the number of members",
	"state-removed":               "keep what has to outlive the process elsewhere",
	"capacity-lowered":            "make sure that fewer are in use",
	"room-key-added":              "clients of the old version do not send it: add a message of another name",
}

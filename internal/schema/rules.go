package schema

// Rule is a kind of finding. Its id stands behind the message, so that a finding can be looked up.
type Rule struct {
	ID      string // kebab-case
	Purpose string // what is wrong when it is reported
}

// Rules returns the rules of this package and of the model, sorted by id.
func Rules() []Rule {
	return []Rule{
		{"bad-bounds", "bounds that the type does not have, or that nothing fits between"},
		{"bad-default", "a default that its type does not allow, or that does not belong to a field"},
		{"bad-delivery", "a delivery of what servers do not send, or by a field that cannot be the key"},
		{"bad-envelope", "what frames of another form cannot hold"},
		{"bad-example", "an example that its type does not allow"},
		{"bad-import", "a file that is imported or referred to and cannot be read"},
		{"bad-meta", "meta that a message cannot have"},
		{"bad-name", "a name that no identifier can be made of"},
		{"bad-pattern", "a pattern that Go and JavaScript do not both read, and read alike"},
		{"bad-rate", "a rate of what clients do not send, or by a room where there is none"},
		{"bad-reference", "a $ref to something that is not there"},
		{"bad-room", "a message that cannot be routed to a room as it is written"},
		{"bad-type", "a type that cannot be read"},
		{"bad-value", "a value that the key does not take"},
		{"bad-version", "another version of the format"},
		{"cannot-tell-apart", "alternatives of which a value could be several"},
		{"closed-part", "a part of allOf that refuses what another part asks for"},
		{"conflicting-types", "a part of allOf that is of another type than the rest"},
		{"duplicate-key", "a key or field that is given twice"},
		{"duplicate-message", "a message that stands in two sections"},
		{"duplicate-value", "a value that is in its enum twice"},
		{"empty-enum", "an enum without values"},
		{"endless-type", "a type that contains itself, so that no value of it ends"},
		{"enum-value", "a value of an enum that YAML does not read as text"},
		{"error-differs", "an error code that is declared twice with different details"},
		{"missing-key", "a key that is required and not there"},
		{"name-collision", "two things that have the same name in the generated code or on the wire"},
		{"no-roles", "roles that are asked for where the claims have none"},
		{"no-rooms", "something that rooms have, in a protocol without rooms"},
		{"nullable-type", "a payload that could itself be null"},
		{"payload-and-response", "a message that is both an event and a request"},
		{"request-only", "an attribute that only requests have, on an event"},
		{"reserved-name", "a name that the protocol or a language has for itself"},
		{"standard-code", "a declared error code that is always there"},
		{"unknown-key", "a key that has no meaning where it stands"},
		{"unknown-type", "a type that is neither built in nor declared"},
		{"unsupported", "a part of the language that this version does not read yet"},
		{"unsupported-keyword", "a keyword of JSON Schema that a protocol cannot have"},
		{"yaml", "text that is no YAML, or YAML that is no protocol"},
		{"yaml-alias", "an anchor, an alias or a merge key"},
		{"yaml-flow", "a short form that YAML does not read, or reads as something else, inside { }"},
		{"yaml-tag", "a tag"},
	}
}

package model

import (
	"fmt"
	"strings"
	"time"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/internal/names"
	"github.com/wsgen/wsgen/internal/schema"
)

// DefaultTimeout is how long a request may take where the file does not say.
const DefaultTimeout = 30 * time.Second

// Other defaults of what a file does not say.
const (
	defaultMaxBytes           = 64 << 10
	defaultIdle               = time.Minute
	defaultRoomsPerConnection = 100
)

// Build resolves a file: references, routes, defaults and names. It returns nil when diags has errors afterwards; it
// reports all that it finds. The Fingerprint is left empty.
func Build(f *schema.File, diags *diag.List) *API {
	if f == nil {
		return nil
	}
	b := newBuilder(f, diags)
	b.header()
	b.declareTypes()
	b.claims()
	b.kinds()
	b.common = b.errorCodes(f.Errors, "")
	b.messages()
	b.presence()
	b.roomOptions()
	b.checkRecursion()
	b.findDefaults()
	b.checkValues()
	b.nameChecks()
	if diags.HasErrors() {
		return nil
	}
	return b.api
}

func newBuilder(f *schema.File, diags *diag.List) *builder {
	return &builder{file: f, diags: diags, api: &API{}, defs: make(map[string]*definition), scopes: make(map[string]*scope),
		taken: make(map[string]taken), methods: make(map[string]schema.Text), checkNames: make(map[string]int),
		joined: make(map[string]bool)}
}

// builder is in the middle of a file.
type builder struct {
	file     *schema.File
	diags    *diag.List
	api      *API
	defs     map[string]*definition // by path
	scopes   map[string]*scope      // by file
	taken    map[string]taken       // Go names at the top of the generated package
	methods  map[string]schema.Text
	common   []*ErrorCode // what the file declares at its top
	lifted   []*Named
	values   []valueCheck // defaults and examples
	oddRoles bool         // the claims have roles that cannot be checked
	hints    int          // how many times a similar name was looked for

	hoisted    []*hoist        // schemas inside of others that a $ref points to
	checks     []*pendingCheck // in the order of their places
	checkNames map[string]int
	joined     map[string]bool // unions whose variants know them
	merging    int             // allOf inside of allOf
}

// broken is the kind of a type with an error, which is reported once. No API that Build returns has one.
const broken Kind = -1

func brokenType() *Type { return &Type{Kind: broken} }

func (b *builder) errorf(pos diag.Pos, rule, hint, format string, args ...any) {
	b.diags.Add(diag.Diagnostic{Pos: pos, Rule: rule, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (b *builder) unsupported(pos diag.Pos, what string) {
	b.errorf(pos, "unsupported", "", "%s not supported yet", what)
}

// maxHints bounds the search for similar names, which costs more than all the rest in a file full of slips.
const maxHints = 100

// didYouMean returns a hint, or "".
func (b *builder) didYouMean(s string, candidates []string) string {
	if b.hints++; b.hints > maxHints {
		return ""
	}
	if similar := names.Similar(s, candidates); similar != "" {
		return fmt.Sprintf("did you mean %q?", similar)
	}
	return ""
}

func (b *builder) header() {
	f, a := b.file, b.api
	a.Name, a.Version, a.Doc = f.Name.Value, f.Version, f.Description
	a.Source = f.Source[strings.LastIndex(f.Source, "/")+1:]
	a.GoPackage, a.GoOut = f.GoPackage.Value, f.GoOut
	a.StrictClients, a.DocsOut = f.StrictClients, f.DocsOut
	a.TSOut, a.TSReact, a.NoTS = f.TSOut, f.TSReact, f.NoTS
	a.Reserved, a.BreakingExcept, a.LintExcept = texts(f.Reserved), texts(f.BreakingExcept), texts(f.LintExcept)
	if v := f.Envelope; v != nil {
		a.Envelope = &Envelope{Type: v.Type, Payload: v.Payload, ID: v.ID, Ints: v.Ints}
	}
	if a.GoPackage == "" && f.Name.Value != "" {
		if a.GoPackage = names.Package(f.Name.Value); a.GoPackage == "" {
			b.errorf(f.Name.Pos, "bad-name", "set go: {package: …}", "no Go package can have the name of %q", f.Name.Value)
		}
	} else if a.GoPackage != "" && names.Package(a.GoPackage) != a.GoPackage {
		b.errorf(f.GoPackage.Pos, "bad-name", "use small letters and digits", "%q is no name of a Go package", a.GoPackage)
	}
	a.Limits = Limits{MaxBytes: f.Limits.MaxBytes, Rate: convertRate(f.Limits.Rate), Pending: f.Limits.Pending}
	if a.Limits.MaxBytes == 0 {
		a.Limits.MaxBytes = defaultMaxBytes
	}
	a.Sharding = Sharding{Shards: 1, Hash: "rendezvous", Idle: defaultIdle, RoomsPerConnection: defaultRoomsPerConnection}
	if s := f.Sharding; s != nil {
		setInt(&a.Sharding.Shards, s.Shards)
		setInt(&a.Sharding.RoomsPerConnection, s.RoomsPerConnection)
		a.Sharding.Connections, a.Sharding.Rooms, a.Sharding.RoomMembers = s.Connections, s.Rooms, s.RoomMembers
		if s.Hash != "" {
			a.Sharding.Hash = s.Hash
		}
		if s.Idle > 0 {
			a.Sharding.Idle = s.Idle
		}
		a.Sharding.History = history(s.History)
		if s.State != nil {
			a.Sharding.Persistent, a.Sharding.SnapshotEvery = true, s.State.Every
		}
	}
}

func texts(list []schema.Text) []string {
	var out []string
	for _, t := range list {
		out = append(out, t.Value)
	}
	return out
}

func setInt(target *int, v int) {
	if v != 0 {
		*target = v
	}
}

func convertRate(r *schema.Rate) *Rate {
	if r == nil {
		return nil
	}
	return &Rate{Limit: r.Limit, Per: r.Per, Burst: r.Burst, By: r.By}
}

// kinds decides the Go names of the room kinds.
func (b *builder) kinds() {
	if b.file.Sharding == nil {
		return
	}
	for _, k := range b.file.Sharding.Kinds {
		kind := &RoomKind{Name: k.Name.Value, Field: k.Field.Value, Go: names.Go(k.Name.Value)}
		if kind.Go == "" {
			b.errorf(k.Name.Pos, "bad-name", "", "the kind %q has no letter or digit", k.Name.Value)
			continue
		}
		for _, name := range kindNames(kind) {
			if !b.take(name, "the kind "+kind.Name, k.Name.Pos) {
				break // the others have the same cause
			}
		}
		b.api.Kinds = append(b.api.Kinds, kind)
	}
}

// defaultClaims are the claims of a file that declares none.
func defaultClaims() *jsonschema.Schema {
	one, most := 1, 128
	text := jsonschema.Schema{Type: []string{"string"}}
	user := text
	user.MinLength, user.MaxLength, user.Description = &one, &most, "the user; what limits per user count"
	return &jsonschema.Schema{
		Type: []string{"object"}, Required: []string{"userId", "roles"}, AdditionalProperties: &jsonschema.Schema{False: true},
		Properties: []jsonschema.Property{
			{Name: "userId", Schema: &user},
			{Name: "roles", Schema: &jsonschema.Schema{Type: []string{"array"}, Items: &text,
				Description: "what the auth of messages asks for"}},
		},
	}
}

// claims builds what Authenticate returns.
func (b *builder) claims() {
	s := b.file.Claims
	if s == nil {
		s = defaultClaims()
		s.Pos.File = b.file.Source
	}
	named := &Named{Path: "claims", Go: "Claims", TS: "Claims", Doc: "what is known about an authenticated connection"}
	b.define(named, s)
	b.api.Claims = named
	for _, f := range named.Type.Fields {
		switch t := f.Type.Resolve(); {
		case f.Wire == "userId" && t.Kind == String && f.Presence() == Plain && f.Const == nil:
			b.api.UserID = f
		case f.Wire == "roles" && f.Type.Kind == Array && f.Type.Elem.Kind == String && !f.Type.Elem.Nullable &&
			f.Presence() != ThreeState && f.Presence() != Pointer:
			b.api.Roles = f
		case f.Wire == "roles":
			b.oddRoles = f.Type.Kind != broken
		}
	}
}

// checkRoles wants roles in the claims where a message asks for them.
func (b *builder) checkRoles(a *schema.Auth) {
	if a == nil || len(a.Roles) == 0 || b.api.Roles != nil || b.api.Claims.Type.Kind == broken {
		return
	}
	if b.oddRoles {
		b.errorf(a.Pos, "no-roles", "write roles: [string]", "the roles of the claims are no list of strings")
		return
	}
	b.errorf(a.Pos, "no-roles", "add roles: [string] to claims", "the claims have no roles to check")
}

// findDefaults marks the types that have a constructor. It goes on until nothing changes, for types refer to each other.
func (b *builder) findDefaults() {
	b.api.Types = append(b.api.Types, b.lifted...)
	for changed := true; changed; {
		changed = false
		for _, n := range append(b.api.Types, b.api.Claims) {
			if n.HasDefaults || !hasDefaults(n.Type) {
				continue
			}
			n.HasDefaults, changed = true, true
		}
	}
	for _, n := range b.api.Types {
		if n.HasDefaults {
			b.take("New"+n.Go, n.Path, n.Pos)
		}
	}
}

func hasDefaults(t *Type) bool {
	if t.Kind == Ref {
		return t.Ref.HasDefaults
	}
	if t.Kind != Struct {
		return false
	}
	for _, f := range t.Fields {
		if f.Default != nil || f.Const == nil && f.Presence() == Plain && f.Type.Kind == Ref && f.Type.Ref.HasDefaults {
			return true
		}
	}
	return false
}

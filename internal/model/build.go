package model

import (
	"fmt"
	"strings"
	"time"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/names"
	"github.com/wsgen/wsgen/internal/schema"
)

// Defaults of what a file does not say.
const (
	defaultMaxBytes           = 64 << 10
	defaultTimeout            = 30 * time.Second
	defaultIdle               = time.Minute
	defaultRoomsPerConnection = 100
)

// Build resolves a file: references, routes, defaults and names. It returns nil when diags has errors afterwards; it
// reports all that it finds. The Fingerprint is left empty.
func Build(f *schema.File, diags *diag.List) *API {
	if f == nil {
		return nil
	}
	b := &builder{file: f, diags: diags, api: &API{}, declared: make(map[string]*declaration), taken: make(map[string]taken), methods: make(map[string]schema.Text)}
	b.header()
	b.declareTypes()
	b.checkRecursion()
	b.runChecks()
	b.claims()
	b.kinds()
	b.common = b.errorCodes(f.Errors, "")
	b.messages()
	b.findDefaults()
	if diags.HasErrors() {
		return nil
	}
	return b.api
}

// builder is in the middle of a file.
type builder struct {
	file     *schema.File
	diags    *diag.List
	api      *API
	declared map[string]*declaration
	taken    map[string]taken // Go names at the top of the generated package
	methods  map[string]schema.Text
	common   []*ErrorCode // what the file declares at its top
	lifted   []*Named
	places   map[*Named]diag.Pos
	hints    int // how many times a similar name was looked for

	// checks are what has to wait until all declared types have their shape; once they have, resolved is set and nothing
	// waits any more.
	checks   []func()
	resolved bool
}

// broken is the kind of a type with an error, which is reported once. No API that Build returns has one.
const broken Kind = -1

func brokenType() *Type { return &Type{Kind: broken} }

// check calls f when the declared types have their shape.
func (b *builder) check(f func()) {
	if b.resolved {
		f()
		return
	}
	b.checks = append(b.checks, f)
}

func (b *builder) runChecks() {
	b.resolved = true
	for _, f := range b.checks {
		f()
	}
	b.checks = nil
}

// declaration is an entry of types.
type declaration struct {
	named *Named
	tree  *schema.NamedType
}

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
	}
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

// claims builds what Authenticate returns.
func (b *builder) claims() {
	tree := b.file.Claims
	if tree == nil {
		one := "1"
		tree = &schema.Type{Shape: schema.Object, Fields: []*schema.Field{
			{Name: schema.Text{Value: "userId"}, Doc: "the user; what limits per user count",
				Type: &schema.Type{Shape: schema.Word, Word: "string", Bounds: &schema.Bounds{Min: schema.Text{Value: one}, Max: schema.Text{Value: "128"}}}},
			{Name: schema.Text{Value: "roles"}, Doc: "what the auth of messages asks for",
				Type: &schema.Type{Shape: schema.ListOf, Elem: &schema.Type{Shape: schema.Word, Word: "string"}}},
		}}
	}
	named := &Named{Path: "claims", Go: "Claims", TS: "Claims", Doc: "what is known about an authenticated connection"}
	b.fill(named, tree)
	b.api.Claims = named
	for _, f := range named.Type.Fields {
		switch t := f.Type.Resolve(); {
		case f.Wire == "userId" && t.Kind == String && f.Presence() == Plain:
			b.api.UserID = f
		case f.Wire == "roles" && f.Type.Kind == Array && f.Type.Elem.Kind == String && !f.Type.Elem.Nullable && f.Presence() != ThreeState && f.Presence() != Pointer:
			b.api.Roles = f
		}
	}
}

// checkRoles wants roles in the claims where a message asks for them.
func (b *builder) checkRoles(a *schema.Auth) {
	if a != nil && len(a.Roles) > 0 && b.api.Roles == nil && b.api.Claims.Type.Kind != broken {
		b.errorf(a.Pos, "no-roles", "add roles: [string] to claims", "the claims have no roles to check")
	}
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
			b.take("New"+n.Go, n.Path, b.places[n])
		}
	}
}

func hasDefaults(t *Type) bool {
	if t.Kind == Ref {
		return t.Ref.HasDefaults
	}
	for _, f := range t.Fields {
		if f.Default != nil || f.Presence() == Plain && f.Type.Kind == Ref && f.Type.Ref.HasDefaults {
			return true
		}
	}
	return false
}

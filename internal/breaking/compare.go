package breaking

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wsgen/wsgen/internal/diag"
)

// Options say which changes matter.
type Options struct {
	AnyOrder   bool       // new clients may meet old servers, too
	Categories []Category // nil: wire and ops
	All        bool       // with infos
	Except     []string   // rules that are not applied
	Label      string     // what the old version is called: main, wsgen.lock.json
}

// Finding is a change.
type Finding struct {
	Rule      Rule
	Severity  diag.Severity
	Direction Direction
	Path      string // SEND_MESSAGE.payload.lang, or Member.nick for a type that is used in several places
	Pos       diag.Pos
	Text      string // what has changed
	Advice    string // what to do
	Places    int    // of a type: how many bodies it is in
	roots     map[string]bool
}

// Diagnostic returns the finding as it is printed.
func (f Finding) Diagnostic() diag.Diagnostic {
	text := f.Text
	if f.Places > 1 {
		text += fmt.Sprintf(" (in %d places)", f.Places)
	}
	return diag.Diagnostic{Pos: f.Pos, Severity: f.Severity, Rule: f.Rule.Name(), Message: text, Hint: f.Advice}
}

// Compare returns the changes from old to new, by their places.
func Compare(old, new *Protocol, opts Options) []Finding {
	if opts.Categories == nil {
		opts.Categories = []Category{Wire, Ops}
	}
	c := &comparison{old: old, new: new, opts: opts, rules: make(map[string]Rule), seen: make(map[string]*Finding),
		entered: make(map[string]bool)}
	for _, r := range Rules() {
		c.rules[r.ID] = r
	}
	c.protocol()
	c.messages()
	c.sources()
	c.versions()
	slices.SortStableFunc(c.found, func(a, b *Finding) int {
		return strings.Compare(fmt.Sprintf("%s %08d %08d", a.Pos.File, a.Pos.Line, a.Pos.Col),
			fmt.Sprintf("%s %08d %08d", b.Pos.File, b.Pos.Line, b.Pos.Col))
	})
	var out []Finding
	for _, f := range c.found {
		if f.Severity != diag.Info || opts.All {
			out = append(out, *f)
		}
	}
	return out
}

// comparison is one run.
type comparison struct {
	old, new *Protocol
	opts     Options
	rules    map[string]Rule
	found    []*Finding
	seen     map[string]*Finding // by rule, path and text
	root     string              // the body that is compared: SEND_MESSAGE.payload
	entered  map[string]bool     // pairs of schemas, by body and direction
	steps    int                 // pairs of schemas that were compared of the body
}

// change reports a change in a direction. advice says what to do about it; "" when there is nothing to say.
func (c *comparison) change(id string, d Direction, path string, pos diag.Pos, advice, format string, args ...any) {
	rule, known := c.rules[id]
	if !known {
		panic("no rule " + id)
	}
	if slices.Contains(c.opts.Except, rule.Name()) || !slices.Contains(c.opts.Categories, rule.Category) {
		return
	}
	level, strict := rule.C2S, c.new.StrictClients || c.old.StrictClients
	if d == ServerToClient {
		level = rule.S2C
	}
	severity, applies := level.severity(strict)
	if c.opts.AnyOrder && rule.anyOrder(d, strict) {
		severity, applies = diag.Error, true
	}
	if !applies {
		return
	}
	if advice == "" && severity != diag.Info {
		advice = rule.advice()
	}
	text := fmt.Sprintf(format, args...)
	key := fmt.Sprint(id, path, text)
	if f := c.seen[key]; f != nil {
		if f.roots[c.root] = true; len(f.roots) > f.Places {
			f.Places = len(f.roots)
		}
		if severity < f.Severity { // the other direction is worse
			f.Severity, f.Direction = severity, d
			f.Advice = or(f.Advice, advice)
		}
		return
	}
	f := &Finding{Rule: rule, Severity: severity, Direction: d, Path: path, Pos: pos, Text: text, Advice: advice, Places: 1,
		roots: map[string]bool{c.root: true}}
	c.seen[key] = f
	c.found = append(c.found, f)
}

// label is what the old version is called.
func (c *comparison) label() string {
	if c.opts.Label == "" {
		return "the old version"
	}
	return c.opts.Label
}

// protocol compares what is not about one message.
func (c *comparison) protocol() {
	old, new := c.old, c.new
	for _, name := range old.Reserved {
		if !slices.Contains(new.Reserved, name) {
			c.change("reserved-removed", ClientToServer, name, new.pos, "keep it", "%s is not reserved any more", name)
		}
	}
	if fmt.Sprint(deref(old.Envelope)) != fmt.Sprint(deref(new.Envelope)) {
		c.change("envelope-changed", ClientToServer, "envelope", new.pos,
			"give the new form a subprotocol or an address of its own", "frames have another form")
	}
	if new.StrictClients && !old.StrictClients {
		c.change("clients-strict", ServerToClient, "clients", new.pos, "", "clients refuse unknown fields and values from now on")
	}
	c.sharding()
	if lowerRate(old.Limits.Rate, new.Limits.Rate) || lower(old.Limits.Pending, new.Limits.Pending) {
		c.change("limit-rate-lowered", ClientToServer, "limits", new.pos, "", "limits of all messages are lower")
	}
}

func deref[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

func (c *comparison) sharding() {
	old, new := c.old.Sharding, c.new.Sharding
	if old.Shards != new.Shards {
		moved := "nearly all rooms move"
		if new.Hash == "rendezvous" || new.Hash == "jump" {
			moved = fmt.Sprintf("about %d %% of the rooms move", 100*abs(new.Shards-old.Shards)/max(new.Shards, old.Shards))
		}
		c.change("shards-changed", ClientToServer, "sharding", c.new.pos, "", "%d shards instead of %d: %s", new.Shards,
			old.Shards, moved)
	}
	if old.Hash != new.Hash {
		c.change("hash-changed", ClientToServer, "sharding", c.new.pos, "",
			"rooms are spread by %s instead of %s: nearly all move", new.Hash, old.Hash)
	}
	for _, v := range []struct {
		name     string
		old, new int
	}{
		{"connections", old.Connections, new.Connections}, {"rooms", old.Rooms, new.Rooms},
		{"roomMembers", old.RoomMembers, new.RoomMembers}, {"roomsPerConnection", old.RoomsPerConnection, new.RoomsPerConnection},
	} {
		if lower(v.old, v.new) {
			c.change("capacity-lowered", ClientToServer, "sharding.capacity", c.new.pos, "",
				"the capacity %s is %d", v.name, v.new)
		}
	}
	c.keeping()
}

// keeping compares what rooms keep: of what they published, of their members, of themselves.
func (c *comparison) keeping() {
	old, new := c.old.Sharding, c.new.Sharding
	report := func(id, format string, args ...any) {
		d := ServerToClient
		if id == "state-removed" {
			d = ClientToServer
		}
		c.change(id, d, "sharding", c.new.pos, "", format, args...)
	}
	switch before, now := old.History, new.History; {
	case before == nil:
	case now == nil:
		report("history-removed", "rooms have no history any more")
	default:
		for _, v := range []struct {
			name     string
			old, new int64
		}{
			{"messages", int64(before.Messages), int64(now.Messages)}, {"bytes", int64(before.Bytes), int64(now.Bytes)},
			{"milliseconds", before.AgeMs, now.AgeMs},
		} {
			if v.new < v.old {
				report("history-shortened", "the history keeps %d %s instead of %d", v.new, v.name, v.old)
			}
		}
	}
	if new.Presence > 0 && new.Presence < old.Presence {
		report("presence-limit-lowered", "members are named in rooms of up to %d instead of %d", new.Presence, old.Presence)
	}
	if old.Persistent && !new.Persistent {
		report("state-removed", "rooms are forgotten when they close")
	}
}

func abs(n int) int { return max(n, -n) }

// lower compares limits where 0 is none.
func lower(old, new int) bool { return new != 0 && (old == 0 || new < old) }

// versions asks for a new version when something breaks.
func (c *comparison) versions() {
	old, new := c.old.Version, c.new.Version
	if old == "" || new == "" {
		return
	}
	if order := compareVersions(old, new); order > 0 {
		c.change("version-decreased", ClientToServer, "version", c.new.pos, "write a higher one",
			"version %s comes before %s", new, old)
	} else if order == 0 &&
		slices.ContainsFunc(c.found, func(f *Finding) bool { return f.Severity == diag.Error && f.Rule.Category == Wire }) {
		c.change("version-not-bumped", ClientToServer, "version", c.new.pos, "write a higher one",
			"there are changes that break, and the version is still %s", old)
	}
}

// compareVersions compares numbers between dots.
func compareVersions(a, b string) int {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(x), len(y)) {
		var m, n int
		if i < len(x) {
			_, _ = fmt.Sscanf(x[i], "%d", &m) // 0 for what is no number
		}
		if i < len(y) {
			_, _ = fmt.Sscanf(y[i], "%d", &n)
		}
		if m != n {
			return m - n
		}
	}
	return 0
}

// sources compares what is generated.
func (c *comparison) sources() {
	types := make(map[string]GoType)
	for _, t := range c.new.Types {
		types[t.Path] = t
	}
	for _, old := range c.old.Types {
		new, ok := types[old.Path]
		if !ok {
			if !strings.Contains(old.Path, ".") {
				c.change("type-removed", ClientToServer, old.Path, c.new.pos, "", "the type %s is gone", old.Go)
			}
			continue
		}
		if old.Go != new.Go {
			c.change("go-name-changed", ClientToServer, old.Path, new.pos, "", "%s is %s in Go instead of %s", old.Path,
				new.Go, old.Go)
		}
		if old.TS != new.TS {
			c.change("ts-name-changed", ClientToServer, old.Path, new.pos, "", "%s is %s in TypeScript instead of %s", old.Path,
				new.TS, old.TS)
		}
		c.goFields(old, new)
	}
}

func (c *comparison) goFields(old, new GoType) {
	for _, f := range old.Fields {
		i := slices.IndexFunc(new.Fields, func(g GoField) bool { return g.Name == f.Name })
		if i < 0 {
			continue
		}
		path := old.Path + "." + f.Name
		if g := new.Fields[i]; g.Go != f.Go {
			c.change("go-name-changed", ClientToServer, path, new.pos, "", "%s is %s in Go instead of %s", path, g.Go, f.Go)
		} else if g.Type != f.Type {
			c.change("go-type-changed", ClientToServer, path, new.pos, "", "%s has the type %s in Go instead of %s", path,
				g.Type, f.Type)
		}
	}
}

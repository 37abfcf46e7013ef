package golang

// Models for the tests of this package, built by hand: emitters must be testable without the YAML in front of them.

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/wsgen/wsgen/internal/model"
)

// A sample is a type with a default for it.
type sample struct {
	name string
	typ  model.Type
	def  string
}

// samples has every kind, without and with bounds.
func samples() []sample {
	n := func(i int) *int { return &i }
	role := &model.Named{Path: "Role", Go: "Role", Type: &model.Type{Kind: model.Enum, Values: []model.EnumValue{
		{Wire: "owner", Go: "RoleOwner"}, {Wire: "member", Go: "RoleMember", Doc: "Everybody else."},
	}}}
	id := &model.Named{Path: "RoomID", Go: "RoomID", Type: &model.Type{Kind: model.String, MinLen: n(1), MaxLen: n(64)}}
	point := &model.Named{Path: "Point", Go: "Point", Type: &model.Type{Kind: model.Struct, Fields: []*model.Field{
		{Wire: "x", Go: "X", Type: &model.Type{Kind: model.Float64}},
		{Wire: "y", Go: "Y", Type: &model.Type{Kind: model.Int32, Min: "-2147483648", Max: "2147483647"},
			Default: json.RawMessage("0")},
		{Wire: "label", Go: "Label", Optional: true, Type: &model.Type{Kind: model.String}},
		{Wire: "mark", Go: "Mark", Optional: true, Type: &model.Type{Kind: model.String, Nullable: true}},
	}}}
	tags := &model.Named{Path: "Tags", Go: "Tags", Type: &model.Type{Kind: model.Array, MaxLen: n(3),
		Elem: &model.Type{Kind: model.String, MinLen: n(1)}}}
	counts := &model.Named{Path: "Counts", Go: "Counts",
		Type: &model.Type{Kind: model.Map, Elem: &model.Type{Kind: model.Uint8, Min: "0", Max: "255"},
			Key: &model.Type{Kind: model.Ref, Ref: role}}}
	at := &model.Named{Path: "At", Go: "At", Type: &model.Type{Kind: model.DateTime}}
	blob := &model.Named{Path: "Blob", Go: "Blob", Type: &model.Type{Kind: model.Any}}
	bag := &model.Named{Path: "Bag", Go: "Bag", Type: &model.Type{Kind: model.Object}}
	alias := &model.Named{Path: "Status", Go: "Status", Type: &model.Type{Kind: model.Ref, Ref: role}}
	pointAlias := &model.Named{Path: "Place", Go: "Place", Type: &model.Type{Kind: model.Ref, Ref: point}}
	node := &model.Named{Path: "Node", Go: "Node"}
	node.Type = &model.Type{Kind: model.Struct, Fields: []*model.Field{
		{Wire: "name", Go: "Name", Type: &model.Type{Kind: model.String}},
		{Wire: "next", Go: "Next", Optional: true, Type: &model.Type{Kind: model.Ref, Ref: node}},
		{Wire: "children", Go: "Children", Type: &model.Type{Kind: model.Array, Elem: &model.Type{Kind: model.Ref, Ref: node}}},
	}}
	ref := func(n *model.Named) model.Type { return model.Type{Kind: model.Ref, Ref: n} }
	integer := func(k model.Kind, min, max string) model.Type { return model.Type{Kind: k, Min: min, Max: max} }
	return []sample{
		{"string", model.Type{Kind: model.String}, `"a\"b"`},
		{"bounded", model.Type{Kind: model.String, MinLen: n(2), MaxLen: n(4)}, `"abc"`},
		{"uuid", model.Type{Kind: model.String, Format: "uuid"}, `"123e4567-e89b-12d3-a456-426614174000"`},
		{"boundedUri", model.Type{Kind: model.String, Format: "uri", MaxLen: n(20)}, `"http://a"`},
		{"bool", model.Type{Kind: model.Bool}, `true`},
		{"int", integer(model.Int, "-9007199254740991", "9007199254740991"), `-7`},
		{"int8", integer(model.Int8, "-128", "127"), `1`},
		{"int16", integer(model.Int16, "-5", "5"), `1`},
		{"int32", integer(model.Int32, "1", "100"), `50`},
		{"uint8", integer(model.Uint8, "0", "255"), `1`},
		{"uint16", integer(model.Uint16, "0", "65535"), `1`},
		{"uint32", integer(model.Uint32, "0", "4294967295"), `4294967295`},
		{"int64", model.Type{Kind: model.Int64}, `"-9223372036854775808"`},
		{"uint64", model.Type{Kind: model.Uint64}, `"18446744073709551615"`},
		{"float32", model.Type{Kind: model.Float32, Min: "0", Max: "0.1"}, `0.05`},
		{"float64", model.Type{Kind: model.Float64}, `2.5`},
		{"halfBounded", model.Type{Kind: model.Float64, Min: "-1.5"}, `0`},
		{"bytes", model.Type{Kind: model.Bytes}, `"aGk="`},
		{"boundedBytes", model.Type{Kind: model.Bytes, MinLen: n(1), MaxLen: n(3)}, `"aGk="`},
		{"dateTime", model.Type{Kind: model.DateTime}, `"2026-01-02T03:04:05.5Z"`},
		{"any", model.Type{Kind: model.Any}, `{"a":[1,null]}`},
		{"object", model.Type{Kind: model.Object, MaxLen: n(2)}, `{"a":[1,"x"]}`},
		{"role", ref(role), `"member"`},
		{"status", ref(alias), `"owner"`},
		{"roomId", ref(id), `"lobby"`},
		{"point", ref(point), `{"x":1,"mark":null}`},
		{"place", ref(pointAlias), `{"x":1,"label":"a","mark":"b"}`},
		{"tags", ref(tags), `["a"]`},
		{"counts", ref(counts), `{"owner":1}`},
		{"at", ref(at), `"2026-01-02T03:04:05Z"`},
		{"blob", ref(blob), `[]`},
		{"bag", ref(bag), `{}`},
		{"node", ref(node), `{"name":"a","children":[]}`},
		{"list", model.Type{Kind: model.Array, Elem: &model.Type{Kind: model.String}}, `["a","b"]`},
		{"grid", model.Type{Kind: model.Array, MinLen: n(1), MaxLen: n(3), Elem: &model.Type{Kind: model.Array, MaxLen: n(3),
			Elem: &model.Type{Kind: model.Int8, Min: "0", Max: "9", Nullable: true}}}, `[[1,null]]`},
		{"points", model.Type{Kind: model.Array, Elem: &model.Type{Kind: model.Ref, Ref: point}}, `[{"x":1}]`},
		{"nullablePoints", model.Type{Kind: model.Array, Elem: &model.Type{Kind: model.Ref, Ref: point, Nullable: true}},
			`[null,{"x":1}]`},
		{"map", model.Type{Kind: model.Map, Elem: &model.Type{Kind: model.Uint32, Min: "0", Max: "4294967295"}}, `{"a":1}`},
		{"boundedMap", model.Type{Kind: model.Map, MinLen: n(1), MaxLen: n(2), Key: &model.Type{Kind: model.String, MinLen: n(1),
			MaxLen: n(3)},
			Elem: &model.Type{Kind: model.Array, Elem: &model.Type{Kind: model.Ref, Ref: role}}}, `{"a":["owner"]}`},
		{"uuidMap", model.Type{Kind: model.Map, Key: &model.Type{Kind: model.String, Format: "uuid"},
			Elem: &model.Type{Kind: model.Map, Elem: &model.Type{Kind: model.Bool, Nullable: true}}}, `{}`},
		{"idMap", model.Type{Kind: model.Map, Key: &model.Type{Kind: model.Ref, Ref: id},
			Elem: &model.Type{Kind: model.Ref, Ref: point}}, `{"a":{"x":1}}`},
		{"nullableMap", model.Type{Kind: model.Map, Elem: &model.Type{Kind: model.Ref, Ref: tags, Nullable: true}},
			`{"a":null,"b":["x"]}`},
	}
}

// goName returns a field's name in Go.
func goName(wire string) string {
	return strings.NewReplacer("Uuid", "UUID", "Uri", "URI", "Id", "ID").Replace(strings.ToUpper(wire[:1]) + wire[1:])
}

// kindsAPI has a struct per presence with a field per sample, and what the fields refer to.
func kindsAPI() *model.API {
	api := &model.API{Name: "Kinds", Source: "messages.yaml", GoPackage: "kinds", Fingerprint: "0123456789abcdef"}
	seen := map[*model.Named]bool{}
	var declare func(t *model.Type)
	declare = func(t *model.Type) {
		if t == nil {
			return
		}
		if t.Ref != nil && !seen[t.Ref] {
			seen[t.Ref] = true
			api.Types = append(api.Types, t.Ref)
			declare(t.Ref.Type)
		}
		for _, f := range t.Fields {
			declare(f.Type)
		}
		declare(t.Elem)
		declare(t.Key)
	}
	structs := []struct {
		name               string
		optional, nullable bool
		def                bool
	}{
		{name: "Required"}, {name: "Optional", optional: true}, {name: "Nullable", nullable: true},
		{name: "ThreeState", optional: true, nullable: true}, {name: "Default", def: true},
		{name: "NullableDefault", nullable: true, def: true},
	}
	all := samples()
	for _, s := range structs {
		n := &model.Named{Path: s.name, Go: s.name, Type: &model.Type{Kind: model.Struct}, HasDefaults: s.def}
		for _, x := range all {
			t := x.typ
			t.Nullable = s.nullable
			f := &model.Field{Wire: x.name, Go: goName(x.name), Type: &t, Optional: s.optional}
			if s.def {
				f.Default = json.RawMessage(x.def)
			}
			n.Type.Fields = append(n.Type.Fields, f)
		}
		api.Types = append(api.Types, n)
	}
	wide := &model.Named{Path: "Wide", Go: "Wide", Type: &model.Type{Kind: model.Struct}}
	for i := range 130 {
		name := fmt.Sprintf("f%03d", i)
		wide.Type.Fields = append(wide.Type.Fields, &model.Field{
			Wire: name, Go: goName(name), Type: &model.Type{Kind: model.Bool}, Optional: i%3 == 0,
		})
	}
	api.Types = append(api.Types, wide)
	for _, n := range append([]*model.Named(nil), api.Types...) {
		declare(n.Type)
	}
	return api
}

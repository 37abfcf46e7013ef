package lint

import (
	"slices"
	"strings"
	"unicode"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/names"
	"github.com/wsgen/wsgen/internal/schema"
	"github.com/wsgen/wsgen/runtime/codec"
)

func allowWithoutReason(r *run) {
	for _, f := range r.file.All() {
		for _, line := range diag.WithoutReason(r.source(f.Source)) {
			r.report(diag.Pos{File: f.Source, Line: line, Col: 1}, "write why: # wsgen:allow RULE because …",
				"the comment lets nothing pass, for it gives no reason")
		}
	}
}

func bytesRounded(r *run) {
	r.schemas(func(s *jsonschema.Schema) {
		if s.Source != nil && s.Source.RoundedFrom != "" {
			r.report(s.Pos, "write a multiple of 3",
				"base64 text cannot tell %s bytes from the next multiple of 3, which is checked", s.Source.RoundedFrom)
		}
	})
}

func deprecatedWithoutText(r *run) {
	for _, m := range r.api.Messages {
		if m.Deprecated == schema.DeprecatedText {
			r.report(m.Pos, "write deprecated: Use OTHER.", "%s is deprecated, and does not say what to use", m.Wire)
		}
	}
}

func enumNumbered(r *run) {
	for _, n := range r.api.Types {
		if n.Type.Kind != model.Enum || n.Schema.EnumNames != nil {
			continue
		}
		values := make([]string, len(n.Type.Values))
		for i, v := range n.Type.Values {
			values[i] = v.Wire
		}
		if _, numbered := names.Enum(values); numbered {
			r.report(n.Schema.KeyPos("enum"), "name the values with x-enum-names: [A, B]",
				"the constants of %s are numbered, because no names can be made of its values", n.Path)
		}
	}
}

func fallback(r *run) {
	for _, c := range model.Checks(r.api) {
		if c.Fallback != "" {
			r.report(c.Pos, "", "%s is left to a JSON Schema library, which the generated package imports", c.Fallback)
		}
	}
}

func nameBeginsWithDigit(r *run) {
	for _, m := range r.api.Messages {
		if m.Wire[0] >= '0' && m.Wire[0] <= '9' && strings.HasPrefix(m.Go, "X") {
			r.report(m.Pos, "set go: {name: …}", "%s is %s in Go", m.Wire, m.Go)
		}
	}
}

func nameNotASCII(r *run) {
	for _, m := range r.api.Messages {
		if strings.ContainsFunc(m.Go, func(c rune) bool { return c > unicode.MaxASCII }) {
			r.report(m.Pos, "set go: {name: …}", "%s is %s in Go", m.Wire, m.Go)
		}
	}
}

func optionalInProperties(r *run) {
	r.schemas(func(s *jsonschema.Schema) {
		for _, p := range s.Properties {
			if strings.HasSuffix(p.Name, "?") {
				r.report(p.Pos, "leave it away: properties are optional unless they are in required",
					"the question mark is part of the name %q", p.Name)
			}
		}
	})
}

func severalTags(r *run) {
	for _, n := range r.api.Types {
		if n.Type.Kind != model.Union || n.Schema == nil {
			continue
		}
		if tags := model.Tags(r.api, n.Schema); len(tags) > 1 && n.Schema.Discriminator == "" {
			r.report(n.Schema.Pos, "name one with discriminator:", "%s could be told apart by %s; %s is taken", n.Path,
				quoteList(tags), n.Type.Tag)
		}
	}
}

func titleLooksLikeType(r *run) {
	words := schema.Words()
	r.schemas(func(s *jsonschema.Schema) {
		for key, value := range map[string]string{"title": s.Title, "description": s.Description} {
			if s.Source != nil && s.Source.Long && value != "" && s.KeyPos(key) != s.Pos && slices.Contains(words, value) {
				r.report(s.KeyPos(key), "for an object with a field called type write fields: {…}",
					"%q is read as the %s of a type, not as a field", value, key)
			}
		}
	})
}

func unknownFormat(r *run) {
	known := codec.Formats()
	plain := []string{"int8", "int16", "int32", "uint8", "uint16", "uint32", "float", "double"}
	r.schemas(func(s *jsonschema.Schema) {
		if _, ok := known[s.Format]; s.Format != "" && !ok && !slices.Contains(plain, s.Format) {
			r.report(s.KeyPos("format"), "use a pattern if it should be", "the format %q is not checked", s.Format)
		}
	})
}

func unquotedKey(r *run) {
	for _, f := range r.file.All() {
		for _, k := range f.OddKeys {
			r.report(k.Pos, "put it in quotes", "some YAML readers do not take %s for text", k.Value)
		}
	}
}

func unrouted(r *run) {
	if len(r.api.Kinds) == 0 {
		return
	}
	for _, m := range r.api.Messages {
		if m.Direction.FromClient() && m.Room == nil && !slices.ContainsFunc(r.file.Messages, func(t *schema.Message) bool {
			return t.Name.Value == m.Wire && t.Room.Value == "none"
		}) {
			r.report(m.Pos, "write room: none if that is meant",
				"%s has no key of a room, and is handled by the connection", m.Wire)
		}
	}
}

func unusedImport(r *run) {
	for _, f := range r.file.All() {
		used := make(map[string]bool)
		usedNames(f, func(name string) {
			alias, _, _ := strings.Cut(name, ".")
			used[alias] = true
		})
		for _, i := range f.Imports {
			if !used[i.Alias.Value] && !usedPath(f, i.Path.Value) {
				r.report(i.Alias.Pos, "remove it", "no type of %q is used", i.Alias.Value)
			}
		}
	}
}

// usedNames calls visit for each name in the type expressions of a file.
func usedNames(f *schema.File, visit func(name string)) {
	walkFile(f, func(s *jsonschema.Schema) {
		if s.Source != nil && s.Source.Name != "" {
			visit(s.Source.Name)
		}
	})
}

func usedPath(f *schema.File, path string) bool {
	found := false
	walkFile(f, func(s *jsonschema.Schema) {
		found = found || s.Source != nil && strings.HasPrefix(s.Source.Pointer, path)
	})
	return found
}

// walkFile calls visit for each schema that stands in a file.
func walkFile(f *schema.File, visit func(s *jsonschema.Schema)) {
	var walk func(s *jsonschema.Schema)
	walk = func(s *jsonschema.Schema) {
		if s == nil {
			return
		}
		visit(s)
		if s.Source != nil {
			for _, p := range append(slices.Clone(s.Source.Mapping), s.Source.Defs...) {
				walk(p.Schema)
			}
		}
		s.Children(func(_, _ string, child *jsonschema.Schema) { walk(child) })
	}
	codes := f.Errors
	for _, t := range f.Types {
		walk(t.Type)
	}
	for _, m := range f.Messages {
		for _, s := range []*jsonschema.Schema{m.Payload, m.Response, m.Progress, m.Meta} {
			walk(s)
		}
		codes = append(slices.Clone(codes), m.Errors...)
	}
	for _, c := range codes {
		walk(c.Details)
	}
	walk(f.Claims)
}

func variants(s *jsonschema.Schema) []jsonschema.Property {
	if s.Source == nil {
		return nil
	}
	return s.Source.Mapping
}

func unusedType(r *run) {
	used := make(map[string]bool)
	var walk func(s *jsonschema.Schema)
	walk = func(s *jsonschema.Schema) {
		if s.Ref != "" {
			if used[s.Ref] {
				return
			}
			used[s.Ref] = true
			if d := r.api.Defs.Get(s.Ref); d != nil {
				walk(d)
			}
		}
		s.Children(func(_, _ string, child *jsonschema.Schema) { walk(child) })
	}
	types := make(map[string]schema.Text)
	for _, f := range r.file.All() {
		for _, t := range f.Types {
			types[t.Name.Value] = t.Name
		}
		walkFile(f, func(s *jsonschema.Schema) {
			for _, v := range variants(s) {
				used[v.Schema.Ref] = true // which is written out where it is used
			}
		})
	}
	for _, d := range r.api.Defs {
		if _, declared := types[d.Name]; !declared {
			walk(d.Schema)
		}
	}
	for _, m := range r.api.Messages { // which may be of a declared type themselves
		used[m.Payload.Path] = true
		if m.Request != nil {
			used[m.Request.Response.Path] = true
			if m.Request.Progress != nil {
				used[m.Request.Progress.Path] = true
			}
		}
	}
	for name := range used {
		if d := r.api.Defs.Get(name); d != nil {
			walk(d)
		}
	}
	for name, text := range types {
		if !used[name] && text.Pos.File == r.file.Source {
			r.report(text.Pos, "remove it, or use it", "nothing uses the type %s", name)
		}
	}
}

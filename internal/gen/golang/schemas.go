package golang

// This file prints schemas.gen.go: patterns, and what is judged as JSON Schema because no Go type says it.

import (
	"fmt"
	"hash/fnv"

	"github.com/dave/jennifer/jen"

	"github.com/wsgen/wsgen/internal/model"
)

// emitSchemas prints a variable for each pattern and each schema. They are compiled when they are first needed.
//
//	var pattern1f2e3d4c = codec.NewPattern(`^[a-z]+$`)
//
//	// schemaOrderPrice is asked of OrderPrice.
//	var schemaOrderPrice = validate.New(`{"multipleOf":0.01}`)
func emitSchemas(f *jen.File, api *model.API) {
	for _, c := range checksOf(api) {
		if c.pattern != "" {
			f.Var().Id(patternName(c.pattern)).Op("=").Add(codec("NewPattern")).Call(rawString(c.pattern))
			continue
		}
		pkg := pkgValidate
		if c.check.Fallback != "" {
			pkg = pkgFallback
		}
		f.Var().Id(c.check.Name).Op("=").Qual(pkg, "New").Call(rawString(c.check.Schema))
	}
}

// patternName returns the name of a pattern's variable, which is the same wherever the pattern is used.
func patternName(pattern string) string {
	h := fnv.New32a()
	h.Write([]byte(pattern))
	return fmt.Sprintf("pattern%08x", h.Sum32())
}

// A checked is a pattern or a schema of the package.
type checked struct {
	pattern string
	check   *model.Check
}

// checksOf returns the patterns and schemas of all types, each once.
func checksOf(api *model.API) []checked {
	var out []checked
	patterns := map[string]bool{}
	var visit func(t *model.Type)
	visit = func(t *model.Type) {
		if t == nil {
			return
		}
		if t.Pattern != "" && !patterns[t.Pattern] {
			patterns[t.Pattern] = true
			out = append(out, checked{pattern: t.Pattern})
		}
		if t.Check != nil {
			out = append(out, checked{check: t.Check})
		}
		for _, f := range t.Fields {
			if f.Const == nil {
				visit(f.Type)
			}
		}
		visit(t.Elem)
		visit(t.Key)
		if t.Extra != nil {
			visit(t.Extra.Elem)
		}
	}
	for _, n := range namedTypes(api) {
		visit(n.Type)
	}
	return out
}

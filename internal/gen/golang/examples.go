package golang

// This file prints examples.gen_test.go: a test that the examples of the schema are what the code reads and writes.

import (
	"encoding/json"
	"fmt"

	"github.com/dave/jennifer/jen"

	"github.com/wsgen/wsgen/internal/model"
)

const pkgTest = "github.com/wsgen/wsgen/runtime/wstest"

// emitExamples prints a subtest for each example.
//
//	func TestExamples(t *testing.T) {
//		t.Run("JOIN_ROOM", func(t *testing.T) {
//			wstest.RoundTrip(t, `{"roomId":"general"}`, new(JoinRoom))
//		})
//	}
func emitExamples(f *jen.File, api *model.API) {
	f.Add(doc("TestExamples reads and writes the examples of the schema."))
	f.Func().Id("TestExamples").Params(jen.Id("t").Op("*").Qual("testing", "T")).BlockFunc(func(g *jen.Group) {
		for _, e := range examplesOf(api) {
			g.Id("t").Dot("Run").Call(jen.Lit(e.name), jen.Func().Params(jen.Id("t").Op("*").Qual("testing", "T")).Block(
				jen.Qual(pkgTest, "RoundTrip").Call(jen.Id("t"), rawString(string(e.json)), jen.New(jen.Id(e.typ))),
			))
		}
	})
}

// An example is a value of a type.
type example struct {
	name, typ string
	json      json.RawMessage
}

// examplesOf returns the examples of messages and of declared types.
func examplesOf(api *model.API) []example {
	var out []example
	add := func(name string, n *model.Named, raw json.RawMessage) {
		if n != nil && raw != nil && n.Type.UnionType() == nil && n.Type.Kind != model.Union {
			out = append(out, example{name, n.Go, raw})
		}
	}
	for _, n := range api.Types {
		if n.Schema == nil || api.Defs.Get(n.Path) == nil {
			continue
		}
		for i, e := range n.Schema.Examples {
			add(fmt.Sprintf("%s %d", n.Path, i+1), n, e.JSON)
		}
	}
	for _, m := range api.Messages {
		for i, e := range m.Examples {
			name := fmt.Sprintf("%s %d", m.Wire, i+1)
			add(name, m.Payload, e.Payload)
			if m.Request != nil {
				add(name+" response", m.Request.Response, e.Response)
				for _, p := range e.Progress {
					add(name+" progress", m.Request.Progress, p)
				}
			}
		}
	}
	return out
}

package schema_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/internal/schema"
)

// TestRulesAreListed finds the rules that this package and the model report, and wants the list to have these and no others.
func TestRulesAreListed(t *testing.T) {
	used := make(map[string]string)
	for _, folder := range []string{".", "../model"} {
		files, err := filepath.Glob(folder + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				usedRules(t, file, used)
			}
		}
	}
	rules := schema.Rules()
	if !slices.IsSortedFunc(rules, func(a, b schema.Rule) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("the rules are not sorted")
	}
	for _, r := range rules {
		if used[r.ID] == "" {
			t.Errorf("nothing reports %s", r.ID)
		}
		if r.Purpose == "" {
			t.Errorf("%s has no purpose", r.ID)
		}
		delete(used, r.ID)
	}
	for id, where := range used {
		t.Errorf("%s is not listed: %s", id, where)
	}
}

// usedRules collects the second arguments of the calls that report an error.
func usedRules(t *testing.T, file string, used map[string]string) {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 2 {
			return true
		}
		if name, ok := call.Fun.(*ast.SelectorExpr); !ok || name.Sel.Name != "errorf" {
			return true
		}
		if rule, ok := call.Args[1].(*ast.BasicLit); ok {
			id, _ := strconv.Unquote(rule.Value)
			used[id] = fset.Position(rule.Pos()).String()
		} else {
			t.Errorf("%v: the rule is no literal", fset.Position(call.Pos()))
		}
		return true
	})
}

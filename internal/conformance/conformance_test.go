package conformance

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// counts is a line of the table.
type counts struct {
	tests, compiled, fallback, refused, passed int
}

// TestSuite is the whole of the suite's mandatory part: what is compiled and what falls back judges as the suite does,
// but for the listed deviations; what is refused is refused with a position.
func TestSuite(t *testing.T) {
	groups := readGroups(t, suiteFolder(t), "")
	judgeSuite(t, groups, deviations)
}

// TestOptional are the optional parts that say something about what the language has.
func TestOptional(t *testing.T) {
	folder := filepath.Join(suiteFolder(t), "optional")
	groups := slices.DeleteFunc(readGroups(t, folder, "optional/"), func(g *group) bool {
		return !slices.Contains([]string{"optional/bignum", "optional/non-bmp-regex", "optional/float-overflow",
			"optional/ecmascript-regex"}, g.file)
	})
	judgeSuite(t, groups, optionalDeviations)
}

func judgeSuite(t *testing.T, groups []*group, deviations map[string]string) {
	classify(groups)
	table := map[string]*counts{}
	var names []string
	var questions []question
	for _, g := range groups {
		c := table[g.file]
		if c == nil {
			c = &counts{}
			table[g.file] = c
		}
		c.tests += len(g.Tests)
		switch g.class {
		case refused:
			c.refused += len(g.Tests)
			wantPlace(t, g)
			continue
		case fallback:
			c.fallback += len(g.Tests)
		default:
			c.compiled += len(g.Tests)
		}
		names = append(names, g.id)
		for _, i := range g.Tests {
			questions = append(questions, question{g.id, fmt.Appendf(nil, `{"v":%s}`, i.Data)})
		}
	}
	verdicts := ask(t, protocol(groups), names, questions)
	compareVerdicts(t, groups, verdicts, table, deviations)
	printTable(t, table)
	if *vectors != "" {
		writeVectors(t, protocol(groups), questions, verdicts)
	}
}

var vectors = flag.String("vectors", "",
	"folder for the protocol of the suite and its instances with verdicts, for clients in other languages")

// writeVectors writes messages.yaml and vectors.jsonl: a line for each instance, with its type and whether it is accepted.
func writeVectors(t *testing.T, src string, questions []question, verdicts []verdict) {
	t.Helper()
	var lines bytes.Buffer
	for i, q := range questions {
		fmt.Fprintf(&lines, "{\"type\":%q,\"json\":%s,\"strict\":%t}\n", q.Type, Encode(Decode(q.JSON)),
			len(verdicts[i].Paths) == 0)
	}
	folder := filepath.Join(*vectors, strings.ToLower(t.Name()))
	write(t, filepath.Join(folder, "messages.yaml"), []byte(src))
	write(t, filepath.Join(folder, "vectors.jsonl"), lines.Bytes())
}

// wantPlace wants a refusal to say where, and to be for a reason that is known.
func wantPlace(t *testing.T, g *group) {
	reasons := []string{"unsupported-keyword", "bad-reference"}
	if rule := strictness[g.file+" / "+g.Description]; rule != "" {
		reasons = []string{rule}
	}
	if strings.HasPrefix(g.file, "optional/") {
		reasons = append(reasons, "bad-pattern")
	}
	for _, d := range g.findings {
		if !slices.Contains(reasons, d.Rule) {
			t.Errorf("%s: %s: refused for another reason: %+v", g.file, g.Description, d)
		}
		if d.Pos.Line == 0 || d.Pos.Col == 0 {
			t.Errorf("%s: %s: refused without a place: %+v", g.file, g.Description, d)
		}
	}
}

// compareVerdicts compares with the suite. Each deviation that is listed has to be met.
func compareVerdicts(t *testing.T, groups []*group, verdicts []verdict, table map[string]*counts, deviations map[string]string) {
	met := map[string]bool{}
	n := 0
	for _, g := range groups {
		if g.class == refused {
			continue
		}
		for _, i := range g.Tests {
			v := verdicts[n]
			n++
			key := strings.Join([]string{g.file, g.Description, i.Description}, " / ")
			valid := len(v.Paths) == 0
			if valid == i.Valid {
				table[g.file].passed++
				wantRoundTrip(t, key, i, v)
				continue
			}
			if deviations[key] == "" {
				t.Errorf("%s: accepted %t, the suite says %t; %s\n%s\n%s", key, valid, i.Valid, v.Error, g.Schema, i.Data)
			}
			met[key] = true
		}
	}
	for key, why := range deviations {
		if !met[key] {
			t.Errorf("%s is no deviation any more (%s)", key, why)
		}
	}
}

func printTable(t *testing.T, table map[string]*counts) {
	var total counts
	line := func(name string, c *counts) {
		t.Logf("%-26s %6d %9d %9d %8d %7d", name, c.tests, c.compiled, c.fallback, c.refused, c.passed)
	}
	t.Logf("%-26s %6s %9s %9s %8s %7s", "file", "tests", "compiled", "fallback", "refused", "passed")
	for _, name := range slices.Sorted(maps.Keys(table)) {
		c := table[name]
		line(name, c)
		total.tests += c.tests
		total.compiled += c.compiled
		total.fallback += c.fallback
		total.refused += c.refused
		total.passed += c.passed
	}
	line("all", &total)
}

// wantRoundTrip wants an accepted value to be written so that it says the same.
func wantRoundTrip(t *testing.T, key string, i instance, v verdict) {
	if len(v.Paths) > 0 {
		return
	}
	if strings.HasPrefix(string(v.Written), `"cannot be written`) {
		t.Errorf("%s: read %s, and %s", key, i.Data, v.Written)
	}
}

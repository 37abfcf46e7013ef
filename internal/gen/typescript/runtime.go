package typescript

import (
	"fmt"
	"strings"

	"github.com/wsgen/wsgen/templates"
)

// features are the parts of the runtime that a protocol needs.
type features map[string]bool

// implied are the parts that a part needs itself.
var implied = map[string][]string{
	"map": {"members"}, "any": {"members"}, "const": {"equal"}, "check": {"schema"},
	"schema": {"equal", "string", "base64"}, "bytes": {"base64"}, "format:date-time": {"date", "clock"}, "format:date": {"date"},
	"format:time":  {"clock"},
	"format:email": {"email", "hostname", "ipv4", "ipv6"}, "format:uri": {"uri", "ipv6"}, "format:uri-reference": {"uri", "ipv6"},
	"format:iri-reference": {"uri", "ipv6"}, "format:hostname": {"hostname"}, "format:ipv4": {"ipv4"}, "format:ipv6": {"ipv6"},
	"format:json-pointer": {"pointer"}, "format:relative-json-pointer": {"pointer"}, "format:regex": {"regex"},
}

func (f features) use(names ...string) {
	for _, name := range names {
		if f[name] {
			continue
		}
		f[name] = true
		if strings.HasPrefix(name, "format:") {
			f.use("formats")
		}
		f.use(implied[name]...)
	}
}

// runtime returns the parts of the runtime's files that are used, without the marks of parts.
func (f features) runtime() (string, error) {
	var b strings.Builder
	for _, name := range []string{"codec.ts", "formats.ts", "schema.ts", "options.ts", "frames.ts", "listeners.ts", "iterate.ts", "rooms.ts", "connection.ts", "client.ts"} {
		text, err := templates.TypeScript.ReadFile("typescript/" + name)
		if err != nil {
			return "", err
		}
		part, err := f.cut(string(text))
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		b.WriteString(part)
		b.WriteString("\n")
	}
	return b.String(), nil
}

// cut leaves out the lines from //#if to //#end of parts that are not used. The first comment is about the file, not about
// its code.
func (f features) cut(text string) (string, error) {
	var b strings.Builder
	var skipped []bool // of the marks that are open
	leading := true
	for line := range strings.Lines(text) {
		mark := strings.TrimSpace(line)
		if leading = leading && strings.HasPrefix(mark, "// "); leading {
			continue
		}
		name, opens := strings.CutPrefix(mark, "//#if ")
		switch {
		case opens:
			skipped = append(skipped, !f[name] || len(skipped) > 0 && skipped[len(skipped)-1])
		case mark == "//#end" && len(skipped) == 0:
			return "", fmt.Errorf("//#end without //#if")
		case mark == "//#end":
			skipped = skipped[:len(skipped)-1]
		case len(skipped) == 0 || !skipped[len(skipped)-1]:
			b.WriteString(line)
		}
	}
	if len(skipped) > 0 {
		return "", fmt.Errorf("//#if without //#end")
	}
	return b.String(), nil
}

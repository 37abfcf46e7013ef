// Package typescript prints the TypeScript client of a protocol: one module that imports nothing, and, where it is asked for,
// a second one for React. It decides what stands there; the templates say how it looks, and hold what is the same in all
// clients.
package typescript

import (
	"bytes"
	"fmt"
	"strings"
	"text/template"

	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/output"
	"github.com/wsgen/wsgen/templates"
)

// Generate returns client.gen.ts, and react.gen.ts for a protocol that wants it. An error is a fault of ours.
func Generate(api *model.API) ([]output.File, error) {
	p := newPage(api)
	files := []struct{ name, template string }{{"client.gen.ts", "client.ts.tmpl"}}
	if api.TSReact {
		files = append(files, struct{ name, template string }{"react.gen.ts", "react.ts.tmpl"})
	}
	var out []output.File
	for _, f := range files {
		text, err := render(f.template, p)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		out = append(out, output.File{Path: f.name, Data: text})
	}
	return out, nil
}

func render(name string, p *Page) ([]byte, error) {
	t, err := template.New(name).Funcs(template.FuncMap{"doc": doc, "quote": quote, "key": key}).ParseFS(templates.TypeScript,
		"typescript/*.tmpl")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return nil, err
	}
	return tidy(b.Bytes()), nil
}

// tidy takes away white space at line ends, more than one blank line in a row, and blank lines behind an opening brace.
func tidy(text []byte) []byte {
	var out []string
	for line := range strings.SplitSeq(string(text), "\n") {
		line = strings.TrimRight(line, " \t")
		if line == "" && (len(out) == 0 || out[len(out)-1] == "" || strings.HasSuffix(out[len(out)-1], "{")) {
			continue
		}
		if strings.TrimSpace(line) == "}" && len(out) > 0 && out[len(out)-1] == "" {
			out = out[:len(out)-1]
		}
		out = append(out, line)
	}
	return []byte(strings.TrimRight(strings.Join(out, "\n"), "\n") + "\n")
}

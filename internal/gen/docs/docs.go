// Package docs prints the documentation of a protocol for the people who use it: Markdown, and one HTML page that needs
// nothing else. It decides what stands there; the templates say how it looks.
package docs

import (
	"bytes"
	"fmt"
	"html/template"
	"strings"
	texttemplate "text/template"

	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/output"
	"github.com/wsgen/wsgen/templates"
)

// Generate returns protocol.gen.md and protocol.gen.html. An error is a fault of ours.
func Generate(api *model.API) ([]output.File, error) {
	p := newPage(api)
	md, err := texttemplate.New("protocol.md.tmpl").Funcs(texttemplate.FuncMap{"cell": cell,
		"quote": quote}).ParseFS(templates.Docs, "docs/protocol.md.tmpl")
	if err != nil {
		return nil, err
	}
	html, err := template.New("protocol.html.tmpl").Funcs(template.FuncMap{"paragraphs": paragraphs}).ParseFS(templates.Docs,
		"docs/protocol.html.tmpl")
	if err != nil {
		return nil, err
	}
	var markdown, page bytes.Buffer
	if err := md.Execute(&markdown, p); err != nil {
		return nil, fmt.Errorf("markdown: %w", err)
	}
	if err := html.Execute(&page, p); err != nil {
		return nil, fmt.Errorf("html: %w", err)
	}
	return []output.File{
		{Path: "protocol.gen.html", Data: tidy(page.Bytes())},
		{Path: "protocol.gen.md", Data: tidy(markdown.Bytes())},
	}, nil
}

// tidy takes away white space at line ends, and more than one blank line in a row.
func tidy(text []byte) []byte {
	var out []string
	for line := range strings.SplitSeq(string(text), "\n") {
		line = strings.TrimRight(line, " \t")
		if line == "" && (len(out) == 0 || out[len(out)-1] == "") {
			continue
		}
		out = append(out, line)
	}
	return []byte(strings.TrimRight(strings.Join(out, "\n"), "\n") + "\n")
}

// cell makes text fit into a cell of a Markdown table.
func cell(text string) string {
	return strings.NewReplacer("\n", " ", "|", `\|`, "<", "&lt;").Replace(text)
}

// quote makes text safe outside of code in Markdown.
func quote(text string) string { return strings.ReplaceAll(text, "<", "&lt;") }

// paragraphs cuts text at blank lines.
func paragraphs(text string) []string { return strings.Split(text, "\n\n") }

package schema

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/wsgen/wsgen/internal/diag"
)

// Parse reads a file. name is how the user calls it, for the places of findings. It returns nil when the file is no YAML
// or holds no protocol; with other errors in diags the tree has what could be read. It is safe for concurrent use.
func Parse(name string, src []byte, diags *diag.List) *File {
	root := readYAML(name, src, diags)
	if root == nil {
		return nil
	}
	p := &parser{file: name, diags: diags}
	return p.parseFile(root)
}

func readYAML(name string, src []byte, diags *diag.List) *node {
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	r := &reader{file: name, src: src, lines: strings.Split(strings.ReplaceAll(string(src), "\r\n", "\n"), "\n"), diags: diags}
	switch {
	case len(src) > maxSize:
		r.errorf(diag.Pos{File: name}, "yaml", "", "larger than %d bytes", maxSize)
		return nil
	case !utf8.Valid(src):
		r.errorf(diag.Pos{File: name}, "yaml", "", "not UTF-8")
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(src))
	var doc, second yaml.Node
	if err := decode(dec, &doc); err != nil {
		if errors.Is(err, io.EOF) {
			r.errorf(diag.Pos{File: name, Line: 1, Col: 1}, "missing-key", "begin with wsgen: 1", "the file is empty")
			return nil
		}
		r.syntaxError(err)
		return nil
	}
	if err := decode(dec, &second); err == nil {
		r.errorf(r.pos(&second), "yaml", "", "a file holds one document")
		return nil
	} else if !errors.Is(err, io.EOF) {
		r.syntaxError(err)
		return nil
	}
	if len(doc.Content) != 1 {
		return nil
	}
	root := r.node(doc.Content[0], 0)
	if root != nil && root.kind != mapping {
		r.errorf(root.pos, "yaml", "begin with wsgen: 1", "a protocol is a mapping")
		return nil
	}
	return root
}

// decode turns a panic of the library into an error: it parses what users wrote.
func decode(dec *yaml.Decoder, into *yaml.Node) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("yaml: cannot be read")
		}
	}()
	return dec.Decode(into)
}

var (
	yamlLine     = regexp.MustCompile(`line (\d+): (.*)`)
	flowOptional = regexp.MustCompile(`[{,]\s*(([\p{L}_][\p{L}\p{N}_.-]*)\?)\s*:\s*([^,}]*)`)
	flowNullable = regexp.MustCompile(`:\s*([\p{L}][\p{L}\p{N}.-]*\?)\s*[,}]`)
	flowArray    = regexp.MustCompile(`:\s*(([\p{L}][\p{L}\p{N}.-]*)\[\])`)
	flowHash     = regexp.MustCompile(`=\s*(#\S*)`)
)

// syntaxError looks for the usual causes around the line that the library names, which is one too low at times, and says
// what to write.
func (r *reader) syntaxError(err error) {
	m := yamlLine.FindStringSubmatch(err.Error())
	if m == nil {
		r.errorf(diag.Pos{File: r.file, Line: 1, Col: 1}, "yaml", "", "%s", strings.TrimPrefix(err.Error(), "yaml: "))
		return
	}
	line, _ := strconv.Atoi(m[1])
	for _, at := range []int{line, line - 1, line + 1} {
		if at < 1 || at > len(r.lines) {
			continue
		}
		if text := r.lines[at-1]; strings.Contains(text, "{") && r.flowTrap(at, text) {
			return
		}
	}
	line = min(max(line, 1), len(r.lines))
	text := r.lines[line-1]
	if strings.Contains(text, "\t") && strings.TrimLeft(text, "\t ") != text && strings.HasPrefix(strings.TrimLeft(text, " "), "\t") {
		r.errorf(diag.Pos{File: r.file, Line: line, Col: 1 + strings.Index(text, "\t")}, "yaml", "indent with spaces", "a tab in the indentation")
		return
	}
	col := 1 + utf8.RuneCountInString(text) - utf8.RuneCountInString(strings.TrimLeft(text, " "))
	r.errorf(diag.Pos{File: r.file, Line: line, Col: col}, "yaml", "", "%s", m[2])
}

func (r *reader) flowTrap(line int, text string) bool {
	at := func(byteCol int) diag.Pos {
		return diag.Pos{File: r.file, Line: line, Col: 1 + utf8.RuneCountInString(text[:byteCol])}
	}
	if m := flowOptional.FindStringSubmatchIndex(text); m != nil {
		key := text[m[2]:m[3]]
		r.errorf(at(m[2]), "yaml-flow", "", "`%s` inside { } needs quotes: `{%q: %s}`, or put the fields on lines of their own",
			key, key, strings.TrimSpace(text[m[6]:m[7]]))
		return true
	}
	if m := flowArray.FindStringSubmatchIndex(text); m != nil {
		r.errorf(at(m[2]), "yaml-flow", "", "`%s` cannot stand inside { }: write `[%s]`", text[m[2]:m[3]], text[m[4]:m[5]])
		return true
	}
	if m := flowNullable.FindStringSubmatchIndex(text); m != nil {
		value := text[m[2]:m[3]]
		r.errorf(at(m[2]), "yaml-flow", "", "`%s`: the question mark belongs to the name: `{\"name?\": %s}`; for a value that may be null write `%s | null`",
			value, strings.TrimSuffix(value, "?"), strings.TrimSuffix(value, "?"))
		return true
	}
	if m := flowHash.FindStringSubmatchIndex(text); m != nil {
		r.errorf(at(m[2]), "yaml-flow", "", "`#` begins a comment: put the default in quotes: `\"string = '%s'\"`", text[m[2]:m[3]])
		return true
	}
	return false
}

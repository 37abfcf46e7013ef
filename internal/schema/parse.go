package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/wsgen/wsgen/internal/diag"
)

// Parse reads a file without what it imports. name is how the user calls it, for the places of findings. It returns nil
// when the file is no YAML or holds no protocol; with other errors in diags the tree has what could be read. It is safe for
// concurrent use with different lists.
func Parse(name string, src []byte, diags *diag.List) *File {
	return parseFile(name, src, diags, false)
}

func parseFile(name string, src []byte, diags *diag.List, imported bool) *File {
	r := &reader{file: name, diags: diags, unreadable: make(map[diag.Pos]bool)}
	root := r.read(src)
	if root == nil {
		return nil
	}
	p := &parser{file: name, diags: diags, unreadable: r.unreadable, imported: imported}
	f := p.parseFile(root)
	f.OddKeys = r.odd
	return f
}

// read returns the mapping that a protocol is; nil after an error.
func (r *reader) read(src []byte) *node {
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	r.lines = strings.Split(strings.ReplaceAll(string(src), "\r\n", "\n"), "\n")
	if !r.plainText(src) {
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(src))
	var doc, second yaml.Node
	if err := decode(dec, &doc); err != nil {
		if errors.Is(err, io.EOF) {
			r.errorf(diag.Pos{File: r.file, Line: 1, Col: 1}, "missing-key", "begin with wsgen: 1", "the file is empty")
			return nil
		}
		r.syntaxError(err)
		return nil
	}
	if err := decode(dec, &second); err == nil {
		r.errorf(r.pos(&second), "yaml", "put the other one into a file of its own", "a file holds one document")
		return nil
	} else if !errors.Is(err, io.EOF) {
		r.syntaxError(err)
		return nil
	}
	if len(doc.Content) != 1 {
		return nil
	}
	root := r.node(doc.Content[0], 0)
	switch root.kind {
	case mapping:
		return root
	case scalar, list:
		r.errorf(root.pos, "yaml", "begin with wsgen: 1", "a protocol is a mapping")
	}
	return nil
}

// plainText refuses what is no text, and characters that YAML takes for the end of a line where editors do not.
func (r *reader) plainText(src []byte) bool {
	if len(src) > maxSize {
		r.errorf(diag.Pos{File: r.file}, "yaml", "split the protocol", "larger than %d bytes", maxSize)
		return false
	}
	for i, line := range r.lines {
		col := 0
		for at, c := range line {
			col++
			why, hint := "", "write it as an escape in double quotes, or leave it away"
			switch {
			case c == utf8.RuneError && !strings.HasPrefix(line[at:], string(utf8.RuneError)):
				why, hint = "a byte that is not UTF-8", "save the file as UTF-8"
			case c == '\u0085', c == '\u2028', c == '\u2029', c == '\r':
				why = fmt.Sprintf("the line separator %U", c)
			case c < ' ' && c != '\t', c >= 0x7f && c < 0xa0, c == 0xfeff, c == 0xfffe, c == 0xffff:
				why = fmt.Sprintf("the control character %U", c)
			}
			if why != "" {
				r.errorf(diag.Pos{File: r.file, Line: i + 1, Col: col}, "yaml", hint, "%s", why)
				return false
			}
		}
	}
	return true
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

package schema

import (
	"path"
	"slices"
	"strings"

	"github.com/wsgen/wsgen/internal/diag"
)

// Load reads a file and, once each, all that it and those import. read returns the text of a file by its path with slashes;
// its error says why there is none. Findings are in diags, with the file that they are in. The result is nil when the first
// file could not be read.
func Load(name string, read func(name string) ([]byte, error), diags *diag.List) *File {
	l := &loader{read: read, diags: diags, files: make(map[string]*File)}
	src, err := read(name)
	if err != nil {
		diags.Add(diag.Diagnostic{Pos: diag.Pos{File: name}, Rule: "unreadable", Message: err.Error()})
		return nil
	}
	f := Parse(name, src, diags)
	l.files[path.Clean(name)] = f
	l.imports(f)
	return f
}

// loader remembers the files by their paths, so that files may import each other.
type loader struct {
	read  func(name string) ([]byte, error)
	diags *diag.List
	files map[string]*File
}

func (l *loader) imports(f *File) {
	if f == nil {
		return
	}
	for _, i := range append(slices.Clone(f.Imports), f.Refs...) {
		i.File = l.file(f.Source, i.Path)
	}
}

// file returns a file by its path as it is written in another.
func (l *loader) file(from string, to Text) *File {
	name := strings.ReplaceAll(to.Value, "\\", "/")
	if !path.IsAbs(name) {
		name = path.Join(path.Dir(from), name)
	}
	name = path.Clean(name)
	if f, ok := l.files[name]; ok {
		return f
	}
	l.files[name] = nil
	src, err := l.read(name)
	if err != nil {
		l.diags.Add(diag.Diagnostic{Pos: to.Pos, Rule: "bad-import", Message: "the imported file cannot be read: " + err.Error()})
		return nil
	}
	f := parseFile(name, src, l.diags, true)
	l.files[name] = f
	l.imports(f)
	return f
}

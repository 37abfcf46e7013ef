package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/gen/jsonschema"
	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/schema"
)

// defaultFile is the protocol of a command without arguments.
const defaultFile = "messages.yaml"

// loader reads protocols and remembers their text for the excerpts of findings.
type loader struct {
	diags   diag.List
	sources map[string][]byte
	file    *schema.File // the last one that was loaded
}

// load reads one protocol with what it imports; nil when it cannot be read or has errors, which are in l.diags then.
func (l *loader) load(path string) (*model.API, error) {
	return l.loadFrom(path, os.ReadFile)
}

// loadFrom is load with another way to read files.
func (l *loader) loadFrom(path string, read func(path string) ([]byte, error)) (*model.API, error) {
	name := filepath.ToSlash(path)
	first := true
	var own diag.List
	l.file = schema.Load(name, func(name string) ([]byte, error) {
		src, err := read(filepath.FromSlash(name))
		if err == nil {
			l.remember(name, src)
		} else if first {
			l.diags.Add(unreadable(name, err))
		}
		first = false
		return src, reason(err)
	}, &own)
	api := model.Build(l.file, &own)
	if l.sources[name] == nil && len(l.diags.Sorted()) > 0 {
		return nil, nil
	}
	for _, d := range own.Sorted() {
		l.diags.Add(d)
	}
	if api == nil {
		return nil, nil
	}
	var err error
	if api.Fingerprint, err = jsonschema.Fingerprint(api); err != nil {
		return nil, internalError{err}
	}
	return api, nil
}

// reason leaves the path away from an error of the system: findings have their own.
func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// remember keeps the text of a file.
func (l *loader) remember(name string, src []byte) {
	if l.sources == nil {
		l.sources = make(map[string][]byte)
	}
	l.sources[name] = src
}

// unreadable is the finding about a file that the system does not give.
func unreadable(name string, err error) diag.Diagnostic {
	d := diag.Diagnostic{Pos: diag.Pos{File: name}, Rule: "unreadable", Message: "cannot be read: " + reason(err).Error()}
	if errors.Is(err, fs.ErrNotExist) {
		d.Hint = "name the file of a protocol, or begin with wsgen init"
	}
	return d
}

// report prints the findings, and returns errFindings if there are errors among them. It is called once in a run, so that
// JSON is one array.
func (l *loader) report(s streams, format string) error {
	findings := l.diags.Sorted()
	if len(findings) > 0 || format == "json" {
		w := s.err
		if format != "text" {
			w = s.out
		}
		if err := diag.Print(w, format, findings, func(file string) []byte { return l.sources[file] }); err != nil {
			return err
		}
	}
	if l.diags.HasErrors() {
		return errFindings
	}
	return nil
}

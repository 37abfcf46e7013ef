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
}

// load reads one protocol; nil when it cannot be read or has errors, which are in l.diags then.
func (l *loader) load(path string) (*model.API, error) {
	name := filepath.ToSlash(path)
	src, err := os.ReadFile(path)
	if err != nil {
		l.diags.Add(unreadable(name, err))
		return nil, nil
	}
	l.remember(name, src)
	var own diag.List
	api := model.Build(schema.Parse(name, src, &own), &own)
	for _, d := range own.Sorted() {
		l.diags.Add(d)
	}
	if api == nil {
		return nil, nil
	}
	if api.Fingerprint, err = jsonschema.Fingerprint(api); err != nil {
		return nil, internalError{err}
	}
	return api, nil
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
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	d := diag.Diagnostic{Pos: diag.Pos{File: name}, Rule: "unreadable", Message: "cannot be read: " + err.Error()}
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

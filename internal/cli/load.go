package cli

import (
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

// load reads one protocol; nil when it has errors, which are in l.diags then.
func (l *loader) load(path string) (*model.API, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	name := filepath.ToSlash(path)
	if l.sources == nil {
		l.sources = make(map[string][]byte)
	}
	l.sources[name] = src
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

// report prints the findings, and returns errFindings if there are errors among them.
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

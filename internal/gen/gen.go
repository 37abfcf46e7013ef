// Package gen turns a protocol into files, in memory. What it returns depends on the protocol alone.
package gen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wsgen/wsgen/internal/gen/docs"
	"github.com/wsgen/wsgen/internal/gen/golang"
	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/output"
)

// languages are the emitters; each returns its files with paths relative to the output folder.
var languages = []struct {
	name     string
	generate func(*model.API) ([]output.File, error)
}{
	{"Go", golang.Generate},
}

// Docs returns the documentation of a protocol, for whatever folder it is to be in.
func Docs(api *model.API) ([]output.File, error) {
	files, err := docs.Generate(api)
	if err != nil {
		return nil, fmt.Errorf("generating documentation: %w", err)
	}
	return files, nil
}

// Generate returns the code of a protocol, sorted by path. An error is a fault of ours: what was printed cannot be read
// back.
func Generate(api *model.API) ([]output.File, error) {
	var files []output.File
	for _, l := range languages {
		out, err := l.generate(api)
		if err != nil {
			return nil, fmt.Errorf("generating %s: %w", l.name, err)
		}
		files = append(files, out...)
	}
	slices.SortFunc(files, func(a, b output.File) int { return strings.Compare(a.Path, b.Path) })
	return files, nil
}

// Package gen turns a protocol into files, in memory. What it returns depends on the protocol alone.
package gen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wsgen/wsgen/internal/gen/docs"
	"github.com/wsgen/wsgen/internal/gen/golang"
	"github.com/wsgen/wsgen/internal/gen/typescript"
	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/output"
)

// Docs returns the documentation of a protocol, for whatever folder it is to be in.
func Docs(api *model.API) ([]output.File, error) {
	files, err := docs.Generate(api)
	if err != nil {
		return nil, fmt.Errorf("generating documentation: %w", err)
	}
	return files, nil
}

// TypeScript returns the TypeScript client of a protocol, for whatever folder it is to be in; nothing when none is wanted.
func TypeScript(api *model.API) ([]output.File, error) {
	if api.NoTS {
		return nil, nil
	}
	files, err := typescript.Generate(api)
	if err != nil {
		return nil, fmt.Errorf("generating TypeScript: %w", err)
	}
	return files, nil
}

// Go returns the Go package of a protocol, sorted by path. An error is a fault of ours: what was printed cannot be read
// back.
func Go(api *model.API) ([]output.File, error) {
	files, err := golang.Generate(api)
	if err != nil {
		return nil, fmt.Errorf("generating Go: %w", err)
	}
	slices.SortFunc(files, func(a, b output.File) int { return strings.Compare(a.Path, b.Path) })
	return files, nil
}

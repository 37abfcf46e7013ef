package model

// This file declares the errors of a protocol: one for each code, however many requests have it.

import (
	"slices"
	"strings"

	"github.com/wsgen/wsgen/internal/names"
	"github.com/wsgen/wsgen/internal/schema"
)

// StandardCodes returns the codes that every request may be answered with. The slice is the caller's.
func StandardCodes() []string { return slices.Clone(standardCodes) }

// standardCodes are possible for every request, and are not declared.
var standardCodes = strings.Fields(`UNAUTHENTICATED PERMISSION_DENIED INVALID_ARGUMENT FAILED_PRECONDITION NOT_FOUND ALREADY_EXISTS
	UNIMPLEMENTED CANCELLED DEADLINE_EXCEEDED ABORTED RESOURCE_EXHAUSTED UNAVAILABLE INTERNAL SHARD_FULL SHARD_ROOMS ROOM_FULL TOO_MANY_ROOMS`)

// errorCodes declares errors. A code that several requests have is one error, and must be the same everywhere.
func (b *builder) errorCodes(trees []*schema.ErrorCode, path string) []*ErrorCode {
	var out []*ErrorCode
	for _, tree := range trees {
		code := tree.Code.Value
		base := strings.TrimSuffix(names.Go(code), "Error")
		switch {
		case slices.Contains(standardCodes, code):
			b.errorf(tree.Code.Pos, "standard-code", "use it without declaring it", "%s is a standard code", code)
			continue
		case base == "":
			b.errorf(tree.Code.Pos, "bad-name", "", "the code %q has no letter or digit", code)
			continue
		}
		e := &ErrorCode{Wire: code, Go: base + "Error", Doc: tree.Doc, Retryable: tree.Retryable, Pos: tree.Code.Pos}
		if i := slices.IndexFunc(b.api.Errors, func(o *ErrorCode) bool { return o.Wire == code }); i >= 0 {
			if b.sameError(b.api.Errors[i], e, tree) {
				out = append(out, b.api.Errors[i])
			}
			continue
		}
		b.take(e.Go, "the error "+code, tree.Code.Pos)
		b.take("New"+e.Go, "the error "+code, tree.Code.Pos)
		if tree.Details != nil {
			e.GoDetails = base + "Details"
			e.Details = b.payload(tree.Details, or(path, "errors.")+code, e.GoDetails, tree.Code.Pos)
		}
		b.api.Errors = append(b.api.Errors, e)
		out = append(out, e)
	}
	return out
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// sameError compares a second declaration of a code with the first.
func (b *builder) sameError(first, e *ErrorCode, tree *schema.ErrorCode) bool {
	same := first.Retryable == e.Retryable && (first.Details == nil) == (tree.Details == nil)
	if same && tree.Details != nil {
		b.link(tree.Details, place{path: first.Details.Path, goName: first.GoDetails})
		b.expand(tree.Details)
		if b.anyInvalid(tree.Details, make(map[string]bool)) {
			return true
		}
		same = sameSchema(tree.Details, first.Details.Schema)
	}
	if !same {
		b.errorf(tree.Code.Pos, "error-differs", "declare it once under errors at the top of the file, or give it another code",
			"%s is declared with other details before", e.Wire)
	}
	return same
}
